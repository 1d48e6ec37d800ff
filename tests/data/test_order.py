"""The order of samples: from seed and step alone, for any number of processes."""

from itertools import chain, islice

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclekit.data import ResumableBatches, StepRandom

LENGTHS = st.lists(st.integers(1, 20), min_size=1, max_size=3)


def batches(*args, count=8, **options):
    return list(islice(ResumableBatches(*args, **options), count))


@settings(deadline=None)
@given(lengths=LENGTHS, batch=st.integers(1, 7), start=st.integers(0, 6), seed=st.integers(0, 99))
def test_a_resumed_order_is_the_unbroken_orders_tail(lengths, batch, start, seed):
    assert batches(lengths, batch, seed=seed)[start:] == batches(
        lengths, batch, seed=seed, start=start, count=8 - start
    )


@settings(deadline=None)
@given(lengths=LENGTHS, batch=st.integers(1, 5), processes=st.integers(1, 4))
def test_processes_share_what_one_would_see(lengths, batch, processes):
    dealt = [batches(lengths, batch, processes=processes, process=process) for process in range(processes)]
    whole = batches(lengths, batch * processes)
    assert [list(chain(*step)) for step in zip(*dealt, strict=True)] == whole


@settings(deadline=None)
@given(length=st.integers(1, 30), batch=st.integers(1, 7))
def test_every_run_through_the_samples_has_each_once(length, batch):
    seen = list(chain(*batches(length, batch, count=3 * length)))
    runs = [seen[place : place + length] for place in range(0, len(seen) - length + 1, length)]
    assert all(sorted(run) == list(range(length)) for run in runs)


def test_sides_are_drawn_independently_and_seeds_differ():
    order = list(chain(*batches([50, 50], 50, count=2)))
    assert sum(a == b for a, b in order) < 20
    assert order[:50] != order[50:]
    assert batches(50, 50, seed=1) != batches(50, 50, seed=0)


def test_numbers_out_of_range_are_refused():
    for arguments in ((0, 1), ([], 1), ([3, 0], 1), (3, 0)):
        with pytest.raises(ValueError, match=r"got "):
            ResumableBatches(*arguments)
    with pytest.raises(ValueError, match="from 0 to processes - 1; got process 2 of 2"):
        ResumableBatches(3, 1, processes=2, process=2)


def test_a_steps_numbers_are_shared_between_processes():
    whole = StepRandom(3, 7, 6)
    parts = [StepRandom(3, 7, 2, processes=3, process=process) for process in range(3)]
    for _ in range(2):
        assert torch.equal(torch.cat([part.uniform(-1, 1) for part in parts]), whole.uniform(-1, 1))
    assert not torch.equal(StepRandom(3, 8, 6).uniform(), StepRandom(3, 7, 6).uniform())
