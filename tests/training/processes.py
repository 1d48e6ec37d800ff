"""Trains one model in two processes over gloo; `test_processes.py` compares what they come to."""

import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import allreduce_hook
from torch.nn.parallel import DistributedDataParallel

from tests.model.tiny import C2GAN, built
from tests.training.small import batches, scheduled, stepping

PROCESSES, STEPS, SAMPLES = 2, 3, 4
# Without a history: two processes keep two, which choose among other samples than one would.
GRAPHS = {
    "joint": scheduled(history=0),
    "per_cycle": scheduled(history=0, backward="per_cycle"),
    "sequential": scheduled(history=0, order=("G_I", "D_I", "G_K", "D_K")),
    "critic": scheduled(history=0, order=("discriminators", "generators"), discriminator_steps=2),
    "history": scheduled(C2GAN),
    "regularized": scheduled(
        C2GAN.replace_adversary("D_I: [x, Ly, y*] vs [x, Ly, y] + r1 + feature_matching"), history=0
    ),
}
CASES = [
    ("joint", "none", 1),
    ("joint", "instance", 1),
    ("joint", "batch", 1),
    ("joint", "none", 2),
    ("per_cycle", "none", 1),
    ("sequential", "none", 1),
    ("critic", "none", 1),
    ("history", "none", 1),
    ("regularized", "instance", 1),
    ("regularized", "none", 2),
]


def share(batch: dict[str, torch.Tensor], rank: int) -> dict[str, torch.Tensor]:
    return {name: value.chunk(PROCESSES)[rank] for name, value in batch.items()}


def counting(counts: list[int], bucket: dist.GradBucket) -> torch.futures.Future[torch.Tensor]:
    """Note that gradients are added up, and do it."""
    counts.append(bucket.index())
    return allreduce_hook(dist.group.WORLD, bucket)


def train(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=PROCESSES)
    results, syncs = {}, {}
    for name, norm, accumulate in CASES:
        model = built(GRAPHS[name], norm)
        if rank:
            torch.nn.init.ones_(
                model.generators["G_I"].layers[0].weight
            )  # which the step makes equal to the first process's
        counts: list[int] = []

        def wrap(objective: nn.Module, counts: list[int] = counts) -> DistributedDataParallel:
            parallel = DistributedDataParallel(objective)
            parallel.register_comm_hook(counts, counting)
            return parallel

        step = stepping(model, wrap=wrap, accumulate=accumulate)
        for batch in batches(count=STEPS, samples=SAMPLES):
            step(share(batch, rank))
        results[name, norm, accumulate] = model.state_dict()
        syncs[name, norm, accumulate] = len(counts)
    torch.save({"learned": results, "syncs": syncs}, folder / f"{rank}.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    torch.multiprocessing.start_processes(train, (Path(sys.argv[1]),), nprocs=PROCESSES, start_method="fork")
