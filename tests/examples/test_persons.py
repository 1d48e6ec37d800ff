"""The embedded persons: which joints are known."""

import torch

from data import PersonPairs


def test_joints_cut_off_by_the_frame_are_missing_and_their_maps_empty() -> None:
    height, width = 128, 64
    persons = PersonPairs("train", (height, width), identities=24)
    x, y = persons.points.unbind(-1)
    outside = (x < -0.5) | (x > width - 0.5) | (y < -0.5) | (y > height - 0.5)
    assert outside.any(), "no joint leaves the frame, so nothing is tested"
    assert not persons.visible[outside].any()
    drawing = int(outside.any(1).nonzero()[0, 0])
    pair = next(index for index in range(len(persons)) if persons.drawings_of(index)[0] == drawing)
    assert (persons[pair]["Lx"][outside[drawing]] == -1).all()


def test_a_map_peaks_at_its_joint() -> None:
    persons = PersonPairs("test", (128, 64), identities=4)
    pair = persons[5]
    drawing, _ = persons.drawings_of(5)
    seen = persons.visible[drawing]
    row, column = torch.unravel_index(pair["Lx"][seen].flatten(1).argmax(1), (128, 64))
    peaks = torch.stack([column, row], dim=-1)
    assert (peaks - persons.points[drawing][seen]).abs().max() < 2, "bytes leave a peak a pixel or so wide"
    assert (pair["Lx"][seen].amax((1, 2)) > 0.97).all()


def test_a_face_is_drawn_where_its_eyes_are_known() -> None:
    """Toward the viewer there is skin between the eyes, away from the viewer there is hair."""
    persons = PersonPairs("test", (128, 64), identities=1)
    traits = torch.full((2, persons.identity_numbers), 0.4)
    traits[:, 3:5] = torch.tensor([0.0, 0.0])  # the lightest skin, the darkest hair
    states = torch.zeros(2, persons.state_numbers)
    states[1, 0] = 1
    picture, (points, visible) = persons.draw(traits, states), persons.joints(traits, states)
    assert visible[:, 14].tolist() == [True, False]
    x, y = points[:, 0].round().long().unbind(-1)
    brightness = picture[torch.arange(2), :, y, x].mean(1)
    assert brightness[0] > 0.7
    assert brightness[1] < 0.3
