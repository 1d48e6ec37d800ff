"""Landmark distance and PCKh against values worked out by hand."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cyclekit.errors import ShapeError
from cyclekit.metrics import landmark_distance, pckh

TARGET = torch.tensor([[[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]], [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]])
FOUND = TARGET + torch.tensor([[[3.0, 4.0], [0.0, 1.0], [0.0, 0.0]], [[0.0, 0.0], [6.0, 8.0], [0.0, 2.0]]])
NAN = float("nan")


def equals(got, expected):
    torch.testing.assert_close(got, torch.tensor(expected, dtype=torch.float64), equal_nan=True)


def test_landmark_distance():
    equals(landmark_distance(FOUND, TARGET), [2.0, 4.0])
    equals(landmark_distance(FOUND, TARGET, scale=torch.tensor([2.0, 8.0])), [1.0, 0.5])


def test_landmark_distance_leaves_missing_joints_out():
    visible = torch.tensor([[True, True, False], [False, False, False]])
    equals(landmark_distance(FOUND, TARGET, visible), [3.0, NAN])
    target = TARGET.clone()
    target[0, 0], target[1, 1, 0] = NAN, float("inf")
    equals(landmark_distance(FOUND, target), [0.5, 1.0])


def test_pckh():
    equals(pckh(FOUND, TARGET, torch.tensor([10.0, 4.0])), [1.0, 2 / 3])
    equals(pckh(FOUND, TARGET, torch.tensor([9.9, 3.9])), [2 / 3, 1 / 3])
    equals(pckh(FOUND, TARGET, torch.tensor([10.0, 20.0]), threshold=0.1), [2 / 3, 2 / 3])


def test_pckh_counts_joints_not_found_and_leaves_out_those_not_there():
    found, target = FOUND.clone(), TARGET.clone()
    found[0, 2] = NAN
    target[1, 1] = NAN
    equals(pckh(found, target, torch.tensor([10.0, 4.0])), [2 / 3, 1.0])
    visible = torch.tensor([[True, True, False], [False, False, False]])
    equals(pckh(found, target, torch.tensor([10.0, 4.0]), visible), [1.0, NAN])


def test_pckh_needs_a_head_to_measure_by():
    equals(pckh(FOUND, TARGET, torch.tensor([NAN, 4.0])), [NAN, 2 / 3])
    equals(pckh(FOUND, TARGET, torch.tensor([10.0, 0.0])), [1.0, NAN])


@given(st.integers(0, 1000), st.floats(0.1, 10))
def test_both_are_blind_to_place_and_scale(seed, factor):
    generator = torch.Generator().manual_seed(seed)
    points, target = torch.randn(2, 3, 7, 2, generator=generator, dtype=torch.float64)
    size = torch.rand(3, generator=generator, dtype=torch.float64) + 1
    moved = [factor * x + 5 for x in (points, target)]
    torch.testing.assert_close(
        landmark_distance(*moved, scale=factor * size), landmark_distance(points, target, scale=size)
    )
    torch.testing.assert_close(landmark_distance(*moved), factor * landmark_distance(points, target))
    equals(pckh(target, target, size), [1.0] * 3)


def test_shapes_are_checked():
    with pytest.raises(ShapeError, match=r"pckh\(\) argument 'head_size': .* with batch=2, got float32"):
        pckh(FOUND, TARGET, torch.ones(3))


def test_compiles_as_one_graph():
    for metric in (landmark_distance, lambda x, y: pckh(x, y, torch.full((2,), 4.0))):
        torch.testing.assert_close(
            torch.compile(metric, fullgraph=True, backend="eager")(FOUND, TARGET), metric(FOUND, TARGET)
        )


def test_landmark_distance_has_the_right_gradient():
    target = TARGET.double()
    torch.autograd.gradcheck(lambda x: landmark_distance(x, target), (target + 1).requires_grad_())
