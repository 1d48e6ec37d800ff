"""Landmark distance, PCKh and the F1 score of dots against values worked out by hand."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cyclekit.errors import ShapeError
from cyclekit.metrics import dot_f1, landmark_distance, pckh

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


def picture(*dots, size=(8, 8)):
    """Draw single black pixels, (row, column), on white."""
    drawn = torch.ones(1, 3, *size)
    for row, column in dots:
        drawn[..., row, column] = 0
    return drawn


def test_dot_f1():
    target = picture((1, 1), (4, 4), (6, 2))
    found = picture((1, 2), (4, 4), (7, 7), (0, 6))  # one beside, one on it, two that are nothing; one is missed
    equals(dot_f1(found, target), [2 * (2 / 4) * (2 / 3) / (2 / 4 + 2 / 3)])
    equals(dot_f1(found, target, tolerance=0), [2 * (1 / 4) * (1 / 3) / (1 / 4 + 1 / 3)])
    equals(dot_f1(1 - found, 1 - target, polarity="white_on_black"), [2 * (2 / 4) * (2 / 3) / (2 / 4 + 2 / 3)])
    equals(dot_f1(picture(), target), [0.0])
    equals(dot_f1(found, picture()), [NAN])


def test_dot_f1_leaves_grey_to_the_nearer_end():
    target = picture((1, 1), (4, 4))
    equals(dot_f1(0.8 * target + 0.15, target), [1.0])
    equals(dot_f1(0.4 * target + 0.55, target), [0.0])  # the darkest pixel is 0.55


@given(st.integers(0, 1000), st.integers(0, 3))
def test_dot_f1_is_symmetric_and_more_tolerance_finds_more(seed, tolerance):
    generator = torch.Generator().manual_seed(seed)
    one, other = (torch.rand(2, 4, 1, 9, 12, generator=generator) > 0.2).float()
    score = dot_f1(one, other, tolerance)
    torch.testing.assert_close(score, dot_f1(other, one, tolerance))
    assert (score <= dot_f1(one, other, tolerance + 1) + 1e-12).all()
    equals(dot_f1(one, one, tolerance), [1.0] * 4)


def test_dot_f1_of_wrong_calls():
    with pytest.raises(ValueError, match="tolerance: got -1, expected a number of pixels, 0 or more"):
        dot_f1(picture(), picture(), tolerance=-1)
    with pytest.raises(ValueError, match=r"image: got values from -1 to 1, expected \[0, 1\]"):
        dot_f1(2 * picture((0, 0)) - 1, picture())
