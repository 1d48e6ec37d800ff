"""Whether a data set carries what a graph reads."""

from cyclekit._registry import suggestion
from cyclekit._typed import typed
from cyclekit.data.dataset import SignalDataset
from cyclekit.errors import DataError
from cyclekit.graph import CycleGraph, Noise


@typed
def check_signals(graph: CycleGraph, dataset: SignalDataset) -> None:
    """Raise unless a data set carries every signal a graph needs, as the graph declares it.

    Noise may be left out, since a model draws it, and so may what optional terms alone read.

    Args:
        graph: What is to be trained.
        dataset: What it is to be trained on.

    Raises:
        DataError: A signal is missing, or is of another kind or of other channels.

    Example:
        ```python
        from pathlib import Path
        from tempfile import TemporaryDirectory
        from PIL import Image
        from cyclekit import papers
        from cyclekit.data import Panels, check_signals

        with TemporaryDirectory() as folder:
            Image.new("RGB", (128, 64)).save(Path(folder, "1.jpg"))
            check_signals(papers.pix2pix().graph, Panels(folder, "x y"))
        ```
    """
    carried = dataset.signals
    needed = {
        name
        for side in ("generators", "discriminators")
        if (terms := graph.due(side, carried))
        for plan in (graph.plan(terms).generators, graph.plan(terms).discriminators)
        for name in plan.inputs
    }
    domains = graph.domains
    for name in graph.inputs:
        if name in carried:
            if carried[name] != domains[name]:
                raise DataError(
                    f"the graph reads {name!r} as {domains[name]}, and the data carry it as {carried[name]}: say "
                    f"domains={{{name!r}: {domains[name]}}}, or declare it in the graph as the data have it"
                )
        elif name in needed and not isinstance(domains[name], Noise):
            raise DataError(
                f"the graph reads {name!r} ({domains[name]}), which the data do not carry: they carry "
                f"{', '.join(f'{n} {d}' for n, d in carried.items())}{suggestion(name, carried)}"
            )
