"""A room may use what is below it, and nothing beside or above it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "cyclekit"
FLOORS = {
    "errors": -1,
    "graph": 0,
    "nets": 0,
    "losses": 0,
    "keypoints": 0,
    "metrics": 0,
    "pool": 0,
    "model": 1,
    "training": 2,
}
# CycleGraph.build hands the graph upstairs, from inside the method; test_the_graph_needs_no_torch watches it.
STAIRS = {("graph/graph.py", "model")}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room(path: Path) -> str:
    """Return ``nets`` for ``cyclekit/nets/unet.py``, ``_typed`` for ``cyclekit/_typed.py``."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Return the dotted names a file imports, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or ""))
    return names


def rooms_used(path: Path) -> set[str]:
    """Return the rooms and private modules of cyclekit that a file imports; the bare package as ``""``."""
    parts = [name.split(".") for name in imported(path)]
    return {(name[1:] or [""])[0] for name in parts if name[0] == "cyclekit"}


def floor(name: str) -> int:
    """Return a room's floor; a private module stands one above the highest room it uses."""
    if name in FLOORS:
        return FLOORS[name]
    used = rooms_used(PACKAGE / f"{name}.py")
    return max((floor(other) + (other in FLOORS) for other in used), default=-1)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path):
    own, file = room(path), path.relative_to(PACKAGE).as_posix()
    for other in rooms_used(path) - {own}:
        assert other, f"{file} imports the package's front door; import the room"
        below = floor(other) <= floor(own) - (other in FLOORS)
        assert below or (file, other) in STAIRS, f"{file} (floor {floor(own)}) imports {other} ({floor(other)})"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_are_absolute_and_stay_in_the_library(path):
    names = imported(path)
    assert not [name for name in names if name.startswith(".")]
    assert not names & {"examples", "tests", "benchmarks"}
    assert not names & {"torchvision", "torchmetrics"}
    assert "timm" not in names, f"{path} imports timm; use cyclekit._timm.import_timm"
    assert "__future__" not in names


def test_every_room_has_a_floor():
    rooms = {room(path) for path in FILES}
    assert {name for name in rooms if not name.startswith("_")} == set(FLOORS)


def test_the_graph_needs_no_torch():
    code = (
        "import sys, cyclekit, cyclekit.graph\n"
        "print([name for name in ('torch', 'numpy', 'kornia') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
