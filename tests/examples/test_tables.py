"""The paper's tables: every row trains, is measured and drawn, and goes on after it was stopped."""

import csv
import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import evaluate
import prepare
import tables
from comparison.baselines import faces, persons
from comparison.files import IMAGES, Column, Figure, Line, Result, Table, differences, mean_and_spread, to_csv, to_latex
from comparison.pictures import norms_of, shares_of
from comparison.variants import Fed, Row, Setup, ablations
from cyclekit import Heatmap, Landmarks, Noise, papers
from cyclekit.training import AdversarialStep, create_optimizers
from measuring.gradients import GradientLog, Pull, gradient_norms, read_pulls
from measuring.scoring import reader_of
from recipe import Preset

ROWS = ["I2I2I", "I2I2I+K2G2K", "I2I2I+K2R2K", "full", "single_modal", "non_sharing"]
MARKS = "<!-- tables.py: table-1-official -->", "<!-- end of table-1-official -->"
TINY = ["--steps", "2", "--batch", "2", "--base-channels", "4"]


def scores(run: Path) -> dict[str, float]:
    return json.loads((run / "result.json").read_text())["scores"]


@pytest.fixture(scope="module")
def variants(composites: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Table 1 on two test pairs: two rows with two seeds, stopped by Ctrl-C and taken up again, then all with one."""
    out = tmp_path_factory.mktemp("tables")
    data = ["1", "--data", str(composites), "--out", str(out), *TINY]
    two = [*data, "--seeds", "2", "--rows", "I2I2I", "full"]
    first = out / "table-1" / "I2I2I" / "seed-0" / "result.json"

    batches = Fed.batches

    def interrupted(*arguments: Any, **options: Any) -> Iterator[dict[str, torch.Tensor]]:
        for batch in batches(*arguments, **options):
            if first.is_file():  # the second row is being trained
                signal.raise_signal(signal.SIGINT)
            yield batch

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Fed, "batches", interrupted)
        with pytest.raises(SystemExit) as ended:
            tables.main(two)
    assert ended.value.code == 130 or "interrupted; the same command goes on" in str(ended.value.code)
    assert not (out / "table-1" / "table.md").exists()

    def written() -> dict[Path, int]:
        return {file: file.stat().st_mtime_ns for file in out.rglob("result.json")}

    before = written()
    tables.main(two)
    (out / "table-1" / "table.csv").rename(out / "two.csv")
    (out / "table-1" / "differences.csv").rename(out / "two-differences.csv")
    after = written()
    assert 1 <= len(before) < len(after) == 4
    (out / "results.md").write_text(f"before\n{MARKS[0]}\nold\n{MARKS[1]}\nafter\n")
    tables.main([*data, "--seeds", "1", "--page", str(out / "results.md")])
    assert len(written()) == 8
    assert written().items() >= after.items() >= before.items()  # what is finished is not trained again
    return out


def test_every_row_leaves_a_run_with_pictures_that_can_be_evaluated(
    variants: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for row in ROWS:
        run = variants / "table-1" / row / "seed-0"
        for picture in ("samples.png", "losses.png"):
            assert (run / picture).stat().st_size > 5000
    for row in ("I2I2I", "I2I2I+K2R2K", "non_sharing"):  # without G_K, without Ly*, with G_K by another name
        run = variants / "table-1" / row / "seed-0"
        evaluate.main(["--run", str(run)])
        measured = json.loads((run / "evaluation" / "summary.json").read_text())["C2GAN"]
        assert measured["PSNR"]["mean"] == pytest.approx(scores(run)["PSNR"], rel=1e-5)
        assert ("dots F1 of G_K in y" in measured) == (row != "I2I2I")
    assert "this run has no G_K" in capsys.readouterr().out


def test_means_and_spreads_are_those_of_the_seeds(variants: Path) -> None:
    with (variants / "two.csv").open(newline="") as file:
        lines = {line["row"]: line for line in csv.DictReader(file)}
    assert list(lines) == ["I2I2I", "I2I2I+K2G2K+K2R2K", "copy of x", "mean target"]
    values = {
        row: np.array([[scores(variants / "table-1" / row / f"seed-{n}")[m] for m in ("PSNR", "SSIM")] for n in (0, 1)])
        for row in ("I2I2I", "full")
    }
    assert (values["full"][0] != values["full"][1]).all()  # two seeds are two runs
    for title, row in (("I2I2I", "I2I2I"), ("I2I2I+K2G2K+K2R2K", "full")):
        line = lines[title]
        assert [float(line["PSNR"]), float(line["SSIM"])] == pytest.approx(values[row].mean(0))
        assert [float(line["PSNR spread"]), float(line["SSIM spread"])] == pytest.approx(values[row].std(0, ddof=1))
    assert [lines["I2I2I"][f"{name} (paper)"] for name in ("AMT", "PSNR", "SSIM")] == ["25.3", "21.203", "0.8449"]
    assert lines["I2I2I"]["G_K: F1 in y*"] == ""
    with (variants / "two-differences.csv").open(newline="") as file:
        (line,) = csv.DictReader(file)
    paired = values["full"] - values["I2I2I"]
    assert float(line["SSIM"]) == pytest.approx(paired[:, 1].mean())
    assert float(line["SSIM spread"]) == pytest.approx(paired[:, 1].std(ddof=1))
    assert float(line["PSNR (paper)"]) == pytest.approx(21.6262 - 21.2030)


def test_the_table_is_the_same_in_its_three_forms(variants: Path) -> None:
    folder = variants / "table-1"
    with (folder / "table.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    titles = [*(line["row"] for line in lines)]
    assert titles[:6] == [*ROWS[:3], "I2I2I+K2G2K+K2R2K", "single-modal D", "non-sharing G"]

    def markdown() -> list[list[str]]:
        rows = [line.strip("| ").split(" | ") for line in (folder / "table.md").read_text().splitlines()]
        return [row[:3] for row in rows[2:]]

    def latex() -> list[list[str]]:
        text = (folder / "table.tex").read_text()
        body = text[text.index(r"\midrule") : text.index(r"\bottomrule")].splitlines()[1:]
        return [line.removesuffix(r" \\").replace(r"\_", "_").split(" & ")[:3] for line in body]

    wanted = [[line["row"], f"{float(line['PSNR']):.2f}", f"{float(line['SSIM']):.3f}"] for line in lines]
    assert markdown() == wanted
    assert latex() == wanted


def test_a_page_gets_the_table_and_its_pictures(variants: Path) -> None:
    text = (variants / "results.md").read_text()
    assert text.startswith(f"before\n{MARKS[0]}\n\n```bash\npython examples/c2gan/tables.py 1 --out {variants} --data ")
    assert text.endswith(f"\n\n{MARKS[1]}\nafter\n")
    assert "old" not in text
    assert (variants / "table-1" / "table.md").read_text() in text
    pictures = re.findall(r"\]\((images/results/table-1-official-\w+\.png)\)", text)
    assert len(pictures) == 2
    assert all((variants / picture).stat().st_size > 5000 for picture in pictures)


def test_others_train_on_faces(composites: Path, tmp_path: Path) -> None:
    tables.main(
        ["2", "--data", str(composites), "--out", str(tmp_path), *TINY, "--seeds", "1", "--rows", "gpgan", "pg2"]
    )
    run = tmp_path / "table-2" / "pg2" / "seed-0"
    weights = [evaluate.load_run(stage)[0].generators["G_1"].state_dict() for stage in (run / "first", run)]
    assert all(torch.equal(weights[0][name], value) for name, value in weights[1].items())
    assert "GPGAN" in (tmp_path / "table-2" / "table.md").read_text()


def test_others_train_on_persons(market: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "manifest"
    prepare.main(
        [
            *("--dataset", "market", "--annotations", str(market / "annotations.csv")),
            *("--images", str(market / "images"), "--out", str(manifest), "--hold-out", "0.2"),
        ]
    )
    with pytest.raises(SystemExit, match="holds persons: they are for Table 3, not 1"):
        tables.main(["1", "--data", str(manifest), "--out", str(tmp_path)])
    command = ["3", "--data", str(manifest), "--size", "64", "32", "--out", str(tmp_path), *TINY, "--seeds", "1"]
    tables.main([*command, "--rows", "dpig_drawn", "posegan"])
    lines = (tmp_path / "table-3" / "table.md").read_text().splitlines()
    assert [re.split(r" *\| *", line)[1] for line in lines[2:]] == [
        *("DPIG, appearance drawn", "PoseGAN", "copy of x", "mean target")
    ]
    run = tmp_path / "table-3" / "posegan" / "seed-0"
    evaluate.main(["--run", str(run)])  # its warp is found again
    measured = json.loads((run / "evaluation" / "summary.json").read_text())["C2GAN"]
    assert measured["mask-SSIM posegan"]["mean"] == pytest.approx(scores(run)["mask-SSIM posegan"], rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["1", "--seeds", "0"], "--seeds 0: must be 1 or more"),
        (["1", "--rows", "everything"], "Table 1 has no such row; it has I2I2I, "),
        (["2", "--learning-rate", "-1"], "--learning-rate -1.0: must be a positive number"),
        (["1", "--page", "absent.md"], f"--page absent.md: expected the marks {MARKS[0]} and {MARKS[1]}"),
        (["1", "--size", "1", "2", "3"], "expected a height and a width, or one number"),
        (["1", "--inception", "absent.pth"], "--inception absent.pth: there is no such file"),
        (["3", "--data", "COMPOSITES"], "holds no manifest, and Table 3 needs joints as points"),
        (["1", "--data", "COMPOSITES", "--batch", "500"], "--batch 500 is more than the 8 training pairs"),
        (["1", "--data", "COMPOSITES", "--size", "40"], "40"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(
    arguments: list[str], message: str, composites: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(SystemExit) as ended:
        tables.main([*(str(composites) if word == "COMPOSITES" else word for word in arguments), "--out", str(out)])
    said = str(ended.value.code)
    assert said.startswith("error: ")
    assert message in said
    assert "\n" not in said
    assert not out.exists()


def test_a_row_that_was_trained_otherwise_is_refused(variants: Path, composites: Path) -> None:
    command = ["1", "--data", str(composites), "--out", str(variants), *TINY, "--seeds", "1"]
    with pytest.raises(SystemExit, match=r"I2I2I/seed-0 was trained with other stages: choose another --out"):
        tables.main([*command, "--pixel-weight", "10"])
    with pytest.raises(SystemExit, match=r"was trained with other learning_rate: choose another --out"):
        tables.main([*command, "--learning-rate", "0.002"])


def test_the_rows_are_those_that_the_library_knows() -> None:
    setup = Setup(Landmarks(3), (64, 64), "official", "sharp", 4, 10)
    graphs = {name: row.stages[0].graph for name, row in ablations(setup).items()}
    assert graphs == {name: papers.c2gan(Landmarks(3), row=name).graph for name in ROWS}


def test_the_reader_of_a_row_is_its_own_g_k() -> None:
    def reader(preset: Preset, row: str) -> str | None:
        stage = ablations(Setup(Landmarks(3), (64, 64), preset, "sharp", 2, 10))[row].stages[0]
        with torch.device("meta"):
            model = stage.build((64, 64))
        found = reader_of(model)
        return next((name for name, network in model.generators.items() if network is found), None)

    assert [reader("official", row) for row in ROWS] == [None, "G_K", "G_K", "G_K", "G_K", "G_K_1"]
    assert reader("supervised", "I2I2I") == "G_K"  # which learns on real images alone


@pytest.mark.parametrize("preset", ["official", "paper", "supervised"])
def test_every_stage_is_fed_all_that_it_takes(preset: Preset) -> None:
    for keypoints, all_rows in ((Landmarks(3), (ablations, faces)), (Heatmap(18), (persons,))):
        setup = Setup(keypoints, (64, 64), preset, "sharp", 2, 10)
        shapes = {"x": 3, "y": 3, "Lx": keypoints.channels, "Ly": keypoints.channels}
        batch = {name: torch.zeros(1, channels, 64, 64) for name, channels in shapes.items()}
        for stage in (stage for rows in all_rows for row in rows(setup).values() for stage in row.stages):
            graph = stage.graph
            wanted = {name for name in graph.inputs if not isinstance(graph.domains[name], Noise)}
            assert wanted <= stage.feed(batch).keys(), stage


def test_a_mean_of_one_has_no_spread_and_nan_does_not_count() -> None:
    nan = float("nan")
    assert mean_and_spread([1.0, 4.0, nan]) == Figure(2.5, pytest.approx(4.5**0.5))
    assert np.isnan(mean_and_spread([3.0]).spread)
    assert np.isnan(mean_and_spread([nan]).mean)


def test_differences_are_taken_seed_by_seed() -> None:
    rows = {name: Row(title=name, stages=(), published={"PSNR": paper}) for name, paper in (("a", 1.0), ("b", 3.0))}
    values = {"a": (1.0, 5.0), "b": (2.0, 6.5)}
    results = {name: [Result({"PSNR": value}, 1.0, "") for value in found] for name, found in values.items()}
    (line,) = differences(rows, results, "a", IMAGES[:1]).lines
    assert line.figures["PSNR"] == Figure(1.25, pytest.approx(0.5 / 2**0.5))
    assert line.published == {"PSNR": 2.0}


def test_names_survive_latex_and_csv() -> None:
    column = Column("50% & more_y*", "m", 1)
    table = Table((column,), (), (Line('a, "b" & c_d', 2, {column.title: Figure(1.25, 0.5)}, {}),))
    latex = to_latex(table).splitlines()
    assert latex[2] == r" & 50\% \& more\_y* & seeds \\"
    assert latex[4] == r'a, "b" \& c\_d & 1.2 $\pm$ 0.5 & 2 \\'
    assert list(csv.reader(to_csv(table).splitlines()))[1] == ['a, "b" & c_d', "1.25", "0.5", "2"]


def test_looking_at_gradients_changes_nothing_and_is_resumed(tmp_path: Path) -> None:
    """A model trained beside a log ends as one without, and the log has what `gradient_norms` gives."""
    stage = ablations(Setup(Landmarks(3), (64, 64), "official", "sharp", 2, 10))["full"].stages[0]
    numbers = torch.Generator().manual_seed(0)
    batches = [{n: torch.rand(2, 3, 64, 64, generator=numbers) * 2 - 1 for n in stage.graph.inputs} for _ in range(3)]

    class Source:
        def batches(self, start=0, *, device="cpu", processes=1, process=0):
            yield from batches[start:]

    def trained(logged: bool):
        torch.manual_seed(0)
        model = stage.build((64, 64))
        log = GradientLog(Source(), model, ["G_I"], batches[0], 2, tmp_path / "gradients.csv")
        step = AdversarialStep(model, create_optimizers(model, lambda weights: torch.optim.SGD(weights, 1e-3)))
        for batch in (log if logged else Source()).batches():
            step(batch)
        return model, log

    model, log = trained(logged=True)
    plain, _ = trained(logged=False)
    assert all(torch.equal(value, plain.state_dict()[name]) for name, value in model.state_dict().items())
    assert [pull.step for pull in read_pulls(tmp_path / "gradients.csv")] == [0] * 8 + [2] * 8
    log.look(2)
    found = [pull for pull in read_pulls(tmp_path / "gradients.csv") if pull.step == 2]
    norms = gradient_norms(model, batches[0], "G_I")
    assert {pull.term: pull.norm for pull in found} == pytest.approx(norms, rel=1e-4)
    assert norms["K2G2K"] > 0


def test_shares_are_of_all_terms_and_two_networks_are_one() -> None:
    def run(a: float, also_a: float, b: float) -> list[Pull]:
        return [Pull(0, "G_I_1", "a", a), Pull(0, "G_I_2", "a", also_a), Pull(0, "G_I_1", "b", b)]

    runs = [run(3, 4, 5), run(0, 0, 10)]
    norms = norms_of(runs)
    assert norms == {"a": {0: 2.5}, "b": {0: 7.5}}
    assert shares_of(norms) == {"a": 0.25, "b": 0.75}
