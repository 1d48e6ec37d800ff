import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclekit.keypoints import Keypoints, decode_heatmaps, render_heatmaps

inside = st.tuples(st.floats(0, 30, width=32), st.floats(0, 22, width=32))
TOLERANCE = {"argmax": 0.5 + 1e-4, "subpixel": 5e-3}


@pytest.mark.parametrize("method", ["argmax", "subpixel"])
@settings(max_examples=30, deadline=None)
@given(where=inside, sigma=st.floats(1, 6))
def test_decoding_undoes_rendering_up_to_the_border(method, where, sigma):
    points = torch.tensor([[where]])
    found = decode_heatmaps(render_heatmaps(points, (23, 31), sigma), method)
    assert isinstance(found, Keypoints)
    assert found.visible.all()
    assert (found.points - points).abs().max() <= TOLERANCE[method]


@settings(max_examples=30, deadline=None)
@given(x=st.floats(12, 20, width=32), y=st.floats(12, 20, width=32))
def test_the_centre_of_mass_of_an_uncut_blob_is_its_centre(x, y):
    found = decode_heatmaps(render_heatmaps(torch.tensor([[[x, y]]]), (33, 33), 2.0), "soft_argmax")
    torch.testing.assert_close(found.points, torch.tensor([[[x, y]]]), rtol=0, atol=1e-3)


def test_the_centre_of_mass_by_hand():
    maps = torch.tensor([[[[0.0, 0.0, 0.0], [1.0, 0.0, 3.0], [-5.0, 0.0, 0.0]]]])
    torch.testing.assert_close(decode_heatmaps(maps, "soft_argmax").points, torch.tensor([[[1.5, 1.0]]]))


@pytest.mark.parametrize("method", ["argmax", "subpixel", "soft_argmax"])
def test_an_empty_map_is_not_visible_and_its_point_is_finite(method):
    maps = torch.zeros(1, 2, 5, 5, requires_grad=True)
    found = decode_heatmaps(maps, method)
    assert not found.visible.any()
    assert found.points.isfinite().all()
    if method != "argmax":
        (gradient,) = torch.autograd.grad(found.points.sum(), maps)
        assert gradient.isfinite().all()


def test_the_threshold_is_on_the_brightest_pixel():
    maps = torch.zeros(1, 2, 4, 4)
    maps[0, 0, 1, 2], maps[0, 1, 3, 0] = 0.5, 0.51
    found = decode_heatmaps(maps, threshold=0.5)
    assert found.visible.tolist() == [[False, True]]
    assert found.points[0, 1].tolist() == [0, 3]


def test_half_precision_maps_give_full_precision_points():
    points = torch.tensor([[[301.0, 2.0]]])
    found = decode_heatmaps(render_heatmaps(points, (5, 320), 2.0).bfloat16())
    assert found.points.dtype == torch.float32
    assert found.points.tolist() == points.tolist()


@pytest.mark.parametrize("method", ["subpixel", "soft_argmax"])
def test_decoding_gradient(method):
    start = render_heatmaps(torch.tensor([[[2.3, 1.8]]], dtype=torch.float64), (5, 6), 1.5)
    maps = (start + 0.01).requires_grad_()
    assert torch.autograd.gradcheck(lambda m: decode_heatmaps(m, method).points, (maps,))


@pytest.mark.parametrize("method", ["argmax", "subpixel", "soft_argmax"])
def test_decoding_compiles_whole(method):
    maps = torch.rand(2, 3, 6, 7, generator=torch.Generator().manual_seed(0))
    compiled = torch.compile(decode_heatmaps, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(maps, method), decode_heatmaps(maps, method))


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="at least 3x3 pixels; got 2x9"):
        decode_heatmaps(torch.zeros(1, 1, 2, 9), "subpixel")
    with pytest.raises(ValueError, match="argument 'method': there is no 'mean'; known names: argmax"):
        decode_heatmaps(torch.zeros(1, 1, 4, 4), "mean")  # pyright: ignore[reportArgumentType]
