"""A recipe's networks, at the width, of the kind and for the size that a run is told."""

from collections.abc import Mapping, Sequence
from inspect import signature
from itertools import accumulate
from typing import Any, get_args

from torch import nn

from cyclekit._registry import Registry, suggestion
from cyclekit.errors import UsageError
from cyclekit.graph import Adversary, CycleGraph, Domain, Image
from cyclekit.nets import NetworkSpec
from cyclekit.nets.layers import Norm
from cyclekit.nets.registries import discriminators, generators

_UNETS = {"unet_512": 512, "unet_256": 256, "unet_128": 128, "unet_64": 64}
"""What both sides of an image must be multiples of."""


def chosen_networks(
    kind: str,
    recipe: Mapping[str, NetworkSpec | None],
    *,
    size: tuple[int, int],
    name: str | None = None,
    base_channels: int | None = None,
    norm: str | None = None,
) -> dict[str, NetworkSpec]:
    """Return the specs that a run builds its generators, or its discriminators, of.

    A recipe's U-Net that cannot take the size makes room for the deepest that can.

    Args:
        kind: ``"generator"`` or ``"discriminator"``.
        recipe: The recipe's specs.
        size: Height and width of the images.
        name: A registered network in place of the recipe's.
        base_channels: Its width in place of the recipe's, where it has one.
        norm: Its normalisation in place of the recipe's, where it has one.

    Raises:
        UsageError: The recipe has several kinds, and one name is to take the place of all; or no normalisation is
            called so.
        UnknownNameError: Nothing is registered under the name.
    """
    if norm is not None and norm not in get_args(Norm):
        raise UsageError(f"--norm {norm} is no normalisation{suggestion(norm, get_args(Norm))}")
    registry: Registry[nn.Module] = generators if kind == "generator" else discriminators
    specs = {network: spec for network, spec in recipe.items() if spec is not None}
    if name is not None:
        registry.factory(name)
        kinds = sorted({spec.name for spec in specs.values()})
        if len(kinds) > 1:
            raise UsageError(f"--{kind} {name} cannot take the place of all of {', '.join(kinds)}: leave it out")
    given: dict[str, Any] = {"base_channels": base_channels, "norm": norm}
    given = {option: value for option, value in given.items() if value is not None}
    return {network: _spec(registry, spec, size, name, given) for network, spec in specs.items()}


def behind_augmentation(specs: Mapping[str, NetworkSpec], graph: CycleGraph) -> dict[str, NetworkSpec]:
    """Return discriminators' specs, those that judge pictures behind DiffAugment.

    Args:
        specs: The discriminators' specs, by network.
        graph: Says what each of them judges.
    """
    judged = {term.discriminator: term.fake for term in reversed(graph.terms) if isinstance(term, Adversary)}
    return {
        network: _augmenting(spec, [graph.domains[name] for name in judged[network]]) for network, spec in specs.items()
    }


def _augmenting(spec: NetworkSpec, judged: Sequence[Domain]) -> NetworkSpec:
    """Return a spec behind DiffAugment, which is told where RGB pictures begin, since only they have colours."""
    if not any(isinstance(domain, Image) for domain in judged):
        return spec
    first = accumulate((domain.channels for domain in judged[:-1]), initial=0)
    pictures = tuple(at for at, domain in zip(first, judged, strict=True) if domain == Image(3))
    policy = ("color", "translation", "cutout") if pictures else ("translation", "cutout")
    return NetworkSpec("diff_augment", discriminator=spec.name, policy=policy, pictures=pictures, **spec.options)


def _spec(
    registry: Registry[nn.Module], spec: NetworkSpec, size: tuple[int, int], name: str | None, given: dict[str, Any]
) -> NetworkSpec:
    chosen = name or _fitting(spec.name, size)
    takes = signature(registry.factory(chosen)).parameters
    options = {**spec.options, **given}
    if "image_size" in takes:
        options["image_size"] = size
    return NetworkSpec(chosen, **{option: value for option, value in options.items() if option in takes})


def _fitting(name: str, size: tuple[int, int]) -> str:
    """Return a U-Net, or the deepest shallower one that images of a size fit; the shallowest where none does."""
    if name not in _UNETS:
        return name
    names = [other for other, multiple in _UNETS.items() if multiple <= _UNETS[name]]
    return next((other for other in names if all(side % _UNETS[other] == 0 for side in size)), names[-1])
