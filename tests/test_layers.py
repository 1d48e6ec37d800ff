"""A room may use what is below it, nothing beside or above it; modules import each other in no circle."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "cyclekit"
FLOORS = {
    "errors": -1,
    "graph": 0,
    "nets": 0,
    "losses": 0,
    "keypoints": 0,
    "metrics": 0,
    "pool": 0,
    "papers": 1,
    "model": 1,
    "data": 1,
    "training": 2,
    "command": 3,
}
# CycleGraph.build hands the graph to the model from inside the method, as Paper.build does through it;
# test_graph_and_papers_need_no_torch watches it.
STAIRS = {("graph/graph.py", "model"), ("papers/paper.py", "model")}
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


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_to_run(path: Path) -> Iterator[str]:
    """Yield the library's modules a file imports when it is imported: not for types alone, not inside functions."""
    waiting: list[ast.AST] = list(ast.parse(path.read_text(encoding="utf-8")).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cyclekit."):
            # ``from cyclekit.graph import check`` imports a module, ``... import CycleGraph`` does not.
            submodules = [f"{node.module}.{alias.name}" for alias in node.names]
            found = [name for name in submodules if name in MODULES]
            yield from found or [str(node.module)]
        elif isinstance(node, ast.Try | ast.ClassDef) or (
            isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.unparse(node.test)
        ):
            waiting += node.body


MODULES = {module_of(path): path for path in FILES}


def test_modules_import_each_other_in_no_circle():
    TopologicalSorter({name: set(imported_to_run(path)) for name, path in MODULES.items()}).prepare()


def test_no_private_module_is_imported_across_rooms():
    for path in FILES:
        for name in imported(path):
            parts = name.split(".")
            private = len(parts) > 2 and parts[0] == "cyclekit" and any(part.startswith("_") for part in parts[2:])
            assert not private or parts[1] == room(path), f"{path} imports {name}"


def test_no_two_modules_of_one_name():
    # a paper's module is called as the paper is, and a subcommand's as the subcommand, whatever others are called
    names = [path.stem for path in FILES if path.stem != "__init__" and room(path) not in ("papers", "command")]
    assert sorted(names) == sorted({*names})


def test_the_drawing_of_the_rooms_is_true():
    page = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    drawn = set(re.findall(r"^    (\w+) --> (\w+)$", page, re.MULTILINE))
    used = {(room(path), other) for path in FILES for other in rooms_used(path) - {room(path)} if other in FLOORS}
    stairs = {(path.partition("/")[0], other) for path, other in STAIRS}
    assert drawn == {(own, other) for own, other in used - stairs if own in FLOORS and other != "errors"}


def test_every_room_has_a_floor():
    rooms = {room(path) for path in FILES}
    assert {name for name in rooms if not name.startswith("_")} == set(FLOORS)


def test_graph_and_papers_need_no_torch():
    code = (
        "import sys, cyclekit, cyclekit.graph, cyclekit.papers\n"
        "for name in cyclekit.papers.list_papers():\n"
        "    paper = cyclekit.papers.create_paper(name)\n"
        "    print(paper.graph, paper.recipe, paper.graph.to_latex(), paper.graph.to_mermaid(), file=sys.stderr)\n"
        "print([name for name in ('torch', 'numpy', 'kornia') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
