"""`cyclekit evaluate`: how near a run's pictures are to what is true, beside copying the input."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

import torch
import tyro
from accelerate import PartialState
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor
from torch.utils.data import DataLoader

from cyclekit._files import whole_file
from cyclekit.command.folders import Split
from cyclekit.command.pictures import open_pictures
from cyclekit.command.runs import Run, open_run
from cyclekit.data import BatchTransform, SignalDataset, StepRandom
from cyclekit.errors import UsageError
from cyclekit.graph import Adversary, Comparison, CycleGraph, Image
from cyclekit.metrics import InceptionFeatures, extract_features, frechet_distance, kernel_distance, psnr, ssim
from cyclekit.model import CycleModel

Scores = dict[str, float]
Metrics = dict[str, dict[str, Scores]]


@dataclass
class Options:
    """Measure a run on the pictures kept for testing."""

    run: Path
    """The run's folder, or one of its checkpoints."""
    data: Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: the run's)")] = None
    """The folder of the data, in the layout that the run was trained on."""
    split: Split = "test"
    """Pictures it has not seen, or those it was trained on."""
    inception: Annotated[
        Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: FID and KID are left out)")
    ] = None
    """The weights of the published Inception network, for FID and KID; the page on metrics says where they are."""
    batch: int = 16
    """Pictures at once."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: RUN/metrics.json)")] = None
    """Where the numbers go, as JSON; RUN/metrics-train.json for --split train, RUN/metrics-test-DIR.json for --data."""


class Truth(NamedTuple):
    """A picture that is made, and what it should be.

    Attributes:
        made: The signal that is made.
        wanted: The input that it should be.
        copied: The input that a copy of would be the answer of who learned nothing; ``None`` where that is `wanted`.
    """

    made: str
    wanted: str
    copied: str | None


def run(options: Options) -> None:
    """Measure, print the table, write the numbers."""
    if options.batch < 1:
        raise UsageError(f"--batch {options.batch}: must be 1 or more")
    found = open_run(options.run)
    model = found.model()
    dataset = open_pictures(found, options.split, options.data)
    network = None if options.inception is None else InceptionFeatures(options.inception)
    model.to(PartialState().device)
    metrics = measure(model, dataset, options.batch)
    for name, scores in _whole_sets(model, dataset, network, options.batch).items():
        metrics.setdefault(name, {}).update(scores)
    if not metrics:
        raise UsageError(
            f"nothing that {found.options['paper']} makes has a truth among its inputs: FID and KID need --inception"
        )
    text = json.dumps(metrics, indent=2) + "\n"
    out = options.out or found.file(_name(options, found))
    whole_file(out, lambda file: file.write_text(text, encoding="utf-8"))
    print_table(metrics)
    if network is None:
        print("FID and KID are left out: they need the weights of the Inception network, --inception FILE")
    print(f"{len(dataset)} samples; the numbers are in {out}")


def _name(options: Options, run: Run) -> str:
    """Return the file of the numbers: ``metrics.json``, which the training wrote, has those of the run's own tests."""
    data = None if options.data is None else options.data.resolve()
    if data is not None and data != Path(str(run.options.get("data"))).resolve():
        return f"metrics-{options.split}-{data.name}.json"
    return "metrics.json" if options.split == "test" else f"metrics-{options.split}.json"


def truths(graph: CycleGraph) -> list[Truth]:
    """Return what a graph makes that one of its inputs says the truth of.

    An image that is compared with an input that it is not made of, as pix2pix's is; or one that comes back to the
    input that it is made of, as CycleGAN's do.
    """
    found: dict[Truth, None] = {}
    images = [name for name in graph.inputs if isinstance(graph.domains[name], Image)]
    for term in graph.terms:
        if not isinstance(term, Comparison) or term.target not in images or term.prediction not in graph.generated:
            continue
        if graph.domains[term.prediction] != graph.domains[term.target]:
            continue
        needed = graph.requires(term.prediction)
        alike = (name for name in images if name in needed and graph.domains[name] == graph.domains[term.target])
        found[Truth(term.prediction, term.target, None if term.target in needed else next(alike, None))] = None
    return list(found)


@torch.inference_mode()
def measure(model: CycleModel, dataset: SignalDataset, batch: int = 16) -> Metrics:
    """Return mean L1, PSNR and SSIM of what a model makes, and of copying the input.

    All are of images in [0, 1]; SSIM is as scikit-image has it by default.

    Args:
        model: In evaluation mode.
        dataset: Samples with truth.
        batch: Samples at once.

    Returns:
        By what is compared, by who answers, by metric.
    """
    device = next(model.parameters()).device
    wanted = [truth for truth in truths(model.graph) if _carried(model.graph, truth, dataset)]
    rows: dict[tuple[str, str], list[Tensor]] = {}
    for samples in batches_of(dataset, batch) if wanted else ():
        here = {name: value.to(device) for name, value in samples.items()}
        made = model.generate(here, list(dict.fromkeys(truth.made for truth in wanted)))
        for truth in wanted:
            target, title = _image(here[truth.wanted]), f"{truth.made} against {truth.wanted}"
            rows.setdefault((title, "model"), []).append(_scores(_image(made[truth.made]), target))
            if truth.copied is not None:
                rows.setdefault((title, f"copy of {truth.copied}"), []).append(
                    _scores(_image(here[truth.copied]), target)
                )
    metrics: Metrics = {}
    for (title, who), parts in rows.items():
        means = torch.cat(parts, 1).mean(1).tolist()
        metrics.setdefault(title, {})[who] = dict(
            zip(("L1", "PSNR (dB)", "SSIM (skimage)"), (round(mean, 5) for mean in means), strict=True)
        )
    return metrics


def batches_of(dataset: SignalDataset, size: int) -> Iterator[dict[str, Tensor]]:
    """Yield a data set's samples in their order, as the model takes them, the last batch as it is."""
    transform = BatchTransform(dataset)
    for samples in DataLoader(dataset, batch_size=min(size, len(dataset))):
        yield transform(samples, StepRandom(0, 0, len(next(iter(samples.values())))))


def samples_of(dataset: SignalDataset, count: int) -> dict[str, Tensor]:
    """Return a data set's first samples, as the model takes them."""
    return next(batches_of(dataset, count))


def print_table(metrics: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    """Print metrics as a table."""
    names = list(dict.fromkeys(name for answers in metrics.values() for scores in answers.values() for name in scores))
    table = Table("", "", *names, box=None, pad_edge=False)
    for title, answers in metrics.items():
        for who, scores in answers.items():
            table.add_row(title, who, *(f"{scores[name]:.4g}" if name in scores else "" for name in names))
    Console().print(table)


def _carried(graph: CycleGraph, truth: Truth, dataset: SignalDataset) -> bool:
    return {truth.wanted, *graph.requires(truth.made)} <= {*dataset.signals}


def _scores(image: Tensor, target: Tensor) -> Tensor:
    """Return L1, PSNR and SSIM, (3, batch)."""
    l1 = (image - target).abs().flatten(1).mean(1).double()
    return torch.stack([l1, psnr(image, target).double(), ssim(image, target).double()]).cpu()


def _image(value: Tensor) -> Tensor:
    """Return an image in [0, 1] from one in [-1, 1]."""
    return ((value.float() + 1) / 2).clamp(0, 1)


def _whole_sets(
    model: CycleModel, dataset: SignalDataset, network: InceptionFeatures | None, batch: int
) -> dict[str, dict[str, Scores]]:
    """Return FID and KID of what is made against what it is judged against, and of copying the input."""
    if network is None:
        return {}
    graph, device = model.graph, next(model.parameters()).device
    network.to(device).eval()
    found: dict[str, dict[str, Scores]] = {}
    for made, real in dict.fromkeys(_judged(graph)):
        source = next(n for n in graph.requires(made) if isinstance(graph.domains[n], Image))
        batches = list(batches_of(dataset, batch))
        images = {
            "model": (
                _image(model.generate({n: v.to(device) for n, v in samples.items()}, [made])[made])
                for samples in track(batches, f"{made}", transient=True)
            ),
            f"copy of {source}": (_image(samples[source].to(device)) for samples in batches),
        }
        wanted = extract_features(network, (_image(samples[real].to(device)) for samples in batches))
        for who, batches_ in images.items():
            features = extract_features(network, batches_)
            found.setdefault(f"{made} against {real}", {})[who] = {
                "FID": frechet_distance(features, wanted).item(),
                "KID": kernel_distance(features, wanted, subset_size=min(1000, len(wanted))).mean.item(),
            }
    return found


def _judged(graph: CycleGraph) -> Iterator[tuple[str, str]]:
    """Yield images that an adversary compares: the one that is made last, and the input it shall look like."""
    for term in graph.terms:
        if isinstance(term, Adversary) and term.generated:
            made = [n for n in term.fake if n in graph.generated and isinstance(graph.domains[n], Image)]
            real = [n for n in term.real if n in graph.inputs and isinstance(graph.domains[n], Image)]
            if made and real:
                yield made[-1], real[-1]
