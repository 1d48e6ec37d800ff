"""The pages and docstrings: every block runs, every command exists, every public name has its entry."""

import doctest
import importlib
import re
import shlex
import subprocess
import sys
import textwrap
import tomllib
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from cyclekit._registry import Registry
from tests.public import documented, exports

ROOT = Path(__file__).parents[1]
PAGES = [page for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))) if page.exists()]
SHOWN = [
    "docs/index.md",
    "docs/tutorial.md",
    "docs/write_your_own.md",
    *(f"docs/notebooks/{n}.md" for n in ("c2gan", "cyclegan")),
]
LANGUAGES = {"bash", "json", "mermaid", "python", "text", "toml", "yaml"}
PROGRAMS = {"accelerate", "cd", "cyclekit", "git", "make", "pip", "python", "source", "tensorboard", "torchrun"}

_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^`\n]*)\n(?P<body>.*?)^(?P=indent)``` *$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    info: str
    body: str
    line: int


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a Markdown text."""
    found: list[Block] = []
    for match in _FENCE.finditer(text):
        line = text[: match.start("body")].count("\n") + 1
        found.append(Block(match["info"].strip(), textwrap.dedent(match["body"]), line))
    return found


def run(code: list[Block], file: str) -> None:
    """Run blocks one after the other in one namespace; tracebacks show the line in ``file``."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    for block in code:
        exec(compile("\n" * (block.line - 1) + block.body, file, "exec"), namespace)


@pytest.fixture(autouse=True)
def own_registries(monkeypatch):
    """Let an example register what it likes, for itself."""
    for module in [module for name, module in sys.modules.items() if name.startswith("cyclekit.")]:
        for value in list(vars(module).values()):
            if isinstance(value, Registry):
                monkeypatch.setattr(value, "_factories", dict(value._factories))


def page_id(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_blocks_say_what_they_are(page):
    for block in blocks(page.read_text(encoding="utf-8")):
        assert block.info in LANGUAGES, f"{page_id(page)}:{block.line}: ```{block.info}"


@pytest.mark.parametrize("page", [page for page in PAGES if page_id(page) not in SHOWN], ids=page_id)
def test_python_blocks_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = blocks(page.read_text(encoding="utf-8"))
    run([block for block in found if block.info.startswith("python")], str(page))


@pytest.mark.parametrize("thing", documented(), ids=lambda thing: thing.name)
def test_docstring_examples_run(thing, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run([block for block in blocks(thing.docstring) if block.info.startswith("python")], thing.name)
    for example in doctest.DocTestFinder(recurse=False).find(thing.value, thing.name, globs={}):
        assert not doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example).failed


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_commands_exist(page):
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.info == "bash":
            for line in block.body.replace("\\\n", " ").splitlines():
                if words := shlex.split(line, comments=True):
                    check_command(words)


def check_command(words: list[str]) -> None:
    while "=" in words[0] and not words[0].startswith("-"):
        words = words[1:]  # an environment variable
    program = Path(words[0]).name
    assert program in PROGRAMS, f"{program!r} is not a program the docs use"
    if program == "make":
        phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        assert set(words[1:]) <= set(phony[1].split()), f"no such target: {' '.join(words)}"
    if program == "pip":
        wanted = ",".join(re.findall(r"\[([a-z][\w,]*)\]", " ".join(words)))
        offered = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert set(filter(None, wanted.split(","))) <= set(offered["optional-dependencies"])
    scripts = [index for index, word in enumerate(words) if word.endswith(".py")]
    if scripts:
        script, rest = words[scripts[0]], words[scripts[0] + 1 :]
        assert (ROOT / script).is_file(), f"there is no {script}"
        known = options(script, *[word for word in rest[:1] if word.isidentifier()])
        unknown = [word for word in rest if word.startswith("--") and word.partition("=")[0] not in known]
        assert not unknown, f"{script} has no {unknown}; its options are {sorted(known)}"


@cache
def options(script: str, *command: str) -> set[str]:
    """Return the options that the ``--help`` of a script, or of one of its commands, lists."""
    result = subprocess.run(
        [sys.executable, script, *command, "--help"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(re.findall(r"--[a-z][\w-]*", result.stdout))


@pytest.mark.parametrize("name", SHOWN)
def test_a_page_shows_what_its_blocks_print(name, capsys, tmp_path, monkeypatch):
    """Blocks run; text right behind one is what that prints; the landing page shows the end of it."""
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "__main__"}
    found = [block for block in blocks((ROOT / name).read_text(encoding="utf-8")) if block.info != "bash"]
    shown = 0
    for block, behind in pairwise([*found, Block("", "", 0)]):
        if block.info == "python":
            exec(compile(block.body, name, "exec"), namespace)
            printed = capsys.readouterr().out
            if behind.info == "text":
                shown += 1
                ends = printed.strip().split("\n")[-len(behind.body.strip().split("\n")) :]
                wanted = behind.body.strip().split("\n")
                match = doctest.OutputChecker().check_output
                assert all(map(match, wanted, ends, [doctest.ELLIPSIS] * len(ends))), printed
    assert shown


def entries() -> dict[str, object]:
    """Return what the pages' ``:::`` lines name, resolved."""
    found: dict[str, object] = {}
    for page in PAGES:
        for name in re.findall(r"^::: +([\w.]+)$", page.read_text(encoding="utf-8"), re.MULTILINE):
            module, _, attribute = name.rpartition(".")
            found[name] = getattr(importlib.import_module(module), attribute)
    return found


def test_every_public_name_has_its_entry():
    described = {id(value) for value in entries().values()}
    assert not [name for name, value in exports() if id(value) not in described]


def test_every_entry_is_public():
    public = {id(value) for _, value in exports()}
    assert not [name for name, value in entries().items() if id(value) not in public]


def test_every_page_is_in_the_navigation():
    listed = re.findall(r" ([\w/]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    pages = (ROOT / "docs").rglob("*.md")
    assert sorted(listed) == sorted(page.relative_to(ROOT / "docs").as_posix() for page in pages)
