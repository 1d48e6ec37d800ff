"""The two registries, and the doors to them."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from torch import nn

from cyclekit._registry import Registry, suggestion
from cyclekit._timm import may_fetch
from cyclekit._typed import typed
from cyclekit.errors import ArgumentError, OptionError
from cyclekit.nets.checks import check_heads, check_positive
from cyclekit.nets.layers import Outputs, check_outputs

_TOO_LARGE = ("allocate", "Storage size", "overflow", "Overflow")
"""What torch says of tensors that no memory holds."""

Factory = TypeVar("Factory", bound=Callable[..., object])

generators: Registry[nn.Module] = Registry("generator", "cyclekit.generators")
"""The generators' registry, which the functions of this page read and write."""

discriminators: Registry[nn.Module] = Registry("discriminator", "cyclekit.discriminators")
"""The discriminators' registry."""


def register_generator(name: str, *, override: bool = False) -> Callable[[Factory], Factory]:
    """Return a decorator that registers a generator's factory.

    The factory is called as ``factory(in_channels, out_channels, **options)`` and returns an `nn.Module` that
    maps (batch in_channels height width) to (batch out_channels height width); where a side is a vector it has
    no height and width. A factory that takes ``final`` is given what `create_generator` is told of the outputs.

    Args:
        name: The name `create_generator` will know it by.
        override: Replace what carries the name already.

    Returns:
        The decorator; it returns the factory unchanged.

    Raises:
        ShapeError: The name is no text, or what is registered cannot be called.
        ArgumentError: The name is empty, or taken and ``override`` is false.

    Example:
        ```python
        from torch import nn
        from cyclekit.nets import create_generator, register_generator

        @register_generator("one_convolution", override=True)
        def one_convolution(in_channels, out_channels, *, kernel_size=3):
            return nn.Sequential(nn.Conv2d(in_channels, out_channels, kernel_size, padding="same"), nn.Tanh())

        network = create_generator("one_convolution", 3, 3, kernel_size=5)
        ```
    """
    return generators.register(name, override=override)


def register_discriminator(name: str, *, override: bool = False) -> Callable[[Factory], Factory]:
    """Return a decorator that registers a discriminator's factory.

    The factory is called as ``factory(in_channels, **options)``, and with ``heads`` besides where the
    caller gave some. It returns an `nn.Module` that gives logits, a list of logits (one for each scale), or,
    with heads, a dict with ``"source"`` and each head's logits.

    Args:
        name: The name `create_discriminator` will know it by.
        override: Replace what carries the name already.

    Returns:
        The decorator; it returns the factory unchanged.

    Raises:
        ShapeError: The name is no text, or what is registered cannot be called.
        ArgumentError: The name is empty, or taken and ``override`` is false.
    """
    return discriminators.register(name, override=override)


@typed
def create_generator(
    name: str, in_channels: int, out_channels: int, *, outputs: Outputs | None = None, **options: object
) -> nn.Module:
    """Build a generator by name.

    Args:
        name: One of `list_generators`, for example ``"unet_256"``.
        in_channels: Channels of the (concatenated) input.
        out_channels: Channels of the output.
        outputs: How each output ends, and its channels: ``(("tanh", 3), ("sigmoid", 1))`` for an image and a
            mask. It is the network's ``final``, where it has that option and ``options`` do not say it; by
            default the network's own.
        **options: The network's own options, passed on unaltered; see its class.

    Returns:
        The network, freshly initialised, in training mode. It maps (batch in_channels height width) to
        (batch out_channels height width), in [-1, 1] but where ``outputs`` or its class says otherwise.

    Raises:
        UnknownNameError: No generator has this name; the message gives the nearest.
        OptionError: The network has no such option; the message lists those it has.
        ArgumentError: A channel count below 1, an option's value that is not known, or a network too large to build.

    Example:
        ```python
        import torch
        from cyclekit.nets import create_generator

        G_I = create_generator("unet_64", in_channels=6, out_channels=3, norm="instance", base_channels=8)
        image = G_I(torch.zeros(1, 6, 64, 64))
        assert image.shape == (1, 3, 64, 64)
        ```
    """
    check_positive(in_channels=in_channels, out_channels=out_channels)
    if outputs is not None:
        check_outputs("outputs", outputs, out_channels)
        if "final" in _parameters(generators.factory(name)):
            options.setdefault("final", outputs)
    return _create(generators, name, (in_channels, out_channels), options)


@typed
def create_discriminator(
    name: str, in_channels: int, *, heads: Mapping[str, int] | None = None, **options: object
) -> nn.Module:
    """Build a discriminator by name.

    Args:
        name: One of `list_discriminators`, for example ``"patchgan_70"``.
        in_channels: Channels of the (concatenated) input.
        heads: Further outputs beside the source's, each a name and its number of logits (``{"cls": 5}``);
            only for networks that have heads.
        **options: The network's own options, passed on unaltered; see its class.

    Returns:
        The network, freshly initialised, in training mode. It gives logits, with no sigmoid: one map; a list
        of maps, one for each scale; or with heads ``{"source": logits, head: logits}``.

    Raises:
        UnknownNameError: No discriminator has this name; the message gives the nearest.
        OptionError: The network has no such option, or no heads; the message lists what there is.
        ArgumentError: A channel count below 1, an option's value that is not known, or a network too large to build.

    Example:
        ```python
        import torch
        from cyclekit.nets import create_discriminator

        D_I = create_discriminator("patchgan_70", in_channels=9, base_channels=8)
        assert D_I(torch.zeros(1, 9, 256, 256)).shape == (1, 1, 30, 30)
        ```
    """
    check_positive(in_channels=in_channels)
    if not heads:
        return _create(discriminators, name, (in_channels,), options)
    check_heads(heads)
    if not _has_heads(discriminators.factory(name)):
        known = [other for other in discriminators.list() if _has_heads(discriminators.factory(other))]
        raise OptionError(f"discriminator {name!r} has no heads; those with heads: {_listed(known)}")
    return _create(discriminators, name, (in_channels,), options, heads=heads)


def list_generators(pattern: str = "*") -> list[str]:
    """Return the names of the generators that match a glob pattern, in natural order.

    Args:
        pattern: A glob, for example ``"unet*"``.

    Returns:
        The names.

    Example:
        >>> from cyclekit.nets import list_generators
        >>> list_generators("unet*")
        ['unet_64', 'unet_128', 'unet_256', 'unet_512']
    """
    return generators.list(pattern)


def list_discriminators(pattern: str = "*") -> list[str]:
    """Return the names of the discriminators that match a glob pattern, in natural order.

    Args:
        pattern: A glob, for example ``"patchgan*"``.

    Returns:
        The names.

    Example:
        >>> from cyclekit.nets import list_discriminators
        >>> list_discriminators("patchgan*")
        ['patchgan_16', 'patchgan_70', 'patchgan_286']
    """
    return discriminators.list(pattern)


def _create(
    registry: Registry[nn.Module], name: str, channels: Sequence[int], options: Mapping[str, object], **given: object
) -> nn.Module:
    _check_options(registry, name, options)
    if not may_fetch() and "pretrained" in _parameters(registry.factory(name)):
        options = {**options, "pretrained": False}
    try:
        return registry.create(name, *channels, **given, **options)
    except (MemoryError, OverflowError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        if isinstance(error, RuntimeError) and not any(sign in reason for sign in _TOO_LARGE):
            raise
        said = ", ".join(f"{option}={value!r}" for option, value in options.items()) or "its defaults"
        raise ArgumentError(
            f"{registry.kind} {name!r} is too large to be built with {' and '.join(map(str, channels))} channels and "
            f"{said}: {reason}"
        ) from error


def _check_options(registry: Registry[nn.Module], name: str, options: Mapping[str, object]) -> None:
    factory = registry.factory(name)
    parameters = _parameters(factory)
    if not parameters or any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    # what the name itself settles (`unet_256` has 8 levels) is no option
    settled = {"in_channels", "out_channels", "heads"} | set(factory.keywords if isinstance(factory, partial) else ())
    known = parameters.keys() - settled
    for option in options:
        if option not in known:
            near = suggestion(option, known) if known else ""
            raise OptionError(
                f"{registry.kind} {name!r} has no option {option!r}"
                f"{near if 'mean' in near else ''}; it takes: {_listed(sorted(known))}"
            )


def _parameters(factory: Callable[..., object]) -> Mapping[str, inspect.Parameter]:
    """Return a factory's parameters by name; none where they cannot be known, as of a class written in C."""
    try:
        return inspect.signature(factory).parameters
    except ValueError:
        return {}


def _has_heads(factory: Callable[..., object]) -> bool:
    return "heads" in _parameters(factory)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
