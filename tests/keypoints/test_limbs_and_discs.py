import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclekit.keypoints import COCO_17, OPENPOSE_18, Skeleton, render_discs, render_limbs, stick_figure

NAN = float("nan")
ELBOW = Skeleton("elbow", ("a", "b", "c"), ((0, 1), (1, 2)), colours=((1.0, 0.0, 0.0), (0.0, 0.5, 1.0)))
coordinate = st.floats(-5, 20, width=32)


def stroke(a: tuple[float, float], b: tuple[float, float], width: float, size: tuple[int, int]) -> torch.Tensor:
    """Distance to the segment, found by walking along it."""
    walk = [(a[0] + (b[0] - a[0]) * k / 4000, a[1] + (b[1] - a[1]) * k / 4000) for k in range(4001)]
    way = torch.tensor(walk, dtype=torch.float64)
    rows, columns = torch.meshgrid(torch.arange(size[0]), torch.arange(size[1]), indexing="ij")
    pixels = torch.stack((columns, rows), -1).reshape(-1, 1, 2)
    distance = (pixels - way).square().sum(-1).min(-1).values.sqrt().reshape(size)
    return (width / 2 + 0.5 - distance).clamp(0, 1)


@settings(max_examples=20, deadline=None)
@given(a=st.tuples(coordinate, coordinate), b=st.tuples(coordinate, coordinate), width=st.floats(0.5, 6))
def test_a_limb_is_a_stroke_with_round_ends(a, b, width):
    points = torch.tensor([[a, b, (NAN, NAN)]])
    first, second = render_limbs(points, ELBOW, (9, 13), width)[0]
    assert (first.double() - stroke(a, b, width, (9, 13))).abs().max() < 5e-3
    assert second.max() == 0


def test_a_limb_by_hand():
    points = torch.tensor([[[1.0, 1.0], [3.0, 1.0], [3.0, 1.0]]])
    first, second = render_limbs(points, ELBOW, (3, 6), width=2)[0]
    slant = 1.5 - math.sqrt(2)
    expected = [[slant, 0.5, 0.5, 0.5, slant, 0], [0.5, 1, 1, 1, 0.5, 0], [slant, 0.5, 0.5, 0.5, slant, 0]]
    torch.testing.assert_close(first, torch.tensor(expected))
    assert second[1].tolist() == [0, 0, 0.5, 1, 0.5, 0]


@pytest.mark.parametrize("visible", [torch.tensor([[True, True, False]]), torch.tensor([[0.1, 1.0, 0.0]])])
def test_a_limb_needs_both_ends(visible):
    maps = render_limbs(torch.tensor([[[1.0, 1.0], [3.0, 1.0], [3.0, 4.0]]]), ELBOW, (6, 6), 2, visible)
    assert maps[0, 0].max() == 1
    assert maps[0, 1].max() == 0


def test_a_stick_figure_draws_later_limbs_over_earlier_ones():
    points = torch.tensor([[[1.0, 1.0], [5.0, 1.0], [5.0, 6.0]]])
    picture = stick_figure(points, ELBOW, (8, 9), width=1)
    assert picture.shape == (1, 3, 8, 9)
    red, blue = [1, 0, 0], [0, 0.5, 1]
    for (x, y), colour in {(2, 1): red, (5, 4): blue, (5, 1): blue, (0, 7): [0, 0, 0]}.items():
        assert picture[0, :, y, x].tolist() == pytest.approx(colour, abs=1e-5)


def test_the_other_background_shows_where_nothing_is_drawn():
    points = torch.rand(2, 17, 2, generator=torch.Generator().manual_seed(0)) * 15
    black = stick_figure(points, COCO_17, (16, 16), 2)
    white = stick_figure(points, COCO_17, (16, 16), 2, background="white")
    bare = (1 - render_limbs(points, COCO_17, (16, 16), 2)).prod(1, keepdim=True)
    torch.testing.assert_close(white, black + bare)
    assert white.max() <= 1 + 1e-6
    assert stick_figure(points * NAN, COCO_17, (4, 4), background="white").min() == 1


def test_limb_gradient():
    points = torch.tensor([[[1.3, 1.1], [4.2, 2.7], [2.9, 5.4]]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda p: stick_figure(p, ELBOW, (7, 6), 2.3), (points,))
    on_pixels = torch.tensor([[[1.0, 1.0], [1.0, 1.0], [NAN, 5.0]]], requires_grad=True)
    (gradient,) = torch.autograd.grad(render_limbs(on_pixels, ELBOW, (7, 6)).square().sum(), on_pixels)
    assert gradient.isfinite().all()


def test_discs_hold_the_pixels_up_to_their_radius():
    found = render_discs(torch.tensor([[[3.0, 2.0], [NAN, 2.0], [-1.0, 0.0]]]), (8, 9), radius=4)[0]
    inside = [[(c - 3) ** 2 + (r - 2) ** 2 <= 16 for c in range(9)] for r in range(8)]
    assert found[0].bool().tolist() == inside
    assert found[1].sum() == 0
    assert found[2, 0].tolist() == [1, 1, 1, 1, 0, 0, 0, 0, 0]


def test_limbs_and_discs_compile_whole():
    points = torch.rand(2, 18, 2) * 12

    def draw(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return stick_figure(points, OPENPOSE_18, (12, 10)), render_discs(points, (12, 10), 2)

    torch.testing.assert_close(torch.compile(draw, fullgraph=True, backend="eager")(points), draw(points))


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="'coco_17' has 17 joints; got 18 points"):
        render_limbs(torch.zeros(1, 18, 2), COCO_17, (4, 4))
    with pytest.raises(ValueError, match=r"width .* positive; got 0"):
        stick_figure(torch.zeros(1, 17, 2), COCO_17, (4, 4), 0)
    with pytest.raises(ValueError, match=r"radius .* positive; got 0"):
        render_discs(torch.zeros(1, 17, 2), (4, 4), 0)
