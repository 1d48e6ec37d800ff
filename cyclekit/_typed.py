"""Shapes and types checked at the public doors."""

import builtins
import functools
import inspect
import os
import re
import reprlib
import types
from collections import abc
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, Literal, ParamSpec, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import torch
from beartype import BeartypeConf
from beartype.door import is_bearable
from jaxtyping import AbstractArray, jaxtyped
from torch import Tensor

from cyclekit._registry import suggestion
from cyclekit.errors import ShapeError, UnknownNameError

P = ParamSpec("P")
R = TypeVar("R")

CHECKS_ENABLED = os.environ.get("CYCLEKIT_TYPECHECK", "1") != "0"

_CONF = BeartypeConf(is_pep484_tower=True)  # an int is a float, as for every static checker
_REMEMBERED = 256  # accepted calls a function keeps
_LONGEST = 64  # items of a container that is remembered
_PLAIN = (str, int, float, torch.dtype, torch.device, type)
_MODULES = re.compile(r"\b(?:[a-zA-Z_]\w*\.)+")


def typed(function: Callable[P, R]) -> Callable[P, R]:
    """Check a public function's jaxtyping and type annotations on every call.

    Calls are judged by the shapes, dtypes, classes and plain values that went in and came out. What was
    accepted once is remembered, so a training step that repeats its shapes pays for a look-up. The check is
    gone inside ``torch.compile`` and ``torch.export``, and everywhere when the environment variable
    ``CYCLEKIT_TYPECHECK`` is ``0`` at import.

    Args:
        function: A function or method. ``@typed`` stands below ``@staticmethod``, ``@classmethod`` and
            ``@property``.

    Returns:
        The same function with the check before and after it.

    Raises:
        ShapeError: From the decorated function, when an argument or the result does not fit.
        UnknownNameError: Likewise, when a name is none of those a `Literal` lists.
    """
    if not CHECKS_ENABLED:
        return function
    accepted: dict[Hashable, Hashable] = {}

    def door(*args: P.args, **kwargs: P.kwargs) -> R:
        if torch.compiler.is_compiling():
            return function(*args, **kwargs)
        call = (_fingerprint(args), _fingerprint(kwargs))
        if call not in accepted:
            _check(function, args, kwargs)
        result = function(*args, **kwargs)
        outcome = _fingerprint(result)
        if call not in accepted or accepted[call] != outcome:
            _check(function, args, kwargs, result)
            if len(accepted) >= _REMEMBERED:
                accepted.clear()
            accepted[call] = outcome
        return result

    return functools.wraps(function)(with_own_code(door, called=function))


def with_own_code(function: Callable[P, R], *, called: Callable[..., object]) -> Callable[P, R]:
    """Return a copy of a function with a code object of its own, named as another function is.

    Dynamo counts recompilations by code object: with one for all, a process could compile eight functions.
    """
    code = function.__code__.replace(co_name=called.__name__, co_qualname=called.__qualname__)
    return types.FunctionType(code, function.__globals__, None, function.__defaults__, function.__closure__)


def _fingerprint(value: object) -> Hashable:
    """Return all of a value that an annotation can judge, without keeping the value."""
    kind = type(value)
    if isinstance(value, Tensor):
        return kind, value.dtype, value.shape
    if value is None or isinstance(value, _PLAIN):
        return kind, value
    if isinstance(value, tuple | list | set | frozenset):
        items = cast("Sequence[object]", value)
        return (kind, *map(_fingerprint, items)) if len(items) <= _LONGEST else object()
    if isinstance(value, Mapping):
        entries = cast("Mapping[object, object]", value)
        if len(entries) > _LONGEST:
            return object()  # equals nothing, so the next call is checked again
        return kind, *map(_fingerprint, entries), *map(_fingerprint, entries.values())
    return kind


def _check(function: Callable[..., object], args: Sequence[object], kwargs: Mapping[str, Any], *result: object) -> None:
    try:
        signature = _signature(function)
        bound = signature.bind(*args, **kwargs)
    except TypeError:
        return  # the call itself raises Python's own message
    hints = _hints(function)
    sizes: dict[str, object] = {}
    with jaxtyped("context"):
        for name, parameter, value in _arguments(signature, bound.arguments):
            if parameter in hints and not _fits(value, hints[parameter], sizes):
                _refuse_unknown_choice(f"{_name(function)}() argument {name!r}", value, hints[parameter])
                raise ShapeError(f"{_name(function)}() argument {name!r}: {_mismatch(value, hints[parameter], sizes)}")
        if "return" in hints and not all(_fits(value, hints["return"], sizes) for value in result):
            raise ShapeError(f"{_name(function)}() result: {_mismatch(result[0], hints['return'], sizes)}")


def check_keywords(function: Callable[..., object], keywords: Mapping[str, object], where: str) -> None:
    """Check options by a function's, or a constructor's, annotations before it is called.

    Args:
        function: The function or class.
        keywords: The options.
        where: Whose they are, as messages say it.

    Raises:
        ShapeError: One does not fit.
        UnknownNameError: A name is none of those a `Literal` lists.
    """
    if not CHECKS_ENABLED or torch.compiler.is_compiling():
        return
    try:
        hints = _hints(function.__init__ if isinstance(function, type) else inspect.unwrap(function))
    except (NameError, TypeError):  # annotations of a user's that cannot be read, or none
        return
    for name, value in keywords.items():
        if name in hints and not _fits(value, hints[name], {}):
            _refuse_unknown_choice(f"{where}, option {name!r}", value, hints[name])
            raise ShapeError(f"{where}, option {name!r}: {_mismatch(value, hints[name], {})}")


_signature = functools.cache(inspect.signature)


@functools.cache
def _hints(function: Callable[..., object]) -> dict[str, Any]:
    return get_type_hints(function, include_extras=True)


def _arguments(signature: inspect.Signature, values: Mapping[str, Any]) -> Iterator[tuple[str, str, object]]:
    """Yield each argument's name, its parameter and its value, ``*args`` and ``**kwargs`` item by item."""
    for parameter, value in values.items():
        match signature.parameters[parameter].kind:
            case inspect.Parameter.VAR_POSITIONAL:
                yield from ((f"{parameter}[{index}]", parameter, item) for index, item in enumerate(value))
            case inspect.Parameter.VAR_KEYWORD:
                yield from ((name, parameter, item) for name, item in value.items())
            case _:
                yield parameter, parameter, value


def _fits(value: Any, hint: Any, sizes: dict[str, object]) -> bool:
    """Whether a value fits a hint; every item of a container counts, where beartype alone samples one."""
    if get_origin(hint) in (Union, types.UnionType):
        return any(_fits(value, arm, sizes) for arm in get_args(hint))
    if not is_bearable(value, hint, conf=_CONF):
        return False
    if isinstance(value, Tensor) and isinstance(hint, type) and issubclass(hint, AbstractArray):
        sizes |= _sizes(hint.dim_str, value.shape)
    return all(_fits(item, item_hint, sizes) for item, item_hint in _items(value, hint))


def _refuse_unknown_choice(where: str, value: object, hint: object) -> None:
    """Raise, with the nearest names, for a name that is none of a `Literal`'s."""
    known = _choices(hint)
    for name in (value,) if isinstance(value, str) else value if isinstance(value, tuple) else ():
        if isinstance(name, str) and known and name not in known:
            raise UnknownNameError(f"{where}: there is no {name!r}{suggestion(name, known)}")


def _choices(hint: object) -> list[str]:
    arms = get_args(hint)
    if get_origin(hint) in (Union, types.UnionType, tuple):
        return [name for arm in arms for name in _choices(arm)]
    return [name for name in arms if isinstance(name, str)] if get_origin(hint) is Literal else []


def _items(value: Any, hint: Any) -> Iterator[tuple[Any, Any]]:
    arguments = get_args(hint)
    match get_origin(hint), arguments:
        case (builtins.tuple, (item, builtins.Ellipsis)) | ((builtins.list | abc.Sequence), (item,)):
            return ((entry, item) for entry in (_of_each_kind(value) if _by_class(item) else value))
        case builtins.tuple, _:
            return zip(value, arguments, strict=True)
        case ((builtins.dict | abc.Mapping), (_, item)):
            return ((entry, item) for entry in value.values())
        case _:
            return iter(())


@functools.cache
def _by_class(hint: Any) -> bool:
    """Whether a hint judges a value by its class alone, or by those of a tuple's items."""
    if get_origin(hint) is tuple:
        return all(_by_class(item) for item in get_args(hint))
    return hint in (bool, int, float, str)


def _of_each_kind(values: Sequence[Any]) -> list[Any]:
    """Return one value of each kind there is: of a hundred thousand pairs of numbers one says it all."""
    return list({_kind(value): value for value in values}.values())


def _kind(value: Any) -> Any:
    return (tuple, *map(_kind, value)) if type(value) is tuple else type(value)


def _sizes(axes: str, shape: Sequence[int]) -> dict[str, object]:
    """Return the sizes of the named axes, counted from both ends of a variadic one."""
    names = axes.split()
    cut = next((i for i, name in enumerate(names) if "*" in name or name == "..."), len(names))
    pairs = [*zip(names[:cut], shape, strict=False), *zip(names[:cut:-1], shape[::-1], strict=False)]
    sizes: dict[str, object] = {name: size for name, size in pairs if name.isidentifier()}
    if cut < len(names) and names[cut][1:].isidentifier():
        sizes[names[cut][1:]] = tuple(shape[cut : len(shape) - (len(names) - cut - 1)])
    return sizes


def _mismatch(value: object, hint: object, sizes: Mapping[str, object]) -> str:
    expected = _MODULES.sub("", inspect.formatannotation(hint)).replace("'", '"')
    bound = ", ".join(f"{name}={sizes[name]}" for name in re.findall(r"\w+", expected) if name in sizes)
    return f"expected {expected}{' with ' + bound if bound else ''}, got {_describe(value)}"


def _describe(value: Any) -> str:
    kind = type(value).__name__
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} tensor of shape {tuple(value.shape)}"
    if isinstance(value, list | tuple) and any(isinstance(item, Tensor) for item in value):
        return f"{kind} of " + ", ".join(map(_describe, value))
    if isinstance(value, Mapping) and any(isinstance(item, Tensor) for item in value.values()):
        return f"{kind} of " + ", ".join(f"{key!r}: {_describe(item)}" for key, item in value.items())
    if isinstance(value, torch.nn.Module):
        return kind
    return "None" if value is None else f"{reprlib.repr(value)} ({kind})"


def _name(function: Callable[..., object]) -> str:
    return function.__qualname__.rpartition("<locals>.")[2]
