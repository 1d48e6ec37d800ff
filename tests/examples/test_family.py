"""The family: what is drawn is true, every model trains on it and is scored, and its page has all of them."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import animals
import goods
import hands
import landscapes
import page
import run
import streets
from cyclekit import NetworkSpec
from cyclekit.keypoints import HAND_21
from data.shapes import pixel_grid
from members import MEMBERS, Member
from scene import SIZE, boundaries, draw, numbers, on_top, outlines
from score import ask, score
from tasks import Counts

ROOT = Path(__file__).resolve().parents[2]
FEW = Counts(train=4, test=4)
SMALL = (32, 32)

parts = st.sampled_from(["train", "train A", "train B", "train summer", "test"])
seeds = st.integers(0, 2**20)


def task_of(name: str, counts: Counts = FEW):
    return MEMBERS[name].task(MEMBERS[name].paper.graph, counts)


@settings(max_examples=20)
@given(parts, parts, seeds, seeds)
def test_scenes_follow_from_part_and_seed_alone(one: str, other: str, seed: int, another: int) -> None:
    first = numbers(one, 3, 5, seed)
    assert torch.equal(first, numbers(one, 3, 5, seed))
    assert torch.equal(first, numbers(one, 7, 5, seed)[:3])  # more scenes leave the first ones as they are
    if (one, seed) != (other, another):
        assert not torch.isin(first, numbers(other, 3, 5, another)).all()


WORLDS = {
    "summer": (landscapes.landscapes, landscapes.NUMBERS, landscapes.SUMMER),
    "night": (landscapes.landscapes, landscapes.NUMBERS, landscapes.NIGHT),
    "street": (streets.streets, streets.NUMBERS, streets.PALETTE),
    "horse": (animals.animals, animals.NUMBERS, animals.HORSE),
    "zebra": (animals.animals, animals.NUMBERS, animals.ZEBRA),
}


@pytest.mark.parametrize("world", WORLDS)
@settings(max_examples=5)
@given(seed=seeds)
def test_a_palette_paints_what_is_on_top(world: str, seed: int) -> None:
    make, each, palette = WORLDS[world]
    layers = make(numbers("test", 2, each, seed), SMALL)
    picture = draw(layers, palette).float() / 255
    seen = on_top(layers, tuple(palette))
    for place, layer in enumerate(layers):
        if layer.name not in palette:
            continue
        later = [other.cover for other in layers[place + 1 :] if other.name in palette]
        alone = (layer.cover == 1) & (torch.stack([torch.zeros_like(layer.cover), *later]).amax(0) == 0)
        dark, light = (torch.tensor(colour).view(1, 3, 1, 1) for colour in palette[layer.name])
        wanted = dark + (light - dark) * layer.shade.clamp(0, 1)
        assert ((picture - wanted).abs() * alone).max() <= 0.5 / 255 + 1e-6
        assert (seen[alone[:, 0]] == place).all()


@settings(max_examples=5)
@given(seeds)
def test_seasons_differ_in_colour_and_in_nothing_else(seed: int) -> None:
    layers = landscapes.landscapes(numbers("test", 2, landscapes.NUMBERS, seed), SMALL)
    lines = [outlines(layers, palette) for palette in (landscapes.SUMMER, landscapes.WINTER, landscapes.NIGHT)]
    assert torch.equal(lines[0], lines[1])
    assert torch.equal(lines[0], lines[2])
    summer, night = (draw(layers, palette).float().mean() for palette in (landscapes.SUMMER, landscapes.NIGHT))
    assert night < summer / 2


@settings(max_examples=5)
@given(seeds)
def test_a_zebra_is_a_horse_but_for_its_coat_and_hair(seed: int) -> None:
    layers = animals.animals(numbers("test", 2, animals.NUMBERS, seed), SMALL)
    horse, zebra = (draw(layers, palette) for palette in (animals.HORSE, animals.ZEBRA))
    body = torch.stack([layer.cover for layer in layers if layer.name in ("coat", "mane")]).amax(0)
    assert not ((horse != zebra).any(1, keepdim=True) & (body == 0)).any()
    coat = torch.stack([layer.cover for layer in layers if layer.name == "coat"]).amax(0)
    seen = torch.tensor([layer.name in ("coat", "stripe") for layer in layers])[on_top(layers, tuple(animals.ZEBRA))]
    assert (horse != zebra).any(1)[seen & (coat[:, 0] == 1)].all()


def test_boundaries_are_where_numbers_change() -> None:
    index = torch.tensor([[[0, 0, 1], [0, 0, 1], [2, 2, 2]]])
    assert boundaries(index).tolist() == [[[[0, 255, 0], [255, 255, 255], [0, 0, 0]]]]


def test_classes_and_boundaries_of_a_street_are_those_of_its_picture() -> None:
    layers = streets.streets(numbers("test", 3, streets.NUMBERS, 0))
    seen = on_top(layers, streets.CLASSES)
    classes = streets.classes(layers, seen)
    assert set(classes.unique().tolist()) <= set(range(len(streets.CLASSES)))
    for name in ("sky", "wall", "road", "car"):
        where = classes == streets.CLASSES.index(name)
        assert where.flatten(1).any(1).all()
    assert (boundaries(classes) <= boundaries(seen)).all()  # two houses side by side are one class and two instances
    assert (boundaries(classes) < boundaries(seen)).any()


@settings(max_examples=5)
@given(seeds)
def test_a_shoe_and_a_bag_of_one_number_have_its_colours(seed: int) -> None:
    scenes = numbers("test", 2, goods.NUMBERS, seed)
    repainted = torch.cat([1 - scenes[:, :2], scenes[:, 2:]], dim=1)
    for form in (goods.shoes, goods.bags):
        palette = goods.palette(scenes)
        assert torch.equal(outlines(form(scenes), palette), outlines(form(repainted), palette))
        one, other = draw(form(scenes), palette), draw(form(scenes), goods.palette(repainted))
        changed = (one != other).any(1)
        coloured = torch.stack([layer.cover for layer in form(scenes) if layer.name in ("leather", "trim")]).amax(0)
        assert not changed[coloured[:, 0] == 0].any()


def test_a_hand_is_where_its_joints_are() -> None:
    traits, moves = numbers("who", 8, hands.TRAITS, 0), numbers("what", 8, hands.MOVES, 0)
    pale, dark = traits.clone(), traits.clone()
    pale[:, 2], dark[:, 2] = 0, 1
    drawn, other = hands.hands(pale, moves), hands.hands(dark, moves)
    assert drawn.joints.shape == (8, len(HAND_21), 2)
    assert torch.equal(drawn.skeletons, other.skeletons)
    skin = (drawn.pictures != other.pictures).any(1)
    wrists_on = [joint for joint in range(len(HAND_21)) if joint != 0]  # the sleeve may reach the wrist
    for hand, joints in enumerate(drawn.joints):
        for joint in wrists_on:
            x, y = joints[joint].round().long().tolist()
            if 0 <= x < SIZE[1] and 0 <= y < SIZE[0]:
                assert skin[hand, y, x], (hand, HAND_21.joints[joint])
    corner = pixel_grid(SIZE)[0, 0]
    assert corner.tolist() == pytest.approx([-1 + 1 / 64, -1 + 1 / 64])
    assert not skin[:, 0, 0].any()


def test_gestures_are_of_one_hand() -> None:
    sample = task_of("gesturegan").train[0]
    assert not torch.equal(sample["x"], sample["y"])
    assert torch.equal(sample["x"][:, :4, :4], sample["y"][:, :4, :4])  # the wall behind it


@pytest.mark.parametrize("name", MEMBERS)
def test_tasks_are_deterministic_and_their_splits_disjoint(name: str) -> None:
    task, again = task_of(name), task_of(name)
    graph = MEMBERS[name].paper.graph
    noise = {signal for signal in graph.inputs if type(graph.domains[signal]).__name__ == "Noise"}
    assert set(task.train.signals) == set(graph.inputs) - noise
    for index in range(len(task.train)):
        assert all(torch.equal(value, again.train[index][signal]) for signal, value in task.train[index].items())
    sides = [pictures_of(side) for side in task.train.sides]
    trained = set().union(*sides)
    for number, side in enumerate(sides):
        assert not any(side & other for other in sides[number + 1 :])
    assert len({question.label for question in task.questions}) == len(task.questions) > 0
    for question, same in zip(task.questions, again.questions, strict=True):
        assert torch.equal(question.truth, same.truth)
        assert question.truth.dtype == torch.uint8
        assert question.truth.shape == question.copied.shape == (FEW.test, 3, *SIZE)
        assert not torch.equal(question.truth, question.copied)
        assert not trained & pictures_of({"truth": question.truth})
        assert question.answer in graph.domains


def pictures_of(signals: Mapping[str, torch.Tensor]) -> set[bytes]:
    """Return the pictures among signals, which labels are not."""
    return {value.numpy().tobytes() for values in signals.values() if values.ndim > 1 for value in values}


def tiny(member: Member) -> Member:
    """Return a member that trains for two steps on narrow networks."""

    def narrow(choice):
        if isinstance(choice, NetworkSpec):
            options = {**choice.options, "base_channels": 4} if "base_channels" in choice.options else choice.options
            return NetworkSpec(choice.name, **options)
        return {name: narrow(spec) for name, spec in choice.items()}

    return replace(
        member,
        generators=narrow(member.generators),
        discriminators=narrow(member.discriminators),
        steps=2,
        batch=1,
    )


@pytest.mark.parametrize("name", MEMBERS)
def test_every_model_takes_two_steps_and_is_scored(name: str, tmp_path: Path) -> None:
    member = tiny(MEMBERS[name])
    result = run.train(name, member, FEW, tmp_path / name)
    assert [*result["scores"]] == [question.label for question in task_of(name).questions]
    for scores in result["scores"].values():
        assert [*scores] == ["model", "copy", "mean"]
        assert all(math.isfinite(value) for one in scores.values() for value in one.values())
    assert result["steps"] == 2
    with Image.open(tmp_path / name / run.STRIP) as strip:
        assert strip.width > 200
    assert json.loads((tmp_path / name / run.RESULT).read_text()) == result


def test_a_finished_model_is_not_trained_again_and_one_without_scores_is_scored(tmp_path: Path) -> None:
    member, out = tiny(MEMBERS["pix2pix"]), tmp_path / "pix2pix"
    first = run.train("pix2pix", member, FEW, out)
    written = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    assert run.train("pix2pix", member, FEW, out) == first
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()} == written
    with pytest.raises(SystemExit, match="trained otherwise"):
        run.train("pix2pix", replace(member, rate=1.0), FEW, out)
    (out / run.RESULT).unlink()  # as of a run that was stopped when it had been trained
    assert run.train("pix2pix", member, FEW, out)["scores"] == first["scores"]


def test_critics_weights_are_clipped_while_training_and_not_afterwards() -> None:
    critic = torch.nn.Linear(4, 4)
    optimizer = torch.optim.SGD(critic.parameters(), lr=100.0)
    for bound, inside in ((0.01, True), (None, False)):
        with run.clipped(critic, bound):
            critic(torch.ones(1, 4)).sum().backward()
            optimizer.step()
        assert (max(weight.abs().max().item() for weight in critic.parameters()) <= 0.011) is inside


def test_scores_are_of_the_pictures_that_are_shown() -> None:
    question = task_of("cyclegan").questions[0]
    model = run.build(tiny(MEMBERS["cyclegan"]))
    scores = score(model, question)
    for name, answer in (("copy", question.copied / 255), ("mean", question.mean.expand(4, -1, -1, -1))):
        errors = (answer.double() - question.truth.double() / 255).square().mean((1, 2, 3))
        assert scores[name]["psnr"] == pytest.approx((-10 * errors.log10()).mean().item(), abs=1e-3)
    made = ask(model, question)["B*"]
    assert made.min() >= 0
    assert made.max() <= 1
    errors = (made.double() - question.truth.double() / 255).square().mean((1, 2, 3))
    assert scores["model"]["psnr"] == pytest.approx((-10 * errors.log10()).mean().item(), abs=1e-3)


def test_an_unknown_model_is_named() -> None:
    with pytest.raises(SystemExit, match="no 'pix3pix'"):
        run.main(["pix3pix"])


def test_the_page_has_the_models_of_the_table_in_its_order() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    inside = text.split(page.BEGIN)[1].split(page.END)[0]
    rows = re.findall(r"^\| \[(.*?)\]\(#(\w+)\) \| (.*?) \|.*\| ([\d,]+) \| \d+ \|$", inside, re.MULTILINE)
    (waiting,) = re.findall(r"^Not trained yet: (.*)\.$", inside, re.MULTILINE) or [""]
    trained = {name: member for name, member in MEMBERS.items() if member.title not in waiting.split(", ")}
    wanted = [(member.title, name, member.asked, f"{member.steps:,}") for name, member in trained.items()]
    assert rows == wanted, "run `make family`"
    assert re.findall(r"^### .* \{#(\w+)\}$", inside, re.MULTILINE) == [*trained]
    for name in trained:
        assert f"images/family/{name}.png" in inside
        assert f"python examples/family/run.py {name}\n" in inside
        assert (page.PICTURES / f"{name}.png").stat().st_size < 200_000
    assert {path.stem for path in page.PICTURES.glob("*.png")} == set(trained)


def test_a_page_is_not_written_of_nothing(tmp_path: Path) -> None:
    before = page.PAGE.read_bytes()
    with pytest.raises(SystemExit, match="no finished model"):
        page.main(["--out", str(tmp_path)])
    assert page.PAGE.read_bytes() == before
