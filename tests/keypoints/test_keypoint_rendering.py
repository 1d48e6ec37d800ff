import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclekit.errors import ShapeError
from cyclekit.keypoints import landmark_image, render_heatmaps

NAN = float("nan")
coordinate = st.floats(-30, 50, width=32)


def oracle(x: float, y: float, height: int, width: int, sigma: float) -> torch.Tensor:
    return torch.tensor(
        [[math.exp(-((c - x) ** 2 + (r - y) ** 2) / (2 * sigma**2)) for c in range(width)] for r in range(height)],
        dtype=torch.float64,
    )


@settings(max_examples=40, deadline=None)
@given(x=coordinate, y=coordinate, sigma=st.floats(0.5, 12))
def test_a_heatmap_is_the_formula_inside_at_the_border_and_outside(x, y, sigma):
    (found,) = render_heatmaps(torch.tensor([[[x, y]]]), (11, 17), sigma)[0]
    assert found.shape == (11, 17)
    assert (found.double() - oracle(x, y, 11, 17, sigma)).abs().max() < 1e-6


def test_the_values_of_one_small_map():
    (found,) = render_heatmaps(torch.tensor([[[0.0, 1.0]]]), (3, 3), 1)[0]
    e = math.exp
    row = [e(-0.5), e(-1), e(-2.5)]
    torch.testing.assert_close(found, torch.tensor([row, [1, e(-0.5), e(-2)], row]), rtol=0, atol=1e-6)


def test_a_point_outside_leaves_its_tail_only():
    near, far = render_heatmaps(torch.tensor([[[-3.0, 4.0], [-300.0, 4.0]]]), (8, 8), 2.0)[0]
    assert near.max() == pytest.approx(math.exp(-9 / 8), abs=1e-6)
    assert far.max() == 0


@pytest.mark.parametrize("hidden", [[NAN, 3.0], [3.0, NAN], [float("inf"), 3.0]])
def test_points_that_are_not_finite_are_missing(hidden):
    points = torch.tensor([[[3.0, 3.0], hidden]], requires_grad=True)
    maps = render_heatmaps(points, (8, 8), 2.0)
    assert maps[0, 0].max() == 1
    assert maps[0, 1].abs().max() == 0
    (gradient,) = torch.autograd.grad(maps.square().sum(), points)
    assert gradient.isfinite().all()


@pytest.mark.parametrize(
    "visible", [torch.tensor([[True, False]]), torch.tensor([[0.3, 0.0]]), torch.tensor([[1.0, NAN]])]
)
def test_joints_said_to_be_invisible_are_missing(visible):
    points = torch.full((1, 2, 2), 3.0)
    maps = render_heatmaps(points, (8, 8), 2.0, visible)
    assert maps[0, 0].max() == 1
    assert maps[0, 1].abs().max() == 0


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_maps_have_the_points_dtype_and_the_full_precision_value(dtype):
    points = torch.tensor([[[100.0, 4.0]]], dtype=dtype)
    maps = render_heatmaps(points, (8, 120), 6.0)
    assert maps.dtype == dtype
    expected = oracle(100, 4, 8, 120, 6)
    assert (maps[0, 0].double() - expected).abs().max() <= 2 * torch.finfo(dtype).eps


def test_empty_batches_and_no_joints():
    assert render_heatmaps(torch.zeros(0, 3, 2), (4, 5), 1.0).shape == (0, 3, 4, 5)
    assert landmark_image(torch.zeros(2, 0, 2), (4, 5)).min() == 1


def test_heatmap_gradient():
    points = torch.tensor([[[2.3, 1.1], [-1.0, 9.0]]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda p: render_heatmaps(p, (6, 7), 1.5), (points,))


def dots(centres: list[tuple[int, int]], radius: int, height: int, width: int) -> torch.Tensor:
    """1 strictly inside the smoothed rim, by hand."""
    picture = torch.zeros(height, width)
    for x, y in centres:
        for r in range(height):
            for c in range(width):
                d = math.sqrt((c - x) ** 2 + (r - y) ** 2)
                picture[r, c] = max(picture[r, c].item(), min(1.0, max(0.0, radius + 0.5 - d)))
    return picture


def test_landmarks_are_black_dots_on_white():
    centres = [(3, 4), (5, 4), (0, 11), (14, 6), (-2, 2), (200, -9999)]
    points = torch.tensor([centres], dtype=torch.float32)
    picture = landmark_image(points, (12, 15), radius=2)
    expected = 1 - dots(centres, 2, 12, 15)
    assert picture.shape == (1, 3, 12, 15)
    for channel in picture[0]:
        torch.testing.assert_close(channel, expected)
    white = landmark_image(points, (12, 15), radius=2, polarity="white_on_black")
    torch.testing.assert_close(white, 1 - picture)


@settings(max_examples=30, deadline=None)
@given(x=coordinate, y=coordinate, radius=st.floats(0.3, 6))
def test_a_dot_is_its_distance_field_wherever_it_lies(x, y, radius):
    (found,) = landmark_image(torch.tensor([[[x, y]]]), (9, 13), radius, "white_on_black")[:, 0]
    rows, columns = torch.meshgrid(torch.arange(9.0), torch.arange(13.0), indexing="ij")
    expected = (radius + 0.5 - torch.hypot(columns - x, rows - y)).clamp(0, 1)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_missing_landmarks_leave_no_dot():
    points = torch.tensor([[[3.0, 3.0], [NAN, 1.0]], [[1.0, 1.0], [2.0, 2.0]]])
    hidden = torch.tensor([[False, True], [False, False]])
    assert landmark_image(points, (6, 6), visible=hidden).min() == 1


def test_landmark_gradient_also_in_the_middle_of_a_dot():
    points = torch.tensor([[[4.0, 4.0], [1.2, 2.6]]], dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(landmark_image(points, (9, 9)).square().sum(), points)
    assert gradient.isfinite().all()
    moved = torch.tensor([[[4.13, 4.21], [1.2, 2.6]]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda p: landmark_image(p, (9, 9), 1.7)[:, :1], (moved,))


def test_rendering_compiles_whole():
    points = torch.rand(2, 5, 2) * 12

    def both(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return render_heatmaps(points, (12, 10), 2.0), landmark_image(points, (12, 10))

    torch.testing.assert_close(torch.compile(both, fullgraph=True, backend="eager")(points), both(points))


def test_errors_say_what_is_wrong():
    points = torch.zeros(1, 2, 2)
    with pytest.raises(ValueError, match=r"sigma is a length in pixels and must be positive; got 0"):
        render_heatmaps(points, (4, 4), 0)
    with pytest.raises(ValueError, match=r"radius .* positive; got -1"):
        landmark_image(points, (4, 4), -1)
    with pytest.raises(ValueError, match=r"size must be \(height, width\).*got \(0, 4\)"):
        render_heatmaps(points, (0, 4), 1.0)
    with pytest.raises(ShapeError, match="points"):
        render_heatmaps(torch.zeros(1, 2, 3), (4, 4), 1.0)
    with pytest.raises(ShapeError, match="visible"):
        render_heatmaps(points, (4, 4), 1.0, torch.ones(1, 3))
    with pytest.raises(ValueError, match="argument 'polarity': there is no 'grey'; known names: black_on_white"):
        landmark_image(points, (4, 4), polarity="grey")  # pyright: ignore[reportArgumentType]
