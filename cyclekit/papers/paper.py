"""What a published model is here: its graph, and its recipe as data."""

import math
import re
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from inspect import signature
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, Unpack, get_args, get_origin, get_type_hints

from cyclekit._registry import Registry
from cyclekit._spec import NetworkSpec
from cyclekit.errors import ArgumentError, GraphError, OptionError, ShapeError
from cyclekit.graph import CycleGraph, Domain
from cyclekit.graph.values import Check, checked, number, one_of, whole, word

if TYPE_CHECKING:
    from torch import Tensor, nn

    from cyclekit.model import CycleModel, ModelOptions

Networks: TypeAlias = Mapping[str, NetworkSpec | None]
"""Networks by the names the graph calls them; ``None`` is one that the registries lack, and the user passes."""


@dataclass(frozen=True)
class Source:
    """Where a model was published.

    Args:
        title: The paper's title.
        authors: Its authors, full names with commas between them, ``"Jun-Yan Zhu, Taesung Park"``.
        venue: Where and when it appeared, ``"ICCV 2017"``.
        arxiv: Its number at arXiv, or ``""``.
        code: The authors' repository, ``"junyanz/CycleGAN"``, or ``""``.

    Example:
        ```python
        from cyclekit import papers

        source = papers.cyclegan().source
        assert str(source).startswith("Zhu et al.: Unpaired Image-to-Image Translation")
        assert source.bibtex().startswith("@inproceedings{zhu2017unpaired,")
        ```
    """

    title: str
    authors: str
    venue: str
    arxiv: str = ""
    code: str = ""

    @property
    def surnames(self) -> str:
        """The authors as a text cites them: one, two, or the first and "et al."."""
        names = [name.split()[-1] for name in self.authors.split(", ")]
        return " and ".join(names) if len(names) < 3 else f"{names[0]} et al."

    def __str__(self) -> str:
        """Return one line, as a list of references has it."""
        places = [f"arXiv {self.arxiv}"] if self.arxiv else []
        places += [f"github.com/{self.code}"] if self.code else []
        return f"{self.surnames}: {self.title}. {self.venue}{''.join(f', {place}' for place in places)}"

    def bibtex(self) -> str:
        """Write the paper as an entry of a BibTeX file.

        Returns:
            The entry; its key is the first author's surname, the year and the title's first word.
        """
        year = (re.findall(r"\d{4}", self.venue) or [""])[-1]
        first = self.authors.split(", ")[0].split()[-1]
        word = re.split(r"[^\w]", self.title)[0]
        kind = "article" if self.venue.split()[0] in _JOURNALS else "inproceedings"
        fields = {
            "title": f"{{{self.title}}}",
            "author": self.authors.replace(", ", " and "),
            "journal" if kind == "article" else "booktitle": self.venue.replace(year, "").strip(),
            "year": year,
            "eprint": self.arxiv,
            "archiveprefix": "arXiv" if self.arxiv else "",
        }
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
        return "\n".join([f"@{kind}{{{f'{first}{year}{word}'.lower()},", *lines, "}"])


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a model is trained, as its paper or its released code says.

    Args:
        generators: A spec for each generator; ``None`` where the registries have no such network.
        discriminators: Likewise.
        size: Height and width of the images it was published on.
        batch: Samples in a batch.
        optimizer: The optimiser's name in ``torch.optim``.
        rate: The learning rate.
        rates: By network, where it is another one.
        betas: Adam's betas.
        weight_decay: The optimiser's.
        decay: What the rate does after ``constant``: ``"linear"`` to 0, ``"halving"`` every ``decaying``, ``"none"``.
        constant: For how long the rate stays as it is, in `unit`.
        decaying: For how long it decays, or how long a halving takes.
        unit: ``"epochs"`` or ``"steps"``.
        average: The decay of a moving average of the weights, which then generates; ``None`` for none.
    """

    generators: Networks
    discriminators: Networks = field(default_factory=dict[str, NetworkSpec | None])
    size: tuple[int, int] = (256, 256)
    batch: int = 1
    optimizer: str = "Adam"
    rate: float = 2e-4
    rates: Mapping[str, float] = field(default_factory=dict[str, float])
    betas: tuple[float, float] = (0.5, 0.999)
    weight_decay: float = 0.0
    decay: Literal["linear", "halving", "none"] = "linear"
    constant: int = 100
    decaying: int = 100
    unit: Literal["epochs", "steps"] = "epochs"
    average: float | None = None

    def __str__(self) -> str:
        """Return one line a fact."""
        optimizer = f"{self.optimizer}, rate {self.rate:g}"
        optimizer += "".join(f", {name} {rate:g}" for name, rate in self.rates.items())
        optimizer += f", betas {self.betas}" if self.optimizer.startswith("Adam") else ""
        optimizer += f", weight decay {self.weight_decay:g}" if self.weight_decay else ""
        decay = {
            "linear": f"constant for {self.constant:,} {self.unit}, then linearly to 0 over {self.decaying:,}",
            "halving": f"halved every {self.decaying:,} {self.unit}",
            "none": f"constant, {self.constant:,} {self.unit}",
        }[self.decay]
        lines = [
            *(f"{name}: {_said(spec)}" for name, spec in {**self.generators, **self.discriminators}.items()),
            f"images: {self.size[0]} x {self.size[1]}, batch {self.batch}",
            f"optimiser: {optimizer}",
            f"rate: {decay}",
        ]
        return "\n".join(lines + ([f"moving average: {self.average:g}"] if self.average else []))


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A published model: where it stands, what it minimises, how it is trained.

    Args:
        source: Where it was published.
        supervision: What its data must know: ``"unpaired"``, ``"pairs"``, ``"labels"``, ``"pairs with keypoints"``.
        graph: The model as its paper declares it.
        recipe: How it is trained.
        unpaired: Inputs of several domains, each drawn for itself: no sample of one belongs to a sample of another.
            By default the inputs come together.
        functions: The graph's functions, those apart that the user passes.
        criteria: Criteria of its own.
        notes: What the paper leaves open, and where its released code says something else; a sentence each.

    Example:
        ```python
        from cyclekit import papers

        paper = papers.cyclegan()
        print(paper.graph)
        print(paper.recipe)
        model = paper.build(size=(256, 256))
        ```
    """

    source: Source
    supervision: str
    graph: CycleGraph
    recipe: Recipe
    unpaired: tuple[str, ...] = ()
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict[str, Callable[..., Any]])
    criteria: Mapping[str, "Callable[..., Tensor] | nn.Module"] = field(
        default_factory=dict[str, "Callable[..., Tensor] | nn.Module"]
    )
    notes: tuple[str, ...] = ()

    @property
    def lacking(self) -> tuple[str, ...]:
        """The networks and functions that the user passes to `build`."""
        networks = {**self.recipe.generators, **self.recipe.discriminators}
        return (
            *(name for name, spec in networks.items() if spec is None),
            *(name for name in self.graph.functions if name not in self.functions),
        )

    def build(self, **options: "Unpack[ModelOptions]") -> "CycleModel":
        """Return the model with its recipe's networks, as `CycleGraph.build` does.

        Args:
            **options: Those of `CycleGraph.build`; networks, functions and criteria given by name take the places
                of the paper's own.

        Returns:
            The model.

        Raises:
            GraphError: A network or function that the paper lacks is not passed, or does not fit.
            ImageSizeError: A network cannot take images of ``size``.
        """
        chosen: dict[str, Any] = dict(options)
        for kind, own in (("generators", self.recipe.generators), ("discriminators", self.recipe.discriminators)):
            passed = chosen.get(kind, {})
            if not isinstance(passed, Mapping):
                continue
            chosen[kind] = {name: spec for name, spec in own.items() if spec is not None} | dict(passed)
            if missing := [name for name in own if name not in chosen[kind]]:
                raise GraphError(
                    f"{self.source.title}: the registries have no network for {', '.join(missing)}; "
                    f"pass build({kind}={{{missing[0]!r}: module}})"
                )
        chosen["functions"] = {**self.functions, **chosen.get("functions", {})}
        chosen["criteria"] = {**self.criteria, **chosen.get("criteria", {})}
        return self.graph.build(**chosen)


def _said(spec: NetworkSpec | None) -> str:
    if spec is None:
        return "the user's to pass"
    options = ", ".join(f"{name}={value!r}" for name, value in spec.options.items())
    return f"{spec.name}({options})" if options else spec.name


_JOURNALS = {"TNNLS"}
"""Venues that are journals, by the first word; all others are conferences."""
_registry: Registry[Paper] = Registry("paper", "cyclekit.papers")


def register_paper(name: str, *, override: bool = False) -> Callable[[Callable[..., Paper]], Callable[..., Paper]]:
    """Return a decorator that registers a paper: a function of what varies that returns a `Paper`.

    Args:
        name: The name `create_paper` shall know it by.
        override: Replace what is registered under that name.

    Returns:
        The decorator; it gives the function back unaltered.

    Raises:
        ArgumentError: The name is taken and ``override`` is false.
    """
    register = _registry.register(name, override=override)
    return lambda factory: register(_with_checked_options(factory) if callable(factory) else factory)


def _with_checked_options(factory: Callable[..., Paper]) -> Callable[..., Paper]:
    """Return a paper's function that looks at what it is given and gives, by its annotations."""
    name = getattr(factory, "__name__", type(factory).__name__)

    @wraps(factory)
    def checked_factory(*args: object, **options: object) -> Paper:
        hints = get_type_hints(factory)
        given = signature(factory).bind(*args, **options)
        for option, value in given.arguments.items():
            if option in hints and (check := _check_of(hints[option])):
                given.arguments[option] = checked(name, option, value, check, ArgumentError)
        paper = factory(*given.args, **given.kwargs)
        if not isinstance(paper, Paper):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ShapeError(f"{name}() must return a Paper, got {reprlib.repr(paper)}")
        return paper

    return checked_factory


def _check_of(hint: object) -> Check | None:
    """Return what an option of a kind must pass: whole numbers count something, others weigh something."""
    if get_origin(hint) is Literal:
        return one_of(*get_args(hint))
    kinds: dict[object, Check] = {
        bool: one_of(True, False),
        int: whole(least=1),
        float: number("must be a number from 0", lambda weight: 0 <= weight < math.inf),
        str: word("must be text"),
    }
    if hint in kinds:
        return kinds[hint]
    if get_args(hint)[1:] == (NoneType,) and (given := kinds.get(get_args(hint)[0])):
        return lambda value: None if value is None else given(value)  # None: as the rest of the options has it
    if get_args(hint) == (Domain, int):
        number_or_domain = whole(least=1, wanted="must be a domain, or a whole number from 1")
        return lambda value: value if isinstance(value, Domain) else number_or_domain(value)
    return None


def create_paper(name: str, **options: object) -> Paper:
    """Return the paper registered under a name.

    Args:
        name: A registered name.
        **options: What varies: channels, domains, keypoints.

    Returns:
        The paper.

    Raises:
        UnknownNameError: Nothing is registered under ``name``.
        OptionError: The paper takes no such option.
        ArgumentError: An option's value is none that it can have.

    Example:
        ```python
        from cyclekit.papers import create_paper

        assert create_paper("pix2pix").graph.generators == ("G",)
        ```
    """
    factory = _registry.factory(name)
    try:
        signature(factory).bind(**options)
    except TypeError as error:
        takes = ", ".join(signature(factory).parameters) or "no options"
        raise OptionError(f"paper {name!r}: {error}; it takes {takes}") from None
    return factory(**options)


def list_papers(pattern: str = "*") -> list[str]:
    """List the papers.

    Args:
        pattern: A glob pattern, such as ``"*cycle*"``.

    Returns:
        The registered names that match, in natural order.
    """
    return _registry.list(pattern)
