"""The embedded faces: the landmarks' order, and what a blurred or average answer is worth."""

import pytest
import torch

from cyclekit.data import DataError
from cyclekit.metrics import psnr, ssim
from data import FacePairs
from data.faces import MOVES


@pytest.fixture(scope="module")
def faces() -> FacePairs:
    return FacePairs("test", (64, 64), identities=8)


def at_rest(faces: FacePairs, **moves: float) -> torch.Tensor:
    """Return the landmarks of an average person who does only what is said."""
    state = torch.zeros(1, faces.state_numbers)
    for name, value in moves.items():
        state[:, MOVES.index(name)] = value
    return faces.joints(torch.full((1, faces.identity_numbers), 0.5), state)[0][0]


def test_landmarks_come_in_ibugs_order(faces: FacePairs) -> None:
    x, y = at_rest(faces).unbind(-1)
    assert (x[:17].diff() > 0).all(), "the jaw runs from the picture's left to its right"
    assert y[:17].argmax() == 8, "its middle is the chin"
    assert (x[17:27].diff() > 0).all(), "brows, left to right"
    assert (y[27:31].diff() > 0).all(), "the nose's bridge, downward"
    assert (x[31:36].diff() > 0).all(), "the nose's base, left to right"
    for eye in (range(36, 42), range(42, 48)):
        corner, top, bottom, other = eye[0], eye[1:3], eye[4:6], eye[3]
        assert x[corner] < x[other]
        assert y[list(top)].max() < y[corner] < y[list(bottom)].min()
    assert x[48] < x[54], "the outer lips begin at the picture's left corner"
    assert y[51] < y[62] < y[66] < y[57], "lip, opening, opening, lip"


def test_a_face_at_rest_is_its_own_mirror_image(faces: FacePairs) -> None:
    points = at_rest(faces)
    pairs = [(0, 16), (8, 8), (17, 26), (21, 22), (30, 30), (31, 35), (36, 45), (39, 42), (41, 46), (48, 54), (60, 64)]
    one, other = points[[a for a, _ in pairs]], points[[b for _, b in pairs]]
    torch.testing.assert_close(one[:, 0], 63 - other[:, 0])
    torch.testing.assert_close(one[:, 1], other[:, 1])


def test_moves_do_what_they_are_called(faces: FacePairs) -> None:
    rest = at_rest(faces)
    assert at_rest(faces, mouth=1)[66, 1] > rest[66, 1] + 1
    assert (at_rest(faces, brows_up=1)[17:27, 1] < rest[17:27, 1]).all()
    assert (at_rest(faces, smile=1)[[48, 54], 1] < rest[[48, 54], 1]).all()
    assert at_rest(faces, yaw=1)[30, 0] > rest[30, 0] + 2
    torch.testing.assert_close(at_rest(faces, yaw=1)[:17], rest[:17])


def test_the_average_answer_is_worth_little(faces: FacePairs) -> None:
    y = torch.stack([faces[index]["y"] for index in range(0, len(faces), 3)]).add(1).div(2)
    mean = y.mean(0).expand_as(y)
    assert psnr(mean, y).mean() < 17
    assert ssim(mean, y).mean() < 0.5


def test_at_least_one_identity_is_needed() -> None:
    with pytest.raises(DataError, match="identities must be 1 or more, got 0"):
        FacePairs("test", (64, 64), identities=0)
