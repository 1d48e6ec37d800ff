"""`cyclekit list` and `cyclekit show`, `--help`, and words that are no command."""

import subprocess
import sys
from pathlib import Path

import pytest

from cyclekit.command.dispatch import COMMANDS
from cyclekit.nets import list_generators
from cyclekit.papers import create_paper, list_papers


def test_list_names_every_paper_with_its_title_and_venue(cyclekit):
    said = cyclekit("list")
    assert said.status == 0
    listed = {line.split()[0]: line for line in said.out.splitlines()}
    assert list(listed) == list_papers()
    for name, line in listed.items():
        source = create_paper(name).source
        assert source.title in line
        assert source.venue in line


def test_list_takes_a_pattern(cyclekit):
    said = cyclekit("list", "*cycle*")
    assert [line.split()[0] for line in said.out.splitlines()] == list_papers("*cycle*")
    said = cyclekit("list", "unet*", "--of", "generators")
    assert said.out.split() == list_generators("unet*")
    for kind in ("discriminators", "criteria", "losses", "penalties"):
        assert cyclekit("list", "--of", kind).out.split()


@pytest.mark.parametrize("name", list_papers())
def test_show_says_what_a_paper_is(cyclekit, name):
    paper = create_paper(name)
    said = cyclekit("show", name)
    assert said.status == 0
    for part in (paper.source, paper.recipe, paper.graph, paper.graph.plan(), paper.graph.to_mermaid(), *paper.notes):
        assert str(part) in said.out
    assert cyclekit("show", name, "--latex").out == paper.graph.to_latex() + "\n"
    assert cyclekit("show", name, "--diagram").out == paper.graph.to_mermaid() + "\n"


def test_help_names_every_command(cyclekit):
    for words in ([], ["--help"], ["-h"], ["help"]):
        said = cyclekit(*words)
        assert said.status == 0
        assert all(name in said.out for name in COMMANDS)
    for name in COMMANDS:
        said = cyclekit(name, "--help")
        assert said.status == 0
        assert said.out.startswith(f"usage: cyclekit {name}")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["lst"], "no command 'lst'; did you mean 'list'?"),
        (["list", "zzz"], "none of the papers matches 'zzz'"),
        (["list", "--off", "x"], "no option --off; did you mean '--of'?"),
        (["list", "--of", "generator"], "invalid choice 'generator' for argument '--of'"),
        (["list", "a", "b"], "Unrecognized options: b"),
        (["show"], "PAPER|RUN"),
        (["show", "cyclgan"], "did you mean 'cyclegan'"),
        (["show", "cyclegan", "--latex", "--diagram"], "choose one of them"),
        (["show", "."], "lacks options.yaml"),
    ],
)
def test_wrong_words_end_in_one_line(refused, words, part, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert part in refused(*words)


def test_the_module_is_the_command():
    result = subprocess.run([sys.executable, "-m", "cyclekit", "list", "cyclegan"], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    assert "ICCV 2017" in result.stdout
    wrong = subprocess.run([sys.executable, "-m", "cyclekit", "lsit"], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert wrong.stderr == "error: cyclekit has no command 'lsit'; did you mean 'list'?\n"


def test_names_need_no_torch(tmp_path):
    code = (
        "import sys; from cyclekit.command import run_command\n"
        "assert run_command(['list']) == 0 and run_command(['show', 'cyclegan']) == 0\n"
        "assert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).returncode == 0


@pytest.mark.parametrize("missing", ["tyro", "yaml"])
def test_without_the_extra_it_is_named(missing):
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from cyclekit.command import run_command; sys.exit(run_command(['show', '.']))"
    )
    here = {"cwd": Path(__file__).parent}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, **here)
    assert result.returncode == 2
    if missing == "tyro":
        assert result.stderr == (
            "error: the command needs tyro, which is not installed: pip install 'cyclekit[train]'\n"
        )


def test_unpaired_inputs_are_a_papers_own_pictures():
    for name in list_papers():
        paper = create_paper(name)
        assert set(paper.unpaired) <= set(paper.graph.inputs)
        assert len(paper.unpaired) != 1
