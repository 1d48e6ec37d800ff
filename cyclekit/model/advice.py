"""What was hardly meant: said once, when a model is built."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]

from cyclekit.errors import GraphError, warn
from cyclekit.graph import Adversary, Comparison, CycleGraph, Regularizer
from cyclekit.model.objectives import Measures
from cyclekit.model.parts import NetworkChoices
from cyclekit.model.probe import without_gradient

DEFAULTS = {"generators": "unet_256", "discriminators": "patchgan_70"}


def chosen_or_default(graph: CycleGraph, kind: str, choices: NetworkChoices | None) -> NetworkChoices:
    """Return what was chosen for the networks of a kind, or say what is chosen in its place."""
    names: tuple[str, ...] = getattr(graph, kind)
    if choices is None:
        if names:
            warn(f"{kind} of {', '.join(names)}: build() chooses {DEFAULTS[kind]!r}; say {kind}=... to choose")
        return DEFAULTS[kind]
    if not isinstance(choices, Mapping):
        _warn_of_functions_taken_for_networks(graph, names)
    return choices


def _warn_of_functions_taken_for_networks(graph: CycleGraph, names: tuple[str, ...]) -> None:
    if all(name.islower() for name in graph.networks):
        return
    for name in names:
        if name.islower():
            warn(
                f"{name!r} is taken for a network, and made as the others are: declare functions=[{name!r}] if it is a "
                "function, or name it in a dict of networks"
            )


def find_stops(
    graph: CycleGraph, functions: Mapping[str, Callable[..., object]], measures: Measures
) -> dict[str, frozenset[int]]:
    """Return, by function or term, the places of the inputs that it passes no gradient to."""
    uses = {call.network: call for call in graph.calls if call.network in functions}
    stops = {
        name: without_gradient(functions[name], [graph.domains[value] for value in call.inputs])
        for name, call in uses.items()
    }
    for term in graph.terms:
        if isinstance(term, Comparison) and term.weight != 0:
            domains = [graph.domains[value] for value in term.signals]
            stops[term.name] = without_gradient(measures.criteria[term.criterion], domains)
    return {name: places for name, places in stops.items() if places}


def check_flow(graph: CycleGraph, flow: Mapping[str, frozenset[str]]) -> None:
    """Say where less is trained than the texts say.

    Args:
        graph: The graph.
        flow: For each term of the generators' loss, the networks that it trains in the built model.

    Raises:
        GraphError: A term trains nobody.
    """
    for name, declared in graph.gradient_flow().items():
        lost = sorted(declared - flow[name])
        if declared and not flow[name]:
            raise GraphError(
                f"the term {name!r} ({graph.term(name).equation}) trains nobody: a function or its criterion passes no "
                f"gradient on to {', '.join(lost)}, or their parameters have requires_grad=False"
            )
        if lost:
            warn(
                f"the term {name!r} does not train {', '.join(lost)}: a function or its criterion passes no gradient "
                "there, or the parameters have requires_grad=False; say frozen= where that is meant"
            )


def check_discriminators(graph: CycleGraph, discriminators: Mapping[str, nn.Module]) -> None:
    """Warn of adversaries that contradict each other, and of critics without what their loss needs."""
    adversaries = [term for term in graph.terms if isinstance(term, Adversary) and term.weight != 0]
    sides = {(term.discriminator, term.fake, term.real) for term in adversaries}
    penalties: dict[str, set[str]] = {}
    for term in graph.terms:
        if isinstance(term, Regularizer) and term.measure == "penalty" and term.weight != 0:
            penalties.setdefault(term.adversary, set()).add(term.criterion)
    for term in adversaries:
        if (term.discriminator, term.real, term.fake) in sides and term.fake < term.real:
            warn(f"{term.discriminator} is trained to contradict itself: {term.equation}, and the other way round")
        found = penalties.get(term.name, set())
        if term.criterion == "wgan" and not found:
            warn(
                f"{term.name!r} is a wgan without a penalty: its critic is unbounded; write "
                "'+ wgan_gp' behind it, or clip the critic's weights after every step"
            )
        if "wgan_gp" in found and any(isinstance(m, _BatchNorm) for m in discriminators[term.discriminator].modules()):
            warn(
                f"'wgan_gp' takes each sample's gradient alone, and {term.discriminator} normalises over the batch: "
                "choose norm='instance', 'group' or 'none' for it"
            )


def criteria_fit(graph: CycleGraph, criteria: Mapping[str, Callable[..., Any]]) -> None:
    """Check that each criterion takes as many signals as its terms give it, and can look at samples one by one.

    Raises:
        GraphError: One does not.
    """
    for term in (term for term in graph.terms if isinstance(term, Comparison) and term.weight != 0):
        if term.where and getattr(criteria.get(term.criterion), "couples_samples", False):
            raise GraphError(
                f"the term {term.name!r} is computed for some samples of a batch, and {term.criterion!r} compares the "
                "samples of a batch with each other: choose another criterion"
            )
        if not _takes(criteria[term.criterion], len(term.signals)):
            takes = ", ".join(_signature(criteria[term.criterion]).parameters)
            raise GraphError(
                f"the term {term.name!r} gives {term.criterion!r} {len(term.signals)} signals "
                f"({', '.join(term.signals)}), and it takes {takes}"
            )


def functions_fit(graph: CycleGraph, functions: Mapping[str, Callable[..., Any]]) -> None:
    """Check that each function takes as many signals as the graph gives it.

    Raises:
        GraphError: One does not.
    """
    for call in graph.calls:
        function = functions.get(call.network)
        if function is not None and not _takes(function, len(call.inputs)):
            takes = ", ".join(_signature(function).parameters) or "nothing"
            raise GraphError(
                f"{call.network} is given {len(call.inputs)} signals ({', '.join(call.inputs)}), and the function "
                f"takes {takes}"
            )


def _takes(criterion: Callable[..., Any], count: int) -> bool:
    try:
        _signature(criterion).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # written in C, with no signature
        return True
    return True


def _signature(criterion: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(criterion.forward if isinstance(criterion, nn.Module) else criterion)
