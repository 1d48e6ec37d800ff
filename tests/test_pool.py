import copy
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load, save

from cyclekit.errors import ArgumentError, CheckpointError, ShapeError
from cyclekit.pool import HistoryPool, _splitmix64
from tests.blind import Blind


def splitmix64(seed, position):
    """The published generator in Python's own integers."""
    wrap = 2**64 - 1
    z = (seed + (position + 1) * 0x9E3779B97F4A7C15) & wrap
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & wrap
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & wrap
    return z ^ (z >> 31)


class SequentialPool:
    """CycleGAN's image pool, one sample at a time, on the same random draws."""

    def __init__(self, size, seed):
        self.size, self.seed, self.seen, self.stored = size, seed, 0, []

    def __call__(self, samples):
        returned = []
        for sample in samples:
            draw = splitmix64(self.seed % 2**64, self.seen)
            self.seen += 1
            if self.size == 0:
                returned.append(sample)
            elif len(self.stored) < self.size:
                self.stored.append(sample)
                returned.append(sample)
            elif draw >> 63:
                slot = (draw % 2**62) % self.size
                returned.append(self.stored[slot])
                self.stored[slot] = sample
            else:
                returned.append(sample)
        return returned


def numbered(start, count):
    return torch.arange(start, start + count, dtype=torch.float32)[:, None]


def run(pool, batches, start=0):
    """Feed samples that carry their own number and return the numbers that come back."""
    returned = []
    for count in batches:
        returned += pool(numbered(start, count)).flatten().tolist()
        start += count
    return returned


def test_random_bits_are_those_of_splitmix64():
    # the sequence published with the generator's C code for the seed 1234567
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    bits = _splitmix64(torch.tensor(1234567), torch.arange(4))
    assert [one % 2**64 for one in bits.tolist()] == expected


@settings(deadline=None, max_examples=100)
@given(
    size=st.integers(0, 6),
    seed=st.integers(-(2**63), 2**63 - 1),
    batches=st.lists(st.integers(0, 9), max_size=8),
)
def test_equals_the_sequential_rule(size, seed, batches):
    reference, start, expected = SequentialPool(size, seed), 0, []
    for count in batches:
        expected += reference(range(start, start + count))
        start += count
    pool = HistoryPool(size, seed)
    assert run(pool, batches) == expected
    if reference.stored:
        assert pool.stored_0[: len(reference.stored), 0].tolist() == reference.stored


def test_statistics_of_the_rule():
    size, count = 10, 20_000
    returned = torch.tensor(run(HistoryPool(size, seed=3), [50] * (count // 50)))
    new = torch.arange(float(count))
    assert torch.equal(returned[:size], new[:size])
    swapped = (returned != new)[size:]
    assert abs(swapped.float().mean().item() - 0.5) < 0.0125  # 3.5 standard deviations
    # A stored sample leaves with probability 1/2 · 1/size a step: it stays 2 · size steps in the mean.
    age = (new - returned)[size:][swapped]
    assert abs(age.mean().item() - 2 * size) < 0.7
    # and the slot is uniform: a geometric age has as much above its median (13.5 steps) as below
    assert abs((age > 13.5).float().mean().item() - 0.95**13) < 0.02


@settings(deadline=None, max_examples=30)
@given(size=st.integers(1, 5), batches=st.lists(st.integers(1, 8), max_size=12))
def test_a_sample_comes_back_once_and_one_of_the_first_twice_at_most(size, batches):
    returned = run(HistoryPool(size), batches)
    for number in set(returned):
        assert returned.count(number) <= (2 if number < size else 1)


def test_tuples_stay_together():
    pool = HistoryPool(3)
    swapped = 0
    for step in range(20):
        image = numbered(4 * step, 4)[..., None, None].expand(4, 3, 2, 2)
        label = torch.arange(4 * step, 4 * step + 4)
        images, labels = pool((image, label))
        assert torch.equal(images[:, 0, 0, 0].long(), labels)
        assert torch.equal(images, labels[:, None, None, None].expand(4, 3, 2, 2).float())
        swapped += int((labels != label).sum())
    assert swapped > 20


def test_tuples_of_two_uses_share_a_pool_and_stay_whole():
    """C2GAN's D_I judges [x, Ly, y*] and [y, Lx, x*]; both directions feed its pool, and each gets the other's."""
    pool, size, batch = HistoryPool(5), 4, 2
    came = {1: 0, -1: 0}
    for step in range(40):
        for direction in (1, -1):
            number = direction * (1 + torch.arange(batch * step, batch * (step + 1), dtype=torch.float32))
            new = tuple(number.view(-1, 1, 1, 1).expand(-1, channels, size, size) for channels in (3, 18, 3))
            joined = torch.cat(pool(new), 1)
            assert torch.equal(joined, joined[:, :1, :1, :1].expand(-1, 24, size, size))
            came[direction] += int((joined[:, 0, 0, 0] * direction < 0).sum())
    assert min(came.values()) > 5
    assert int(pool.seen) == 160


def test_size_zero_and_empty_batches_hand_through():
    sample = torch.rand(2, 3)
    assert torch.equal(HistoryPool(0)(sample), sample)
    assert HistoryPool(4)(sample[:0]).shape == (0, 3)
    with pytest.raises(ArgumentError, match="sample: got an empty tuple"):
        HistoryPool(4)(())


def test_what_comes_back_is_detached_and_owns_its_memory():
    pool = HistoryPool(2)
    for _ in range(8):
        returned = pool(torch.rand(2, 3, requires_grad=True))
        assert not returned.requires_grad
        before = pool.stored_0.clone()
        returned.zero_()
        assert torch.equal(pool.stored_0, before)


@pytest.mark.parametrize("before", [0, 1, 7])
def test_resumes_with_the_same_sequence(before):
    pool = HistoryPool(4, seed=5)
    run(pool, [3] * before)
    resumed = HistoryPool(4, seed=99)
    run(resumed, [2, 2])  # its own state must not matter
    resumed.load_state_dict(load(save(pool.state_dict())))
    assert run(resumed, [3] * 20, start=3 * before) == run(pool, [3] * 20, start=3 * before)


def test_resumes_in_the_order_of_the_tuple():
    sample = tuple(torch.full((1, width), float(width)) for width in range(1, 13))
    pool = HistoryPool(2)
    pool(sample)
    resumed = HistoryPool(2)
    resumed.load_state_dict(load(save(pool.state_dict())))
    resumed(sample)
    assert int(resumed.seen) == 2


def test_resumes_inside_another_module():
    pools = torch.nn.ModuleDict({"D_I": HistoryPool(2), "D_K": HistoryPool(3)})
    run(pools["D_I"], [3])
    fresh = torch.nn.ModuleDict({"D_I": HistoryPool(2), "D_K": HistoryPool(3)})
    fresh.load_state_dict(pools.state_dict())
    assert run(fresh["D_I"], [5]) == run(pools["D_I"], [5])


def test_a_saved_pool_of_another_size_is_refused():
    pool = HistoryPool(4)
    run(pool, [1])
    with pytest.raises(CheckpointError, match="the state is another pool's: it holds 4 samples, and this one 5"):
        HistoryPool(5).load_state_dict(pool.state_dict())


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda pool: pickle.loads(pickle.dumps(pool))])
def test_copies_are_independent_and_load(copied):
    pool = HistoryPool(3)
    run(pool, [4, 4])
    twin = copied(pool)
    assert run(twin, [4] * 5) == run(pool, [4] * 5)
    twin.load_state_dict(HistoryPool(3).state_dict())
    assert int(twin.seen) == 0
    assert int(pool.seen) == 28
    assert run(twin, [3]) == [0, 1, 2]


def test_memory_is_size_times_sample():
    size, batch, row = 50, 4, 3 * 16 * 16
    pool = HistoryPool(size)
    sample = torch.rand(batch, 3, 16, 16)
    pool((sample, sample[:, :1]))
    expected = size * (row + 256) * 4 + 2 * 8
    assert sum(buffer.untyped_storage().nbytes() for buffer in pool.buffers()) == expected
    with Blind() as guard:
        pool((sample, sample[:, :1]))
    assert guard.largest <= batch * row * 4


def test_nothing_is_read_on_the_host():
    pool = HistoryPool(3)
    with Blind():
        for _ in range(5):
            pool(torch.rand(2, 4))


def test_runs_without_data():
    pool = HistoryPool(3)
    for _ in range(3):
        image, label = pool((torch.empty(2, 4, device="meta"), torch.empty(2, device="meta", dtype=torch.long)))
    assert (image.shape, label.dtype, pool.seen.device.type) == ((2, 4), torch.long, "meta")


def test_moves_with_to():
    pool = HistoryPool(2)
    pool((torch.rand(1, 3), torch.arange(1)))
    with pytest.raises(ValueError, match=r"float64 of shape \(3,\).*holds torch.float32 of shape \(3,\)"):
        pool((torch.rand(1, 3, dtype=torch.float64), torch.arange(1)))
    pool.to(torch.float64)
    image, label = pool((torch.rand(1, 3, dtype=torch.float64), torch.arange(1)))
    assert (image.dtype, label.dtype) == (torch.float64, torch.int64)


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (torch.rand(2, 3, 5), r"got torch.float32 of shape \(3, 5\) on cpu, .* holds .* \(3, 4\)"),
        (torch.rand(2, 3, 4, device="meta"), "on meta, .* on cpu"),
        ((torch.rand(2, 3, 4), torch.rand(2, 1)), r"\(3, 4\) on cpu and torch.float32 of shape \(1,\)"),
        ((torch.rand(2, 3, 4), torch.rand(3, 1)), r"\[\(2, 3, 4\), \(3, 1\)\], expected the same batch size"),
    ],
)
def test_says_what_does_not_fit(sample, message):
    pool = HistoryPool(2)
    pool(torch.rand(1, 3, 4))
    with pytest.raises(ValueError, match=message):
        pool(sample)
    assert int(pool.seen) == 1


def test_refuses_what_is_no_sample():
    with pytest.raises(ValueError, match="size: got -1"):
        HistoryPool(-1)
    with pytest.raises(ShapeError, match="sample"):
        HistoryPool()(torch.tensor(1.0))
    assert repr(HistoryPool(7)) == "HistoryPool(size=7)"


def test_compiles_as_one_graph():
    torch.compiler.reset()
    pool, reference = HistoryPool(3), HistoryPool(3)
    compiled = torch.compile(pool, fullgraph=True, backend="eager")
    assert run(compiled, [2] * 10) == run(reference, [2] * 10)
