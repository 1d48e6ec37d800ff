"""Measure whether G_I paints the landmarks' dots onto the face, where G_K reads them back.

python examples/c2gan/painting.py
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # while Python imports, Ctrl-C ends at once, without a traceback

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import torch
import tyro
from accelerate.utils import set_seed
from matplotlib import pyplot as plt
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.utils.data import default_collate

from cyclekit import CycleGraph, CycleModel, Landmarks, NetworkSpec
from cyclekit.metrics import psnr, ssim
from cyclekit.papers import c2gan
from cyclekit.papers.paper import Networks
from cyclekit.training import AdversarialStep, create_optimizers, linear_decay
from data.faces import FacePairs
from data.sources import ShuffledPairs
from errors import clear_errors, make_folder
from measuring.gradients import gradient_norms
from measuring.reading import READ, dot_contrast, dots_read
from report import whole_file

SIZE = (64, 64)
KEYPOINT_TERMS = ("K2G2K", "K2R2K", "real_y", "real_x")
JUDGE = "judge"
SHOWN = (0, 100, 250)
"""Test pairs in the picture."""


@dataclass
class Options:
    """Train C2GAN on the embedded faces in several ways, and find out which of them paint."""

    out: Path = Path("runs/painting")
    """Where models, figures and the picture go; what has been trained there is not trained again."""
    ways: tuple[str, ...] = ()
    """Which ones; all where none is given."""
    steps: int = 600
    """Training steps of each; the rate falls to 0 over their second half."""
    seed: int = 0
    """Of weights and data order."""
    check: bool = False
    """Two steps and a few pairs, to see that everything runs."""


@dataclass(frozen=True)
class Way:
    """What is trained.

    Args:
        title: What it is, in words.
        graph: The model.
        networks: A spec for each network.
        batch: Samples a step.
    """

    title: str
    graph: CycleGraph
    networks: Networks
    batch: int


def ways() -> dict[str, Way]:
    """Return what is compared, the judge first: how G_K learns, and how much its cycles weigh."""
    paper = c2gan(Landmarks(3), "supervised")
    graph, recipe = paper.graph, paper.recipe
    patchgan = NetworkSpec("patchgan_16", base_channels=16, norm="batch", init="normal")
    small: Networks = {**recipe.generators, **dict.fromkeys(recipe.discriminators, patchgan)}
    preset: Networks = {**recipe.generators, **recipe.discriminators}
    released = c2gan(Landmarks(3), "official", pixel_weight=100).graph
    thirty_two = {"base_channels": 32, "init": "c2gan"}
    large: Networks = dict.fromkeys(released.generators, NetworkSpec("unet_64", **thirty_two))
    large = {**large, **dict.fromkeys(released.discriminators, NetworkSpec("patchgan_70", **thirty_two))}
    judge = CycleGraph(
        {name: graph.signals[name] for name in ("y", "Ly")},
        losses="real_y: y -G_K-> _ ~ Ly",
        criteria={"real_y": graph.criteria["real_y"]},
    )
    return {
        JUDGE: Way("a G_K that sees real images alone", judge, small, 8),
        "none": Way("no G_K", graph.without(*KEYPOINT_TERMS), small, recipe.batch),
        "released": Way("as released: G_K learns in the cycles", released, large, 8),
        "painter": Way(
            "G_K learns on real images and in cycles of weight 10", _weighed(graph, 10), small, recipe.batch
        ),
        "lighter": Way("the same, cycles of weight 1", _weighed(graph, 1), small, recipe.batch),
        "held": Way("the same, G_K held in the cycles", _held(_weighed(graph, 1)), small, recipe.batch),
        "supervised": Way("preset supervised: cycles and D_K of weight 0.1", graph, preset, recipe.batch),
    }


def _weighed(graph: CycleGraph, weight: float) -> CycleGraph:
    """Return a graph whose keypoint cycles have a weight, and its D_K the usual one."""
    cycles, judges = ("K2G2K", "K2R2K"), ("D_K(Ly*)", "D_K(Lx*)")
    return graph.replace(weights={**graph.weights, **dict.fromkeys(cycles, weight), **dict.fromkeys(judges, 1)})


def _held(graph: CycleGraph) -> CycleGraph:
    """Return a graph in which G_K learns on real images alone, and judges generated ones as it is."""
    return graph.replace(cycles=graph.cycles.replace("-G_K->", "-stop(G_K)->"))


def trained(way: Way, folder: Path, pairs: FacePairs, options: Options) -> CycleModel:
    """Train a model, or take up the one that is there."""
    if (folder / "seconds.json").is_file():
        return CycleModel.from_pretrained(folder)
    set_seed(options.seed)
    specs = {name: spec for name, spec in way.networks.items() if spec is not None}
    model = way.graph.build(
        generators={name: specs[name] for name in way.graph.generators},
        discriminators={name: specs[name] for name in way.graph.discriminators},
        size=SIZE,
    )
    optimizers = create_optimizers(model, lambda weights: torch.optim.Adam(weights, 1e-3, betas=(0.5, 0.999)))
    rates = [linear_decay(o, options.steps - options.steps // 2, options.steps // 2) for o in optimizers.values()]
    step, data = AdversarialStep(model, optimizers, seed=options.seed), ShuffledPairs(pairs, way.batch, seed=0)
    started = time.process_time()
    for _, batch in zip(range(options.steps), data.batches(), strict=False):
        step(batch)
        for rate in rates:
            rate.step()
    step.check_finite()
    model.save_pretrained(folder)
    seconds = time.process_time() - started
    whole_file(folder / "seconds.json", lambda file: file.write_text(json.dumps(seconds)))
    return model.eval()


@torch.inference_mode()
def measure(model: CycleModel, judge: CycleModel, batches: Sequence[Mapping[str, Tensor]]) -> dict[str, float]:
    """Return PSNR and SSIM of y*, and F1 of the dots that the model's own G_K and the judge read."""
    readers = {"G_K": model.generators["G_K"]} if "G_K" in model.graph.generators else {}
    readers["judge"] = judge.generators["G_K"]
    found: dict[str, list[Tensor]] = {}
    for batch in batches:
        made = model.generate({name: batch[name] for name in ("x", "Ly")}, ["y*"])["y*"]
        scores = {
            "PSNR": psnr((made + 1) / 2, (batch["y"] + 1) / 2),
            "SSIM": ssim((made + 1) / 2, (batch["y"] + 1) / 2),
        }
        scores |= {"contrast": dot_contrast(made, batch["Ly"]), "contrast of y": dot_contrast(batch["y"], batch["Ly"])}
        for name, reader in readers.items():
            columns = dots_read(reader, made, batch["y"], batch["Ly"]).unbind(1)
            scores |= {f"{name}: {what}": column for what, column in zip(READ, columns, strict=True)}
        for name, values in scores.items():
            found.setdefault(name, []).append(values)
    return {name: torch.cat(values).mean().item() for name, values in found.items()}


def ink(size: tuple[int, int]) -> float:
    """Return what share of the test faces' landmark pictures is black, at a size."""
    faces = FacePairs("test", size)
    return 1 - faces.drawing.draw(faces.points, faces.visible, size).mean().item()


def _batches(pairs: FacePairs, size: int = 64) -> Iterator[dict[str, Tensor]]:
    for first in range(0, len(pairs), size):
        yield default_collate([pairs[index] for index in range(first, min(first + size, len(pairs)))])


@torch.inference_mode()
def draw(models: Mapping[str, CycleModel], titles: Mapping[str, str], pairs: FacePairs, path: Path) -> None:
    """Draw, for some pairs, what each model makes and what its G_K reads in it, pixel by pixel."""
    batch = default_collate([pairs[index % len(pairs)] for index in SHOWN])
    rows = {"real": (batch["y"], batch["Ly"])}
    for name, model in models.items():
        made = model.generate({name: batch[name] for name in ("x", "Ly")}, ["y*"])["y*"]
        reads = model.generators["G_K"](made) if "G_K" in model.graph.generators else torch.ones_like(made)
        rows[titles[name]] = (made, reads)
    figure, axes = plt.subplots(len(rows), 2 * len(SHOWN), figsize=(2.2 * 2 * len(SHOWN), 2.35 * len(rows)))
    for (title, columns), cells in zip(rows.items(), axes, strict=True):
        pictures = [picture for pair in zip(*columns, strict=True) for picture in pair]
        for picture, cell in zip(pictures, cells, strict=True):
            cell.imshow(((picture.clamp(-1, 1) + 1) / 2).permute(1, 2, 0).numpy(), interpolation="nearest")
            cell.axis("off")
        cells[0].set_title(title, loc="left", fontsize=11)
    figure.subplots_adjust(0.005, 0.005, 0.995, 0.975, wspace=0.02, hspace=0.13)
    whole_file(path, lambda file: figure.savefig(file, dpi=120))
    plt.close(figure)


def print_scores(found: Mapping[str, Mapping[str, float]], titles: Mapping[str, str]) -> None:
    """Print the table: the image's scores, how dark its dots are beside what is around them, and who reads what."""
    contrast = float("nan")
    table = Table(
        "trained",
        "CPU s",
        "PSNR",
        "SSIM",
        "contrast",
        *(f"{reader}: {what}" for reader in ("G_K", "judge") for what in READ),
    )
    for name, scores in found.items():
        f1 = [
            f"{scores[key]:.2f}" if (key := f"{reader}: {what}") in scores else ""
            for reader in ("G_K", "judge")
            for what in READ
        ]
        image = [
            f"{scores['seconds']:.0f}",
            f"{scores['PSNR']:.2f}",
            f"{scores['SSIM']:.3f}",
            f"{scores['contrast']:.3f}",
        ]
        table.add_row(titles[name], *image, *f1)
        contrast = scores["contrast of y"]
    Console(width=200).print(table)
    print(f"contrast of the dots in real images: {contrast:.3f}")


def print_gradients(pulls: Mapping[str, Mapping[str, float]], titles: Mapping[str, str]) -> None:
    """Print the norms of the gradients into G_I by term, as shares of their sum."""
    terms = list(dict.fromkeys(term for pull in pulls.values() for term, norm in pull.items() if norm > 0))
    table = Table("gradient into G_I", *terms)
    for name, pull in pulls.items():
        total = sum(pull.values())
        table.add_row(titles[name], *(f"{pull[term] / total:.0%}" if term in pull else "" for term in terms))
    Console(width=200).print(table)


def run(options: Options) -> None:
    """Train what is asked for, print the table and draw the picture."""
    if options.check:
        options = replace(options, steps=2)
    known = ways()
    chosen = [name for name in known if name != JUDGE and (not options.ways or name in options.ways)]
    make_folder(options.out)
    identities = 4 if options.check else None
    train, test = (FacePairs(split, SIZE, identities=identities) for split in ("train", "test"))
    judge = trained(known[JUDGE], options.out / JUDGE, train, options)
    batches = list(_batches(test))
    models: dict[str, CycleModel] = {}
    found: dict[str, dict[str, float]] = {}
    pulls: dict[str, dict[str, float]] = {}
    some = default_collate([train[index] for index in range(0, len(train), len(train) // 16)])
    for name in chosen:
        models[name] = trained(known[name], options.out / name, train, options).eval()
        seconds = json.loads((options.out / name / "seconds.json").read_text())
        found[name] = {"seconds": seconds, **measure(models[name], judge, batches)}
        pulls[name] = gradient_norms(models[name], some, "G_I")
    titles = {name: way.title for name, way in known.items()}
    whole_file(options.out / "scores.json", lambda file: file.write_text(json.dumps(found, indent=2) + "\n"))
    whole_file(options.out / "gradients.json", lambda file: file.write_text(json.dumps(pulls, indent=2) + "\n"))
    draw(models, titles, test, options.out / "painting.png")
    print_scores(found, titles)
    print_gradients(pulls, titles)
    print(f"dots cover {ink(SIZE):.1%} of the landmark pictures; drawn at 256x256, {ink((256, 256)):.1%}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and run."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with clear_errors():
        run(tyro.cli(Options, args=arguments))


if __name__ == "__main__":
    main()
