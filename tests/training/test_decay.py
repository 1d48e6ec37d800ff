"""The linear decay of the learning rate."""

import re
from contextlib import nullcontext

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cyclekit.training import linear_decay


def rates(constant, decay, steps, start=2e-4):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=start)
    schedule = linear_decay(optimizer, constant, decay)
    found = []
    goes_on = bool(decay) and steps > constant + decay
    with pytest.warns(UserWarning, match="count training steps, not epochs") if goes_on else nullcontext():
        for _ in range(steps):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step()
    return found


def test_epochs_taken_for_steps_are_noticed():
    assert rates(100, 100, 200)[-1] > 0  # a run as long as was said ends in silence
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = linear_decay(optimizer, 100, 100)
    optimizer.step()
    for _ in range(200):
        schedule.step()
    with pytest.warns(UserWarning, match=r"^linear_decay: training goes on at a rate of 0 after 200 steps; constant "):
        schedule.step()


def test_it_is_level_then_straight_then_zero():
    assert rates(3, 4, 10, start=1.0) == [1, 1, 1, 1, 0.75, 0.5, 0.25, 0, 0, 0]


def test_it_is_level_without_a_decay():
    assert rates(3, 0, 8, start=0.5) == [0.5] * 8


def test_it_falls_from_the_beginning_without_a_constant_part():
    assert rates(0, 2, 4, start=1.0) == [1, 0.5, 0, 0]


@given(constant=st.integers(0, 6), decay=st.integers(1, 6))
def test_it_never_rises_and_ends_at_zero(constant, decay):
    found = rates(constant, decay, constant + decay + 3)
    assert found == sorted(found, reverse=True)
    assert found[: constant + 1] == [2e-4] * (constant + 1)
    assert found[constant + decay :] == [0.0] * 3
    assert all(rate > 0 for rate in found[: constant + decay])


def test_all_groups_keep_their_proportions():
    weights = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    optimizer = torch.optim.SGD([{"params": weights[:1], "lr": 1.0}, {"params": weights[1:], "lr": 0.1}])
    schedule = linear_decay(optimizer, 0, 4)
    optimizer.step()
    schedule.step()
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.75, 0.075])


@pytest.mark.parametrize(("constant", "decay"), [(-1, 2), (2, -1), (2.5, 1), (1, float("nan")), (True, 1), ("1", 1)])
def test_steps_are_whole_numbers(constant, decay):
    message = re.escape(f"linear_decay(constant={constant}, decay={decay}): steps must be whole numbers, 0 or more")
    with pytest.raises(ValueError, match=f"^{message}$"):
        rates(constant, decay, 1)
