"""Criteria by name: what a term of a graph compares its two signals with."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

from torch import Tensor, nn

from cyclekit._registry import Registry
from cyclekit._typed import typed

Criterion: TypeAlias = Callable[..., Tensor]
"""Called with a prediction, a target, and what else it needs; returns a scalar tensor."""

Registered = TypeVar("Registered", bound=Callable[..., Tensor | nn.Module])

_registry: Registry[Tensor | nn.Module] = Registry("criterion", "cyclekit.criteria")


@typed
def create_criterion(name: str, **options: object) -> Criterion:
    """Create the criterion registered under a name.

    Args:
        name: A registered name.
        **options: Keywords of the function, bound to it, or of the module's constructor.

    Returns:
        A function or a module: `criterion(prediction, target, *extras)` gives a scalar.

    Raises:
        UnknownNameError: Nothing is registered under `name`.
        TypeError: The criterion takes no such option.

    Example:
        ```python
        import torch
        from cyclekit.losses import create_criterion

        l1 = create_criterion("l1")
        assert l1(torch.ones(2, 3, 4, 4), torch.zeros(2, 3, 4, 4)) == 1
        ```
    """
    return configured(_registry, name, options)


def list_criteria(pattern: str = "*") -> list[str]:
    """List the criteria.

    Args:
        pattern: A glob pattern, such as `"*cross_entropy"`.

    Returns:
        The registered names that match, in natural order.
    """
    return _registry.list(pattern)


def register_criterion(name: str, *, override: bool = False) -> Callable[[Registered], Registered]:
    """Return a decorator that registers a criterion: a function, or a class of modules or a partial of it.

    Args:
        name: The name `create_criterion` shall know it by.
        override: Replace what is registered under that name.

    Returns:
        The decorator; it gives the criterion back unaltered.

    Raises:
        ValueError: The name is taken and `override` is false.

    Example:
        ```python
        import torch
        from cyclekit.losses import create_criterion, register_criterion

        @register_criterion("darker")
        def darker(prediction, target, margin=0.0):
            return (target - prediction - margin).relu().mean()

        assert create_criterion("darker", margin=0.5)(torch.zeros(2), torch.ones(2)) == 0.5
        ```
    """
    return _registry.register(name, override=override)


def configured(registry: Registry[Any], name: str, options: Mapping[str, object]) -> Callable[..., Tensor]:
    """Return a registered function with options bound to it, or an object of a registered class made with them.

    Raises:
        UnknownNameError: Nothing is registered under `name`.
        TypeError: It takes no such option.
    """
    measure = registry.factory(name)
    made_by = measure.func if isinstance(measure, functools.partial) else measure
    if isinstance(made_by, type):
        return measure(**options)
    try:
        inspect.signature(measure).bind_partial(**options)
    except TypeError as error:
        raise TypeError(f"{registry.kind} {name!r}: {error}") from None
    return functools.partial(measure, **options) if options else measure
