"""Two processes save together, go on, and resume; `test_processes.py` compares what they come to."""

import random
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from cyclekit.training import RunInUseError, latest_checkpoint, run_lock
from tests.model.tiny import C2GAN
from tests.training.processes import PROCESSES, share
from tests.training.runs import Run, with_short_history
from tests.training.small import batches

GRAPH, STEPS, SAVED = with_short_history(C2GAN), 8, 4


def run_of(rank: int, seed: int) -> Run:
    """Return a run whose random numbers are the process's own."""
    run = Run(GRAPH, wrap=DistributedDataParallel, seed=seed + rank)
    torch.manual_seed(seed + rank)
    random.seed(seed + rank)
    return run


def train(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=PROCESSES)
    data = [share(batch, rank) for batch in batches(GRAPH, count=STEPS, samples=4)]
    whole = run_of(rank, seed=0)
    whole.play(data[:SAVED])
    saved = whole.save(folder / "run")
    pools = {name: value.clone() for name, value in whole.step.pools.state_dict().items()}
    whole.play(data[SAVED:])
    expected = whole.everything()
    second = run_of(rank, seed=10)
    assert second.load(latest_checkpoint(folder / "run")) == SAVED
    second.play(data[SAVED:])
    resumed = second.everything()
    refused = []
    for place in (folder / "file" / "below", saved.parent):  # a file is in the way; a later checkpoint is there
        try:
            whole.step.iteration = 1
            whole.save(place)
        except OSError as error:
            refused.append(type(error).__name__)
    with run_lock(folder / "run"):
        try:
            run_lock(folder / "run").__enter__()
        except RunInUseError as error:
            refused.append(type(error).__name__)
    torch.save({"expected": expected, "resumed": resumed, "pools": pools, "refused": refused}, folder / f"{rank}.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    place = Path(sys.argv[1])
    (place / "file").touch()
    torch.multiprocessing.start_processes(train, (place,), nprocs=PROCESSES, start_method="fork")
