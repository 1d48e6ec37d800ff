"""From what a user chose to the networks of a graph."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

import torch
from torch import Tensor, nn

from cyclekit._registry import Registry, suggestion
from cyclekit.errors import GraphError, ImageSizeError, OptionError
from cyclekit.graph import CycleGraph, Domain, Evaluation, Latent, Mask, Network
from cyclekit.graph.notation import GATES
from cyclekit.nets import ChecksSize, NetworkSpec, create_discriminator, create_generator, discriminators, generators
from cyclekit.nets.layers import FinalActivation, Outputs

NetworkChoice: TypeAlias = str | NetworkSpec | nn.Module
NetworkChoices: TypeAlias = NetworkChoice | Mapping[str, NetworkChoice]


def choices_by_name(
    kind: str, names: Sequence[str], choices: NetworkChoices, stand_ins: Sequence[str] = ()
) -> dict[str, NetworkChoice]:
    """Return the choice for each network of a kind.

    Args:
        kind: ``"generators"`` or ``"discriminators"``.
        names: The networks to choose for.
        choices: One for all, or by name.
        stand_ins: Further networks, which a dict must give as modules.

    Raises:
        GraphError: A name is unknown or missing, or one module stands for several networks.
    """
    if isinstance(choices, Mapping):
        for name in choices:
            if name not in names and name not in stand_ins:
                raise GraphError(
                    f"{kind} names {name!r}, no network of this graph{suggestion(name, [*names, *stand_ins])}"
                )
        chosen = dict(choices)
    else:
        chosen = dict.fromkeys(names, choices)
    for name in names:
        if name not in chosen:
            raise GraphError(f"{kind} says nothing of {name!r}; it names {', '.join(chosen) or 'nothing'}")
    for name in stand_ins:
        if not isinstance(chosen.get(name), nn.Module):
            raise GraphError(f"the stand-in {name!r} is a module of yours: pass {kind}={{{name!r}: module}}")
    owners: dict[nn.Module, str] = {}
    for name, choice in chosen.items():
        if isinstance(choice, nn.Module) and owners.setdefault(choice, name) != name:
            raise GraphError(
                f"{kind}: {owners[choice]!r} and {name!r} are one module; give each network its own, "
                "or call them by one name in the graph to share its weights"
            )
    return chosen


def create_network(name: str, choice: NetworkChoice, network: Network | None) -> tuple[nn.Module, NetworkSpec | None]:
    """Return a network, and its spec unless it is a module of the user's own, as every stand-in is."""
    if hasattr(nn.ModuleDict(), name):
        raise GraphError(f"{name!r} is a word of torch's module containers; call the network otherwise")
    if isinstance(choice, nn.Module):
        return choice, None
    if not isinstance(choice, str | NetworkSpec):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise GraphError(
            f"{name!r} must be a registered name, a NetworkSpec or a torch.nn.Module, got {type(choice).__name__}"
        )
    if network is None:
        raise GraphError(f"the graph has no network {name!r}")
    spec = NetworkSpec(choice) if isinstance(choice, str) else choice
    if follow := [option for option in ("in_channels", "out_channels", "heads", "outputs") if option in spec.options]:
        raise OptionError(
            f"{name!r} is {spec}: {' and '.join(follow)} follow{'s' if len(follow) == 1 else ''} from the graph; leave "
            f"{'it' if len(follow) == 1 else 'them'} out"
        )
    judges = network.role == "discriminator"
    _check_layout(name, spec.name, network, discriminators if judges else generators)
    if judges:
        heads = dict(network.heads) or None
        return create_discriminator(spec.name, network.in_channels, heads=heads, **spec.options), spec
    outputs: Outputs = tuple((_final_activation(domain), domain.channels) for domain in network.outputs)
    return create_generator(spec.name, network.in_channels, network.out_channels, outputs=outputs, **spec.options), spec


def _check_layout(name: str, chosen: str, network: Network, registry: Registry[nn.Module]) -> None:
    """Raise where a registered class is known to take or make vectors and the graph has maps there, or the reverse."""
    # inputs are joined, and vectors beside maps tiled to their size; outputs stay what they are
    wanted = {"takes": "maps" if any(domain.spatial for domain in network.inputs) else "vectors"}
    if network.outputs:
        kinds = {"maps" if domain.spatial else "vectors" for domain in network.outputs}
        wanted["makes"] = " and ".join(sorted(kinds))

    def layouts(other: str) -> dict[str, object]:
        factory = registry.factory(other)
        return {verb: getattr(getattr(factory, "func", factory), verb, None) for verb in wanted}

    for verb, said in layouts(chosen).items():
        if said in ("maps", "vectors") and said != wanted[verb]:
            domains = ", ".join(map(str, network.inputs if verb == "takes" else network.outputs))
            fitting = [repr(other) for other in registry.list() if layouts(other) == wanted]
            raise GraphError(
                f"{name!r} {verb} {wanted[verb]} in the graph ({domains}), but {chosen!r} {verb} {said}; "
                + (f"choose one of {', '.join(fitting)}, or " if fitting else "no registered network does: ")
                + "pass a module of your own"
            )


def _final_activation(domain: Domain) -> FinalActivation:
    """Return what a generator ends in, for values in the range its output's domain has inside a model."""
    if isinstance(domain, Mask):
        return "sigmoid"
    return "none" if domain.bounds is None else "tanh"


def functions_of(graph: CycleGraph, functions: Mapping[str, Callable[..., Tensor]]) -> dict[str, Callable[..., Tensor]]:
    """Return the graph's functions: those passed, and built-in ones.

    Raises:
        GraphError: One is missing, or one too many.
    """
    for name in functions:
        if name in GATES:
            raise GraphError(f"functions passes {name!r}, a word of the notation: call the function otherwise")
        if name in graph.networks:
            raise GraphError(
                f"functions passes {name!r}, which the graph takes for a network: declare functions=[{name!r}] in it"
            )
        if not callable(functions[name]):
            raise GraphError(f"functions passes {functions[name]!r} for {name!r}, which cannot be called")
        if name not in graph.all_functions:
            raise GraphError(
                f"functions passes {name!r}, which the graph does not use{suggestion(name, graph.all_functions)}"
            )
    known: dict[str, Callable[..., Tensor]] = {**_BUILT_IN, **functions}
    for name in graph.all_functions:
        if name not in known:
            raise GraphError(f"the graph's function {name!r} is missing: pass build(functions={{{name!r}: ...}})")
    return {name: known[name] for name in graph.all_functions}


def _add(*signals: Tensor) -> Tensor:
    return torch.stack(signals).sum(0)


def _stop(signal: Tensor) -> Tensor:
    return signal.detach()


def _reverse(signal: Tensor) -> Tensor:
    stopped = signal.detach()
    return stopped + (stopped - signal)  # the value to the last bit, and its gradient with the sign turned


def _softmax(logits: Tensor) -> Tensor:
    return logits.softmax(1)


def _sample(mean: Tensor, log_variance: Tensor | None = None) -> Tensor:
    noise = torch.randn_like(mean)
    return mean + (noise if log_variance is None else noise * (log_variance / 2).exp())


def _argmax(logits: Tensor) -> Tensor:
    classes = torch.arange(logits.shape[1], device=logits.device).reshape(1, -1, *[1] * (logits.ndim - 2))
    return (logits.argmax(1, keepdim=True) == classes).to(logits.dtype)


_BUILT_IN: dict[str, Callable[..., Tensor]] = {
    "add": _add,
    "argmax": _argmax,
    "reverse": _reverse,
    "sample": _sample,
    "softmax": _softmax,
    "stop": _stop,
}


def check_sizes(
    graph: CycleGraph, evaluations: Iterable[Evaluation], parts: Mapping[str, object], size: object
) -> None:
    """Check that networks can take images of a size, as far as it is known before anything is computed.

    Raises:
        GraphError: ``size`` is no height and width.
        ImageSizeError: One cannot; the message names the place.
    """
    if not isinstance(size, tuple | list) or len(size) != 2 or not all(type(side) is int and side > 0 for side in size):
        mend = f": write ({size}, {size})" if isinstance(size, int) else ""
        raise GraphError(f"size must be (height, width), two positive integers, got {size!r}{mend}")
    height, width = size
    domains = graph.domains
    resized: set[str] = {name for name, domain in domains.items() if isinstance(domain, Latent)}
    for evaluation in evaluations:
        maps = [name for name in evaluation.inputs if domains[name].spatial]
        part = parts[evaluation.network]
        if resized & set(maps) or (evaluation.network in graph.all_functions and evaluation.network not in _BUILT_IN):
            resized.update(evaluation.makes)
        elif maps and isinstance(part, ChecksSize):
            try:
                part.check_size(height, width)
            except ImageSizeError as error:
                raise ImageSizeError(f"{evaluation}: {error}") from None
