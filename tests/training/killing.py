"""Kills runs with SIGKILL at several moments and resumes them; `test_killed.py` looks at what is left.

Every run is a process of its own, forked off one that has torch imported already.
"""

import os
import pathlib
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from cyclekit.model import files
from cyclekit.training import latest_checkpoint
from tests.model.tiny import C2GAN
from tests.training.runs import Run, with_short_history
from tests.training.small import batches

STEPS, EVERY = 8, 2
GRAPH = with_short_history(C2GAN)


def train(root: Path, after_step: Callable[[int], object] = lambda iteration: None, until: int = STEPS) -> Run:
    """Train with a checkpoint every other step, from the last one on."""
    run = Run(GRAPH)
    if found := latest_checkpoint(root):
        run.load(found)
    data = batches(GRAPH, count=STEPS)
    while run.step.iteration < until:
        run.play([data[run.step.iteration]])
        if run.step.iteration % EVERY == 0:
            run.save(root)
        after_step(run.step.iteration)
    return run


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at_step(number: int) -> Callable[[Path], object]:
    return lambda root: train(root, lambda iteration: die() if iteration == number else None)


def at_second_call(owner: Any, name: str, instead: Callable[..., object]) -> Callable[[Path], object]:
    """Let something happen when a function is called for the second time, which is in the second checkpoint."""

    def run(root: Path) -> None:
        original, calls = getattr(owner, name), []

        def counting(*args: Any, **kwargs: Any) -> object:
            calls.append(name)
            return (original if len(calls) != 2 else instead)(*args, **kwargs)

        setattr(owner, name, counting)
        train(root)

    return run


def half_the_weights(tensors: Any, file: Path, **_: object) -> None:
    torch.save(tensors, file)
    file.write_bytes(file.read_bytes()[:999])
    die()


def half_the_state(state: Any, file: Path) -> None:
    file.write_bytes(b"PK\x03\x04")
    die()


def die_once_in_place(draft: Path, folder: Path) -> None:
    os.rename(draft, folder)
    die()


def die_between_two_renames(root: Path) -> None:
    """Write the checkpoint of one iteration again, and die when it has stepped aside for the new one."""
    run = train(root, until=EVERY)
    renamed = pathlib.Path.rename

    def renaming(path: Path, other: Path) -> Path:
        if other.name.endswith("-old"):
            renamed(path, other)
            die()
        return renamed(path, other)

    pathlib.Path.rename = renaming
    run.save(root)


def die_with_the_former_half_removed(root: Path) -> None:
    removed = shutil.rmtree

    def removing(folder: Path, **options: Any) -> None:
        if folder.name.startswith(".step-00000002-") and (folder / "training.pt").exists():
            (folder / "training.pt").unlink()
            die()
        removed(folder, **options)

    shutil.rmtree = removing
    train(root)


MOMENTS: dict[str, Callable[[Path], object]] = {
    "before the first checkpoint": die_at_step(1),
    "between two checkpoints": die_at_step(3),
    "amid the weights": at_second_call(files, "save_file", half_the_weights),
    "between weights and state": at_second_call(torch, "save", die),
    "amid the state": at_second_call(torch, "save", half_the_state),
    "before the folder takes its place": at_second_call(pathlib.Path, "rename", die),
    "after the folder took its place": at_second_call(pathlib.Path, "rename", die_once_in_place),
    "between the two renames": die_between_two_renames,
    "amid the removal of the former": die_with_the_former_half_removed,
    "at the end": die_at_step(STEPS),
}


def forked(work: Callable[[], object]) -> int:
    """Do something in a process of its own; return the signal that killed it, 0 where none did."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    forked_from = Run(GRAPH)  # everything imported, so that the forks start at once
    forked_from.play(batches(GRAPH))
    results = {}
    for moment, work in MOMENTS.items():
        root = folder / moment
        killed = forked(lambda work=work, root=root: work(root))
        left = sorted(path.name for path in root.iterdir()) if root.exists() else []
        found = latest_checkpoint(root)
        resumed = forked(lambda root=root: torch.save(train(root).everything(), folder / f"{root.name}.pt"))
        results[moment] = {
            "killed": killed,
            "left": left,
            "latest": found and found.name,
            "resumed": resumed,
            "end": sorted(path.name for path in root.iterdir()),
        }
    torch.save(results, folder / "results.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
