"""The documentation of the command: its lines run as written, in their order; its options are the parser's."""

import os
import re
import shlex
import subprocess
import sys
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import pytest

from cyclekit.command.dispatch import COMMANDS
from cyclekit.command.options import flag_of

DOCS = Path(__file__).parents[2] / "docs"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


PAGES = ["command.md", *sorted(f"howto/{path.name}" for path in (DOCS / "howto").glob("*.md"))]

# The options of pytorch-CycleGAN-and-pix2pix, of its base, training and test, and of both models; those it had once.
THEIRS = """
    dataroot name gpu_ids checkpoints_dir model input_nc output_nc ngf ndf netD netG n_layers_D norm init_type init_gain
    no_dropout dataset_mode direction serial_batches num_threads batch_size load_size crop_size max_dataset_size
    preprocess no_flip display_winsize epoch load_iter verbose suffix use_wandb wandb_project_name
    display_freq display_ncols display_id display_server display_env display_port update_html_freq print_freq no_html
    save_latest_freq save_epoch_freq save_by_iter continue_train epoch_count phase n_epochs n_epochs_decay beta1 lr
    gan_mode pool_size lr_policy lr_decay_iters
    results_dir aspect_ratio eval num_test model_suffix
    lambda_A lambda_B lambda_identity lambda_L1
"""
ONCE = "niter niter_decay how_many"


def lines_of(page: str) -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return [line for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]


@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(line.startswith("cyclekit") for line in lines_of(page))]
)
def test_documented_lines_run_in_their_order(cyclekit, inside, page):
    for line in lines_of(page):
        program, *words = shlex.split(line)
        if program == "cyclekit":
            said = cyclekit(*words)
            assert said.status == 0, (line, said.error)
        else:
            run_beside(line, program, words)


@pytest.mark.parametrize("page", ["../README.md", "index.md"])
def test_the_front_pages_lines_run_with_less(cyclekit, inside, page):
    lines = [shlex.split(line)[1:] for line in lines_of(page) if line.startswith("cyclekit")]
    assert [words[0] for words in lines] == ["train", "translate"]
    for words in lines:
        less = ["--size", 64, "--steps", 2, "--base-channels", 4] if words[0] == "train" else []
        said = cyclekit(*words, *less)
        assert said.status == 0, (words, said.error)


def run_beside(line: str, program: str, words: list[str]) -> None:
    """Run a line of torchrun, whose processes are its own."""
    assert program == "torchrun", line
    command = [sys.executable, "-m", "torch.distributed.run", *words]
    surroundings = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(DOCS.parent)}
    result = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
    assert result.returncode == 0, (line, result.stderr)


def test_every_option_is_documented_and_no_other():
    text = (DOCS / "command.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## ([\w, ]+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    for command in COMMANDS:
        (section,) = (part for title, part in sections.items() if command in re.findall(r"\w+", title))
        named = {flag_of(field.name) for field in fields(import_module(f"cyclekit.command.{command}").Options)}
        missing = named - {"paper", "what", "pattern"} - set(re.findall(r"`--([a-z-]+)", section))
        assert not missing, f"{command}: {missing}"
    known = {flag_of(f.name) for name in COMMANDS for f in fields(import_module(f"cyclekit.command.{name}").Options)}
    assert set(re.findall(r"`--([a-z-]+)", text)) <= known


def test_their_flags_have_lines_of_ours():
    """Each of their options is on the page for those who come from there, and every one of ours there is one."""
    text = (DOCS / "howto" / "coming_from.md").read_text(encoding="utf-8")
    known = {flag_of(f.name) for name in COMMANDS for f in fields(import_module(f"cyclekit.command.{name}").Options)}
    torchrun = {"standalone", "nproc-per-node"}
    rows = re.findall(r"^\| (.*?) \| (.*) \|$", text, re.MULTILINE)
    for _, ours in rows:
        assert set(re.findall(r"--([a-z][a-z-]*)", ours)) <= known | torchrun, ours
    assert {flag for theirs, _ in rows for flag in re.findall(r"--(\w+)", theirs)} == {*THEIRS.split(), *ONCE.split()}
