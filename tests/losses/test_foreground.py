import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cyclekit.errors import ShapeError, UnknownNameError
from cyclekit.keypoints import landmark_image
from cyclekit.losses import create_criterion, foreground_l1, l1


def maps(*values):
    return torch.tensor(values, dtype=torch.float64).reshape(1, 1, 2, 2)


PREDICTION, TARGET = maps(1.0, 0.0, -1.0, 0.5), maps(-1.0, 1.0, 0.0, 0.5)  # apart by 2, 1, 1, 0


def test_each_pixel_weighs_as_much_as_its_target_is_foreground():
    bright = 2 * 1 + 1 * 5 + 1 * 3 + 0
    dark = 2 * 5 + 1 * 1 + 1 * 3 + 0
    assert create_criterion("bright_foreground", weight=5.0)(PREDICTION, TARGET).item() == pytest.approx(bright / 4)
    assert create_criterion("dark_foreground", weight=5.0)(PREDICTION, TARGET).item() == pytest.approx(dark / 4)
    assert create_criterion("dark_foreground")(maps(1, 1, 1, 1), maps(-1, 1, 1, 1)).item() == pytest.approx(20 * 2 / 4)


@given(st.integers(0, 1000), st.sampled_from(["dark", "bright"]))
def test_a_weight_of_1_is_l1_and_darkness_is_brightness_turned_round(seed, foreground):
    generator = torch.Generator().manual_seed(seed)
    one, other = torch.rand(2, 2, 3, 4, 5, generator=generator, dtype=torch.float64) * 2 - 1
    torch.testing.assert_close(foreground_l1(one, other, 1.0, foreground), l1(one, other))
    turned = {"dark": "bright", "bright": "dark"}[foreground]
    torch.testing.assert_close(foreground_l1(one, other, 7.0, foreground), foreground_l1(-one, -other, 7.0, turned))


def test_a_blank_map_is_no_longer_nearly_right():
    landmarks = torch.rand(4, 68, 2, generator=torch.Generator().manual_seed(0)) * 63
    target = 2 * landmark_image(landmarks, (64, 64), radius=0.7) - 1
    blank, shifted = torch.ones_like(target), target.roll(1, dims=-1)
    assert l1(blank, target) < l1(shifted, target)
    assert foreground_l1(blank, target, foreground="dark") > foreground_l1(shifted, target, foreground="dark")


def test_wrong_calls():
    with pytest.raises(ValueError, match=r"weight: got 0\.0, expected a positive number"):
        foreground_l1(PREDICTION, TARGET, weight=0.0)
    with pytest.raises(UnknownNameError, match="there is no 'black'; known names: bright, dark"):
        foreground_l1(PREDICTION, TARGET, foreground="black")
    with pytest.raises(ShapeError):
        foreground_l1(PREDICTION, TARGET[..., :1])
