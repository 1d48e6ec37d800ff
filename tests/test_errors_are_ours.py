"""What the library raises is its own, and still the builtin it refines."""

import ast
import inspect
from pathlib import Path

import pytest

import cyclekit
from cyclekit import CycleKitError, errors

FILES = sorted(Path(cyclekit.__file__).parent.rglob("*.py"))
REFINED = {"Exception", "FileExistsError", "KeyError", "RuntimeError", "TypeError", "ValueError"}
OURS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, CycleKitError)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_module_raises_a_builtin_that_an_error_of_ours_refines(path):
    raised = [node.exc for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Raise)]
    called = [error.func.id for error in raised if isinstance(error, ast.Call) and isinstance(error.func, ast.Name)]
    assert not REFINED.intersection(called)


@pytest.mark.parametrize("kind", [kind for kind in OURS if kind is not CycleKitError])
def test_each_is_still_a_builtin(kind):
    assert any(base.__module__ == "builtins" and base is not Exception for base in kind.__mro__[1:-3])
