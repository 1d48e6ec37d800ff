"""Every public thing is annotated, and says what it takes, gives and raises."""

import ast
import dataclasses
import enum
import inspect
import re
import textwrap
from types import FunctionType

import pytest

from tests.public import Public, documented, exports

THINGS = documented()
CLASSES = [thing for thing in THINGS if isinstance(thing.value, type)]
RECEIVERS = {"self", "cls"}


def name_of(thing: Public) -> str:
    return thing.name


def sections(docstring: str) -> dict[str, str]:
    """Return a Google docstring's sections by title."""
    parts = re.split(r"^([A-Z]\w+):\n", docstring, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def described(section: str) -> set[str]:
    """Return the names a section describes, ``a, b: ...`` and ``**options: ...`` too."""
    entries = re.findall(r"^    (\*{0,2}\w[^:\n]*?)(?: \([^)\n]*\))?:", section, re.MULTILINE)
    return {name.strip("* `") for entry in entries for name in entry.split(",")}


def parameters(function: object) -> list[inspect.Parameter]:
    listed = inspect.signature(function).parameters.values()
    return [parameter for parameter in listed if parameter.name not in RECEIVERS]


def is_protocol(value: object) -> bool:
    return getattr(value, "_is_protocol", False)  # typing.is_protocol is Python 3.13's


def is_said_by_a_protocol(thing: Public) -> bool:
    """Whether a protocol of the room describes a method, so that one line of its own is enough."""
    room, owner, method = thing.name.rsplit(".", 2) if thing.name.count(".") > 2 else ("", "", "")
    protocols = [value for name, value in exports() if name.startswith(f"{room}.") and is_protocol(value)]
    return any(method in vars(value) and value.__name__ != owner for value in protocols)


def syntax(function: FunctionType) -> ast.FunctionDef:
    tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function)))).body[0]
    if not isinstance(tree, ast.FunctionDef):
        raise TypeError(f"{function} is not a function")
    return tree


def raised(function: FunctionType) -> set[str]:
    """Return the exceptions a function's own body names in ``raise``; functions inside it do not count."""
    names: set[str] = set()
    stack: list[ast.AST] = list(syntax(function).body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            continue
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name):
            names.add(node.exc.func.id)
        stack += ast.iter_child_nodes(node)
    return names - {"NotImplementedError"}


def writes_init(made: type) -> bool:
    """Whether a class has an ``__init__`` written in this library, not one a decorator or a base made."""
    init = vars(made).get("__init__")
    return isinstance(init, FunctionType) and inspect.unwrap(init).__code__.co_filename == inspect.getsourcefile(made)


def is_made_by_callers(made: type) -> bool:
    fields = dataclasses.is_dataclass(made) or issubclass(made, tuple)
    return (fields or writes_init(made)) and not issubclass(made, Exception | enum.Enum)


ALL_FUNCTIONS = [thing for thing in THINGS if isinstance(thing.value, FunctionType)]
FUNCTIONS = [thing for thing in ALL_FUNCTIONS if not is_said_by_a_protocol(thing)]


@pytest.mark.parametrize("thing", THINGS, ids=name_of)
def test_it_has_a_docstring(thing):
    assert thing.docstring


@pytest.mark.parametrize("thing", ALL_FUNCTIONS, ids=name_of)
def test_it_is_annotated(thing):
    empty = inspect.Parameter.empty
    assert not [p.name for p in parameters(thing.value) if p.annotation is empty]
    assert inspect.signature(thing.value).return_annotation is not empty


@pytest.mark.parametrize("thing", FUNCTIONS, ids=name_of)
def test_its_arguments_are_described(thing):
    names = {parameter.name for parameter in parameters(thing.value)}
    assert names == described(sections(thing.docstring).get("Args", ""))


@pytest.mark.parametrize("thing", FUNCTIONS, ids=name_of)
def test_its_result_is_described(thing):
    returns = inspect.signature(thing.value).return_annotation not in (None, "None")
    assert not returns or thing.is_property or {"Returns", "Yields"} & sections(thing.docstring).keys()


@pytest.mark.parametrize("thing", FUNCTIONS, ids=name_of)
def test_what_it_raises_is_described(thing):
    assert raised(thing.value) <= described(sections(thing.docstring).get("Raises", ""))


@pytest.mark.parametrize("thing", [c for c in CLASSES if is_made_by_callers(c.value)], ids=name_of)
def test_a_class_describes_what_makes_it(thing):
    found = sections(thing.docstring)
    names = {parameter.name for parameter in parameters(thing.value)}
    assert names <= described(found.get("Args", "")) | described(found.get("Attributes", ""))


@pytest.mark.parametrize("thing", [c for c in CLASSES if writes_init(c.value)], ids=name_of)
def test_a_class_describes_what_its_making_raises(thing):
    assert raised(thing.value.__init__) <= described(sections(thing.docstring).get("Raises", ""))
