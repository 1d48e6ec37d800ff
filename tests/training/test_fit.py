"""What a run of `fit` leaves, keeps, refuses and shows."""

import json
import re
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cyclekit import CycleModel, papers
from cyclekit.errors import ArgumentError, CycleKitError, GraphError, TrainingDivergedError, UnknownNameError
from cyclekit.training import (
    Checkpoints,
    Curves,
    Optimisation,
    RunOptionsError,
    Saved,
    create_optimizers,
    latest_checkpoint,
    linear_decay,
    read_options,
    sample_picture,
)
from tests.blind import Blind
from tests.model.tiny import FAMILY, batch_of, built
from tests.training.fitting import GRAPH, STEPS, Source, model_of, train, weights
from tests.training.small import assert_equal, batches, files_of_at_most

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of six steps, told one thing more."""
    out = tmp_path_factory.mktemp("finished") / "run"
    result = train(out, steps=6, trackers=("tensorboard",), options={"data": Path("faces"), "size": (6, 6)})
    return out, result


class Watched(Source):
    """Says when nobody reads it any more, as a loader's processes are told by."""

    opened = 0

    def batches(self, *args, **options):
        self.opened += 1
        try:
            yield from super().batches(*args, **options)
        finally:
            self.opened -= 1


def refuse_to_write(losses):
    raise OSError("the disk is full")


@pytest.mark.parametrize("metrics", [None, refuse_to_write])
def test_who_reads_for_a_run_ends_with_it(metrics, tmp_path):
    source, kept = Watched(), []
    batches_of_source = source.batches
    source.batches = lambda *args, **options: kept.append(batches_of_source(*args, **options)) or kept[-1]
    with pytest.raises(OSError, match="disk is full") if metrics else nullcontext():
        train(tmp_path / "run", source, steps=2, metrics=metrics, samples=next(Source().batches()))
    assert len(kept) == 1
    assert source.opened == 0


def test_a_run_is_not_resumed_for_fewer_steps_than_it_took(finished):
    out, _ = finished
    before = (out / "options.yaml").read_text()
    with pytest.raises(ArgumentError, match="is at step 6 already, past steps=4: choose more"):
        train(out, steps=4, resume=True, trackers=("tensorboard",), options={"data": Path("faces"), "size": (6, 6)})
    assert (out / "options.yaml").read_text() == before


def test_a_run_leaves_what_it_promises(finished):
    out, result = finished
    assert names(out) == [
        *(".lock", "checkpoints", "events", "losses.png", "model", "options.yaml", "samples", "samples.png")
    ]
    assert names(out / "samples") == ["step-00000005.png", "step-00000006.png"]
    assert (out / "samples.png").read_bytes() == (out / "samples" / "step-00000006.png").read_bytes()
    assert result.iteration == 6
    assert result.checkpoint == out / "checkpoints" / "step-00000006"
    own = model_of()
    modules = {"generators": dict(own.generators), "discriminators": dict(own.discriminators)}
    there = CycleModel.from_pretrained(out / "model", **modules)
    assert_equal(dict(there.state_dict()), dict(result.model.state_dict()))
    options = read_options(out)
    assert (options["steps"], options["data"], options["size"], options["batch"]) == (6, "faces", [6, 6], 4)


def test_a_tracker_keeps_every_point_and_picture_of_a_resumed_run(finished):
    out, _ = finished
    train(out, steps=8, trackers=("tensorboard",), options={"data": Path("faces"), "size": (6, 6)}, resume=True)
    events = EventAccumulator(str(out / "events")).Reload()
    assert [point.step for point in events.Scalars("G")] == [2, 4, 6, 8]
    assert [picture.step for picture in events.Images("samples")] == [5, 6, 8]
    assert list((out / "events").rglob("hparams.yml"))


def test_a_folder_that_holds_a_run_is_not_overwritten(finished):
    with pytest.raises(FileExistsError, match="holds a run already"):
        train(finished[0])


def test_a_resumed_run_keeps_its_options_and_names_each_that_differs(finished):
    out, _ = finished
    before = (out / "options.yaml").read_bytes()
    with pytest.raises(RunOptionsError) as caught:
        train(out, seed=5, accumulate=2, options={"data": Path("faces"), "size": (6, 8)}, resume=True)
    assert str(caught.value).startswith(
        f"{out} was trained with seed 0, not 5; with accumulate 1, not 2; with size 6 6, not 6 8: "
    )
    assert (out / "options.yaml").read_bytes() == before


def test_a_run_whose_rate_has_fallen_has_ended(tmp_path):
    fallen = {"optimisation": Optimisation(decay="linear", constant=1, decaying=1), "steps": 2}
    train(tmp_path, **fallen)
    with pytest.raises(RunOptionsError, match="falls to 0 at step 2, and steps=3 cannot train it further"):
        train(tmp_path, **{**fallen, "steps": 3}, resume=True)


def test_a_resumed_run_may_be_told_nothing_of_its_optimisation(tmp_path):
    own = Optimisation(rate=0.01, rates={"G_I": 0.02}, average=0.5)
    train(tmp_path, steps=2, optimisation=own)
    train(tmp_path, steps=3, optimisation=None, resume=True)
    assert read_options(tmp_path)["optimisation"]["rates"] == {"G_I": 0.02}
    assert weights(tmp_path)["name"] == 3


@pytest.mark.parametrize("text", ["", "[]", "- 1", "a: [", "[" * 5000, "1: 2"])
def test_options_that_cannot_be_read_are_named(text, tmp_path):
    (tmp_path / "options.yaml").write_text(text)
    with pytest.raises(RunOptionsError, match=r"options\.yaml cannot be read as a run's options"):
        read_options(tmp_path)


@pytest.mark.parametrize("name", ["steps", "log_every", "sample_every"])
def test_numbers_that_cannot_be_leave_nothing(name, tmp_path):
    with pytest.raises(ValueError, match=f"{name}: got 0, expected 1 or more"):
        train(tmp_path / "run", **{name: 0})
    assert names(tmp_path) == []


def test_a_thread_writes_what_the_loop_would(tmp_path):
    for name, background in (("thread", True), ("loop", False)):
        train(tmp_path / name, steps=6, checkpoints=Checkpoints(steps=2, last=2, background=background))
        assert names(tmp_path / name / "checkpoints") == ["step-00000004", "step-00000006"]
    for step in ("step-00000004", "step-00000006"):
        one, other = (torch.load(tmp_path / name / "checkpoints" / step / "training.pt") for name in ("thread", "loop"))
        for state in (one, other):
            state["parts"]["step"].pop("kinds")
            state["parts"].pop("checkpoints")  # the time of writing
        assert_equal(one["parts"], other["parts"])
        files = [tmp_path / name / "checkpoints" / step / "model.safetensors" for name in ("thread", "loop")]
        assert files[0].read_bytes() == files[1].read_bytes()


def test_checkpoints_are_written_by_time(tmp_path):
    train(tmp_path, steps=3, checkpoints=Checkpoints(minutes=1e-9, last=9))
    assert names(tmp_path / "checkpoints") == ["step-00000001", "step-00000002", "step-00000003"]


def test_the_best_checkpoint_stays(tmp_path):
    scores = iter([3.0, 1.0, 2.0])
    result = train(
        tmp_path,
        steps=6,
        checkpoints=Checkpoints(steps=2, best="faces/FID", higher=False),
        metrics=lambda model: {"faces": {"FID": next(scores)}, "trains": float(model.training)},
    )
    assert names(tmp_path / "checkpoints") == ["step-00000004", "step-00000006"]
    assert result.metrics == json.loads((tmp_path / "metrics.json").read_text())
    assert result.metrics == {"faces": {"FID": 2.0}, "trains": 0.0}


def test_a_metric_that_is_not_measured_is_named(tmp_path):
    with pytest.raises(ValueError, match="kept by 'SSIM', but the metrics are PSNR"):
        train(tmp_path, checkpoints=Checkpoints(steps=1, best="SSIM"), metrics=lambda model: {"PSNR": 1.0})
    with pytest.raises(ValueError, match="there are no metrics"):
        train(tmp_path / "other", checkpoints=Checkpoints(best="SSIM"))


histories = st.lists(st.tuples(st.floats(0, 5), st.none() | st.floats(-9, 9)), min_size=1, max_size=20)
rules = st.builds(
    Checkpoints, last=st.integers(1, 4), best=st.none() | st.just("a"), higher=st.booleans(), daily=st.booleans()
)


@given(histories, rules)
def test_what_is_kept_is_the_newest_the_best_and_one_a_day(history, rule):
    """Worked out from the whole history, where a run forgets with every checkpoint."""
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    times = [begin + timedelta(days=days) for days in sorted(days for days, _ in history)]
    saved = {
        step: Saved(time.timestamp(), score) for step, (time, (_, score)) in enumerate(zip(times, history, strict=True))
    }
    there: dict[int, Saved] = {}
    for step, one in saved.items():
        there[step] = one
        there = {kept: there[kept] for kept in rule.kept(there)}
    expected = {step for step in saved if step >= len(saved) - rule.last}
    if rule.daily:
        expected |= {s for s in saved if s + 1 not in saved or times[s + 1].date() != times[s].date()}
    scores = {step: one.score for step, one in saved.items() if one.score is not None}
    if rule.best and scores:
        top = (max if rule.higher else min)(scores.values())
        expected.add(max(step for step, score in scores.items() if score == top))
    assert {*there} == expected


def test_a_loss_that_is_not_finite_ends_the_run_and_names_the_good_checkpoint(tmp_path):
    source = Source()
    source.all[4]["y"] *= float("nan")
    with pytest.raises(TrainingDivergedError) as caught:
        train(tmp_path, source)
    assert "since training step 5" in str(caught.value)
    assert str(caught.value).endswith(f"the last good checkpoint is {tmp_path / 'checkpoints' / 'step-00000004'}")
    assert names(tmp_path / "checkpoints") == ["step-00000004"]


@pytest.mark.parametrize("background", [True, False])
def test_a_full_disk_is_said_in_words_and_leaves_the_former_checkpoint(background, tmp_path):
    when = Checkpoints(steps=2, background=background)
    train(tmp_path, steps=2, checkpoints=when)
    with files_of_at_most(10_000), pytest.raises(OSError) as caught:
        train(tmp_path, checkpoints=when, resume=True)
    assert re.search("perhaps because the disk is full|File too large", str(caught.value))
    assert latest_checkpoint(tmp_path / "checkpoints").name == "step-00000002"


def test_a_step_does_not_wait_for_the_device_between_two_looks(tmp_path):
    blind = Blind()
    source = Source(at={2: blind.__enter__, 9: lambda: blind.__exit__(None, None, None)})
    train(tmp_path, source, log_every=12, sample_every=12, checkpoints=Checkpoints())
    assert blind.largest > 0


def test_lines_are_plain_where_nobody_watches(tmp_path, capsys):
    train(tmp_path)
    first, last = capsys.readouterr().out.splitlines()
    assert re.fullmatch(rf"step 2 of {STEPS}, .* left  G \S+  D \S+", first)
    assert re.fullmatch(rf"step {STEPS} of {STEPS}, .*, 0:00:00 left  G \S+  D \S+", last)
    assert "\x1b" not in first + last


def test_curves_may_begin_later_and_end_earlier(tmp_path):
    curves = Curves(GRAPH)
    curves.add(1, {"generators/I2I2I": torch.tensor(3.0), "generators/total": torch.tensor(3.0)})
    curves.add(2, {"generators/K2G2K": torch.tensor(4.0), "discriminators/D_I(y*)": torch.tensor(1.0)})
    assert curves.of("G") == {"generators/I2I2I": [(1, 3.0)], "generators/K2G2K": [(2, 4.0)]}
    assert curves.of("D") == {"discriminators/D_I(y*)": [(2, 1.0)]}
    curves.draw(tmp_path / "losses.png")
    with Image.open(tmp_path / "losses.png") as drawn:
        assert len(drawn.convert("RGB").getcolors(1 << 20)) > 3


def test_what_is_watched_is_logged_drawn_and_resumed(tmp_path):
    modes = []

    def watch(model):
        modes.append(model.training)
        return {"looks": len(modes), "inside": {"weight": next(model.parameters()).sum()}}

    told = {"sample_every": 2, "watch": watch, "optimisation": Optimisation(), "trackers": ("tensorboard",)}
    train(tmp_path, steps=4, **told)
    assert modes == [False, False]
    with Image.open(tmp_path / "watched.png") as drawn:
        assert drawn.width > 2 * drawn.height
    train(tmp_path, steps=6, resume=True, **told)
    events = EventAccumulator(str(tmp_path / "events")).Reload()
    points = [(point.step, point.value) for point in events.Scalars("watched/looks")]
    assert points == [(2, 1), (4, 2), (6, 3)]
    curves = Curves(GRAPH)
    curves.load_state_dict(
        torch.load(latest_checkpoint(tmp_path / "checkpoints") / "training.pt", weights_only=True)["parts"]["curves"]
    )
    assert [(point["iteration"], point["looks"]) for point in curves.watched] == points
    assert set(curves.watched[0]) == {"iteration", "looks", "inside/weight"}


@pytest.mark.filterwarnings("ignore::cyclekit.errors.GraphWarning")  # DualGAN's critic, as published
@pytest.mark.parametrize("name", FAMILY)
def test_every_graph_has_its_picture(name):
    graph = FAMILY[name]
    model, batch = built(graph), batch_of(graph)
    numbers = torch.get_rng_state()
    picture = sample_picture(model, batch)
    assert picture.width > 64
    assert picture.height > 128
    assert model.training
    assert torch.equal(torch.get_rng_state(), numbers)
    assert sample_picture(model, batch).tobytes() == picture.tobytes()


@pytest.mark.parametrize("row", ["I2I2I", "I2I2I+K2G2K", "I2I2I+K2R2K", "full", "single_modal", "non_sharing"])
def test_rows_that_lack_signals_have_theirs(row):
    graph = papers.c2gan(row=row).graph
    assert sample_picture(built(graph), batch_of(graph)).height > 128


def test_the_rate_falls_as_linear_decay_has_it_and_each_network_has_its_own():
    own = Optimisation(rate=0.5, rates={"G_K": 0.25}, decay="linear", constant=3, decaying=5)
    model = model_of()
    optimizers = create_optimizers(model, lambda weights: own.create(model, weights))
    reference = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = linear_decay(reference, constant=3, decay=5)
    networks = {**model.generators, **model.discriminators}
    for step in range(8):
        own.set_rates(optimizers, step)
        rates = {id(w): group["lr"] for o in optimizers.values() for group in o.param_groups for w in group["params"]}
        for name, network in networks.items():
            expected = (0.25 if name == "G_K" else 0.5) * reference.param_groups[0]["lr"]
            assert [rates[id(weight)] for weight in network.parameters()] == pytest.approx(
                [expected] * len([*network.parameters()])
            )
        reference.step()
        schedule.step()


def test_rates_halve():
    assert [Optimisation(decay="halving", decaying=2).factor(step) for step in range(5)] == [1, 1, 0.5, 0.5, 0.25]


def test_what_cannot_be_optimised_is_refused():
    with pytest.raises(UnknownNameError, match="no optimiser 'Adamm'"):
        Optimisation(optimizer="Adamm")
    with pytest.raises(ValueError, match="rate: got -1"):
        Optimisation(rate=-1)
    with pytest.raises(GraphError, match="no network 'G_Z'"):
        Optimisation(rates={"G_Z": 1e-3}).create(model_of(), [])


@pytest.mark.parametrize("name", papers.list_papers())
def test_a_papers_recipe_is_what_fit_takes(name):
    recipe = papers.create_paper(name).recipe
    own = Optimisation.of(recipe, batches_per_epoch=10)
    assert own.end is None or own.end == (recipe.constant + recipe.decaying) * (10 if recipe.unit == "epochs" else 1)


def test_samples_may_be_given(tmp_path):
    given = {name: value[:1] for name, value in batches(GRAPH, samples=1)[0].items()}
    train(tmp_path / "one", steps=1, samples=given)
    train(tmp_path / "four", steps=1)
    with Image.open(tmp_path / "one" / "samples.png") as one, Image.open(tmp_path / "four" / "samples.png") as four:
        assert one.width == four.width
        assert one.height < four.height


@pytest.mark.parametrize(
    ("measured", "message"),
    [
        (1.0, "metrics: expected numbers by name"),
        ({"a": {"b": "c"}}, r"metrics\['a'\]\['b'\]: expected numbers by name"),
    ],
)
def test_metrics_that_are_no_numbers_are_named_and_the_model_is_there(measured, message, tmp_path):
    with pytest.raises(ArgumentError, match=message):
        train(tmp_path, steps=1, optimisation=Optimisation(), metrics=lambda model: measured)
    assert (tmp_path / "model" / "model.safetensors").is_file()


def test_metrics_may_be_tensors_and_what_is_no_number_is_null(tmp_path):
    metrics = {"a": torch.tensor(1.5), "b": float("nan")}
    result = train(tmp_path, steps=1, optimisation=Optimisation(), metrics=lambda model: metrics)
    assert result.metrics["a"] == 1.5
    assert json.loads((tmp_path / "metrics.json").read_text()) == {"a": 1.5, "b": None}


def test_a_model_that_ends_in_values_that_are_not_finite_is_no_success(tmp_path):
    with pytest.raises(TrainingDivergedError, match="not finite"):
        train(tmp_path, steps=1, optimisation=Optimisation(rate=1.7e308))


def test_data_that_end_are_named(tmp_path):
    with pytest.raises(ArgumentError, match="ended after 16 of 20 steps"):
        train(tmp_path, steps=20, optimisation=Optimisation())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trackers": "tensorboard"}, "expected a list of names, got the text 'tensorboard'"),
        ({"trackers": ["tensorbord"]}, "did you mean 'tensorboard'"),
        ({"optimisation": Optimisation(decay="linear", constant=1, decaying=1)}, "falls to 0 at step 2"),
    ],
)
def test_what_would_go_wrong_later_is_said_at_once(options, message, tmp_path):
    with pytest.raises(CycleKitError, match=message):
        train(tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("options", [{"optimizer": "LBFGS"}, {"betas": (1.5, 2)}, {"average": 1.5}, {"rate": "0.1"}])
def test_numbers_of_an_optimisation_that_cannot_be(options):
    with pytest.raises(ArgumentError):
        Optimisation(**options)
