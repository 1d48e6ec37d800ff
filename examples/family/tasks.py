"""What each model is trained on, and what it is asked afterwards, with the answer that is true."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import permutations
from typing import NamedTuple

import torch
from torch import Tensor

import animals
import goods
import hands
import landscapes
import streets
from cyclekit.graph import CycleGraph
from data.faces import MOVES, TRAITS, FacePairs
from drawn import Drawn
from scene import SIZE, Palette, boundaries, draw, numbers, on_top, outlines

SUMMER_WINTER = {"summer": landscapes.SUMMER, "winter": landscapes.WINTER}
DAY_NIGHT = {"day": landscapes.SUMMER, "night": landscapes.NIGHT}
SEASONS = {"summer": landscapes.SUMMER, "autumn": landscapes.AUTUMN, "winter": landscapes.WINTER}
HAIR = {"black": 0.0, "blond": 0.5, "red": 0.75}  # places in faces.HAIRS


class Counts(NamedTuple):
    """How many scenes are drawn.

    Args:
        train: To train on, of each side.
        test: To ask about; no scene is in both.
        seed: Everything that is drawn follows from it.
    """

    train: int = 400
    test: int = 48
    seed: int = 0

    def scenes(self, part: str, each: int) -> Tensor:
        """Return the numbers of a part's scenes: ``"test"``, or one that begins with ``"train"``."""
        return numbers(part, self.test if part == "test" else self.train, each, self.seed)


@dataclass(frozen=True)
class Question:
    """What a trained model is asked.

    Args:
        label: What is wanted, ``"summer to winter"``.
        given: The signals that it is given, by name, as a data set has them.
        answer: The signal that answers.
        truth: The true answers, bytes (scenes, 3, h, w).
        copied: What copying would answer, likewise.
        mean: The mean of the pictures of the answer's domain that it was trained on, (3, h, w) in [0, 1].
        shown: What a strip shows beside them, by title.
        masks: Masks that the model makes, with the true ones, bytes (scenes, 1, h, w).
    """

    label: str
    given: Mapping[str, Tensor]
    answer: str
    truth: Tensor
    copied: Tensor
    mean: Tensor
    shown: Mapping[str, Tensor]
    masks: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])


class Task(NamedTuple):
    """What a model is trained on, and what it is asked afterwards."""

    train: Drawn
    questions: list[Question]


MakeTask = Callable[[CycleGraph, Counts], Task]


def mean_of(pictures: Tensor) -> Tensor:
    """Return the mean of pictures in bytes, in [0, 1]."""
    return pictures.float().mean(0) / 255


def sketch_to_landscape(graph: CycleGraph, counts: Counts) -> Task:
    """Pairs of an outline and a summer."""

    def pairs(part: str) -> dict[str, Tensor]:
        layers = landscapes.landscapes(counts.scenes(part, landscapes.NUMBERS))
        return {"x": outlines(layers, landscapes.SUMMER), "y": draw(layers, landscapes.SUMMER)}

    train, test = pairs("train"), pairs("test")
    question = Question(
        "outlines to landscape", {"x": test["x"]}, "y*", test["y"], test["x"], mean_of(train["y"]), {"x": test["x"]}
    )
    return Task(Drawn(graph.domains, train), [question])


def classes_to_street(graph: CycleGraph, counts: Counts) -> Task:
    """Pairs of a map of classes with instances' boundaries, and a street; its copy has the classes' mean colours."""

    def pairs(part: str) -> dict[str, Tensor]:
        layers = streets.streets(counts.scenes(part, streets.NUMBERS))
        seen = on_top(layers, streets.CLASSES)
        return {"s": streets.classes(layers, seen), "e": boundaries(seen), "y": draw(layers, streets.PALETTE)}

    train, test = pairs("train"), pairs("test")
    colours = torch.stack(
        [train["y"].movedim(1, -1)[train["s"] == number].float().mean(0) for number in range(len(streets.CLASSES))]
    )
    painted = colours.round().byte()[test["s"]].movedim(-1, 1)
    given = {"s": test["s"], "e": test["e"]}
    shown = {"s": painted, "e": test["e"].expand(-1, 3, -1, -1)}
    question = Question("classes to street", given, "y*", test["y"], painted, mean_of(train["y"]), shown)
    return Task(Drawn(graph.domains, train), [question])


def domains(styles: Mapping[str, Palette], signals: str) -> MakeTask:
    """Return the task of two or more styles of landscape, each with scenes of its own, and every way between them.

    Args:
        styles: The palette of each style, by name.
        signals: The graph's signals of these styles, one after the other: ``"A B"``.
    """

    def make(graph: CycleGraph, counts: Counts) -> Task:
        named = dict(zip(signals.split(), styles, strict=True))

        def pictures(part: str, style: str) -> Tensor:
            return draw(landscapes.landscapes(counts.scenes(part, landscapes.NUMBERS)), styles[style])

        train = {signal: pictures(f"train {signal}", style) for signal, style in named.items()}
        test = {signal: pictures("test", style) for signal, style in named.items()}
        return Task(
            Drawn(graph.domains, *({signal: values} for signal, values in train.items())),
            _ways(graph, named, train, test),
        )

    return make


def _ways(
    graph: CycleGraph, named: Mapping[str, str], train: Mapping[str, Tensor], test: Mapping[str, Tensor]
) -> list[Question]:
    """Return a question for each way from one domain to another that the graph has."""
    found: list[Question] = []
    for source, target in permutations(named, 2):
        answer = f"{source}{target}" if f"{source}{target}" in graph.domains else f"{target}*"
        if answer in graph.domains:
            label, shown = f"{named[source]} to {named[target]}", {named[source]: test[source]}
            mean = mean_of(train[target])
            found.append(Question(label, {source: test[source]}, answer, test[target], test[source], mean, shown))
    return found


def bags_and_shoes(graph: CycleGraph, counts: Counts) -> Task:
    """Bags and shoes without pairs; the counterpart has the same colours, place and size."""

    def pictures(part: str, form: Callable[[Tensor], list]) -> Tensor:
        scenes = counts.scenes(part, goods.NUMBERS)
        return draw(form(scenes), goods.palette(scenes))

    named = {"A": "bag", "B": "shoe"}
    forms = {"A": goods.bags, "B": goods.shoes}
    train = {signal: pictures(f"train {signal}", form) for signal, form in forms.items()}
    test = {signal: pictures("test", form) for signal, form in forms.items()}
    return Task(
        Drawn(graph.domains, *({signal: values} for signal, values in train.items())), _ways(graph, named, train, test)
    )


def outline_to_shoes(graph: CycleGraph, counts: Counts) -> Task:
    """Pairs of an outline and a shoe of any colours; asked for one by its outline and a shoe of its colours."""

    def pairs(part: str) -> tuple[Tensor, Tensor, Tensor]:
        scenes = counts.scenes(part, goods.NUMBERS)
        layers, palette = goods.shoes(scenes), goods.palette(scenes)
        return outlines(layers, palette), draw(layers, palette), scenes

    lines, shoes, _ = pairs("train")
    asked, others, scenes = pairs("test")
    recoloured = draw(goods.shoes(scenes), goods.palette(scenes.roll(1, 0)))
    example = others.roll(1, 0)
    question = Question(
        "outline to shoe, coloured like another one",
        {"A": asked, "B": example},
        "B*",
        recoloured,
        example,
        mean_of(shoes),
        {"A": asked, "B": example},
    )
    return Task(Drawn(graph.domains, {"A": lines, "B": shoes}), [question])


def horses_and_zebras(graph: CycleGraph, counts: Counts) -> Task:
    """Horses and zebras without pairs, and where the animal is."""

    def pictures(part: str, palette: Palette) -> Tensor:
        return draw(animals.animals(counts.scenes(part, animals.NUMBERS)), palette)

    named, palettes = {"A": "horse", "B": "zebra"}, {"A": animals.HORSE, "B": animals.ZEBRA}
    train = {signal: pictures(f"train {signal}", palette) for signal, palette in palettes.items()}
    test = {signal: pictures("test", palette) for signal, palette in palettes.items()}
    layers = animals.animals(counts.scenes("test", animals.NUMBERS))
    coats = torch.stack([layer.cover for layer in layers if layer.name == "coat"]).amax(0)
    found = _ways(graph, named, train, test)
    masks = {"B*": "m", "A*": "n"}
    asked = [Question(**{**vars(way), "masks": {masks[way.answer]: (coats * 255).round().byte()}}) for way in found]
    return Task(Drawn(graph.domains, *({signal: values} for signal, values in train.items())), asked)


def labelled(pictures: Callable[[str, str, Counts], Tensor], values: Mapping[str, object]) -> MakeTask:
    """Return the task of pictures that have one of several labels, and are wanted with another one."""

    def make(graph: CycleGraph, counts: Counts) -> Task:
        names = list(values)
        train = {name: pictures(f"train {name}", name, counts) for name in names}
        test = {name: pictures("test", name, counts) for name in names}

        def numbered(name: str, like: Tensor) -> Tensor:
            return torch.full((len(like),), names.index(name))

        own = torch.cat([numbered(name, train[name]) for name in names])
        sides = {"x": torch.cat(list(train.values())), "c0": own}, {"c": torch.arange(len(names))}
        asked: list[Question] = []
        for source, target in permutations(names, 2):
            x = test[source]
            given = {"x": x, "c": numbered(target, x), "c0": numbered(source, x)}
            label, mean = f"{source} to {target}", mean_of(train[target])
            asked.append(Question(label, given, "y*", test[target], x, mean, {source: x}))
        return Task(Drawn(graph.domains, *sides), asked)

    return make


def _season(part: str, name: str, counts: Counts) -> Tensor:
    return draw(landscapes.landscapes(counts.scenes(part, landscapes.NUMBERS)), SEASONS[name])


def _hair(part: str, name: str, counts: Counts) -> Tensor:
    """Return faces of a part of the scenes before one wall, with hair of one colour."""
    traits, moves = counts.scenes(part, len(TRAITS) + len(MOVES)).split([len(TRAITS), len(MOVES)], dim=1)
    coloured = traits.clone()
    coloured[:, [TRAITS.index(trait) for trait in ("wall_angle", "wall_stripes", "wall_colour")]] = 0.5
    coloured[:, TRAITS.index("hair")] = HAIR[name]
    faces = FacePairs("test", SIZE, identities=1)
    return (faces.draw(coloured, moves - 0.5) * 255).round().byte()


seasons_by_label = labelled(_season, SEASONS)
hair_by_label = labelled(_hair, HAIR)


def gestures(graph: CycleGraph, counts: Counts) -> Task:
    """Pairs of one hand in two gestures, each with its skeleton."""

    def pairs(part: str) -> dict[str, Tensor]:
        traits, before, after = counts.scenes(part, hands.TRAITS + 2 * hands.MOVES).split(
            [hands.TRAITS, hands.MOVES, hands.MOVES], dim=1
        )
        x, y = hands.hands(traits, before), hands.hands(traits, after)
        return {"x": x.pictures, "y": y.pictures, "Lx": x.skeletons, "Ly": y.skeletons}

    train, test = pairs("train"), pairs("test")
    given, shown = {"x": test["x"], "Ly": test["Ly"]}, {"x": test["x"], "Ly": test["Ly"]}
    question = Question("gesture to gesture", given, "y*", test["y"], test["x"], mean_of(train["y"]), shown)
    return Task(Drawn(graph.domains, train), [question])
