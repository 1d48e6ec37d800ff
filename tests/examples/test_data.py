"""The embedded data: known keypoints, disjoint identities, texture that a blur destroys."""

import pytest
import torch
from kornia.filters import gaussian_blur2d
from torch.utils.data import default_collate

from cyclekit.data import DataError
from cyclekit.metrics import psnr, ssim
from data import EmbeddedPairs, FacePairs, PersonPairs
from data.faces import MOVES

SIZES = {FacePairs: (64, 64), PersonPairs: (128, 64)}


@pytest.fixture(scope="module", params=[FacePairs, PersonPairs], ids=["faces", "persons"])
def pairs(request: pytest.FixtureRequest) -> EmbeddedPairs:
    return request.param("test", SIZES[request.param], identities=8)


@pytest.fixture(scope="module")
def batch(pairs: EmbeddedPairs) -> dict[str, torch.Tensor]:
    return default_collate([pairs[index] for index in range(len(pairs))])


def test_a_pair_has_both_pictures_and_both_keypoints(pairs: EmbeddedPairs) -> None:
    height, width = pairs.size
    joints = {FacePairs: 3, PersonPairs: 18}[type(pairs)]
    shapes = {name: tuple(value.shape) for name, value in pairs[7].items()}
    picture, keypoints = (3, height, width), (joints, height, width)
    mask = {"M": (1, height, width)} if joints == 18 else {}
    assert shapes == {"x": picture, "y": picture, "Lx": keypoints, "Ly": keypoints, **mask}
    assert all(value.dtype == torch.float32 and value.abs().max() <= 1 for value in pairs[7].values())


def test_every_ordered_pair_of_one_identitys_states_comes_once(pairs: EmbeddedPairs) -> None:
    drawings = [pairs.drawings_of(index) for index in range(len(pairs))]
    assert len(set(drawings)) == len(drawings)
    assert all(x != y and x // pairs.states == y // pairs.states for x, y in drawings)
    with pytest.raises(IndexError):
        pairs[len(pairs)]


def test_the_same_seed_draws_the_same_and_another_another(pairs: EmbeddedPairs) -> None:
    again = type(pairs)("test", pairs.size, identities=8)
    other = type(pairs)("test", pairs.size, identities=8, seed=1)
    assert torch.equal(again[3]["x"], pairs[3]["x"])
    assert not torch.equal(other[3]["x"], pairs[3]["x"])


def test_training_and_test_identities_differ(pairs: EmbeddedPairs) -> None:
    numbers = {
        split: torch.cat([pairs._numbers(0, split, identity)[0][:1] for identity in range(count)])
        for split, count in (("train", 200), ("test", 32))
    }
    assert torch.cdist(numbers["train"], numbers["test"]).min() > 0.1


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(DataError, match=r"the splits train, test, got 'val'"):
        FacePairs("val", (64, 64))


def test_a_copy_scores_badly_and_a_blur_scores_below_the_original(batch: dict[str, torch.Tensor]) -> None:
    x, y = ((batch[name] + 1) / 2 for name in ("x", "y"))
    assert 14 < psnr(x, y).mean() < 19
    assert ssim(x, y).mean() < 0.7
    blurred = gaussian_blur2d(y, (7, 7), (1.5, 1.5))
    assert psnr(blurred, y).mean() < 28
    assert ssim(blurred, y).mean() < 0.85


def test_landmarks_lie_on_what_is_drawn() -> None:
    """Eyes are where a picture with open lids is whiter than skin: at their landmarks' middle, not beside them."""
    faces = FacePairs("test", (128, 128), identities=1)
    traits, states = torch.full((1, faces.identity_numbers), 0.4), torch.zeros(1, faces.state_numbers)
    states[:, MOVES.index("lids")] = 1
    moved = states.clone()
    moved[:, -2:] = torch.tensor([0.9, -0.9])
    for state in (states, moved):
        picture, (points, _) = faces.draw(traits, state), faces.joints(traits, state)
        for eye in (points[0, 36:42], points[0, 42:48]):
            x, y = eye.mean(0).round().long().tolist()
            around = picture[0, :, y - 3 : y + 4, x - 7 : x + 8]
            assert around.amin(0).max() > 0.9, "no white in the eye"
        chin = points[0, 8].round().long()
        above, below = picture[0, :, chin[1] - 4, chin[0]], picture[0, :, chin[1] + 4, chin[0]]
        assert (above - below).abs().max() > 0.05, "the jaw's landmark lies on no edge"


def test_joints_turned_away_have_empty_maps_and_shoulders_and_hips_always_show() -> None:
    persons = PersonPairs("test", (128, 64), identities=8)
    assert persons.visible[:, [1, 2, 5, 8, 11]].all()
    assert not persons.visible[:, 14].all()
    x, _ = persons.drawings_of(0)
    maps = (persons[0]["Lx"] + 1) / 2
    assert torch.equal(maps.amax((1, 2)) > 0, persons.visible[x])


@pytest.mark.parametrize("kind", [FacePairs, PersonPairs])
def test_drawings_do_not_depend_on_the_resolution(kind: type[EmbeddedPairs]) -> None:
    height, width = SIZES[kind]
    small, large = (kind("test", (scale * height, scale * width), identities=1) for scale in (1, 2))
    shrunk = torch.nn.functional.avg_pool2d(large[0]["x"][None], 2)
    assert (shrunk - small[0]["x"][None]).abs().mean() < 0.12
    joints = small.points[0] * 2 + 0.5
    torch.testing.assert_close(large.points[0], joints)
