import pytest
import torch

from cyclekit.errors import ShapeError
from cyclekit.keypoints import render_heatmaps
from cyclekit.losses import create_criterion, keypoint_distance


def heatmaps(points, sigma=3.0, size=(32, 24)):
    return 2 * render_heatmaps(torch.tensor(points), size, sigma=sigma) - 1


def test_distance_in_pixels():
    one, other = heatmaps([[[8.0, 9.0], [12.0, 20.0]]]), heatmaps([[[11.0, 13.0], [12.0, 20.0]]])
    assert keypoint_distance(one, other).item() == pytest.approx((5 + 0) / 2, abs=1e-3)


def test_sub_pixel_distance_and_the_size_of_the_map():
    one, other = heatmaps([[[30.0, 30.0]]], 6.0, (128, 64)), heatmaps([[[30.5, 30.0]]], 6.0, (128, 64))
    assert keypoint_distance(one, other).item() == pytest.approx(0.5, abs=0.02)


def test_missing_joints_are_left_out():
    one, other = heatmaps([[[8.0, 9.0], [12.0, 20.0]]]), heatmaps([[[11.0, 13.0], [2.0, 2.0]]])
    other[:, 1] = -1
    assert keypoint_distance(one, other).item() == pytest.approx(5, abs=1e-3)
    one.requires_grad_()
    keypoint_distance(one, other).backward()
    assert one.grad[:, 0].abs().sum() > 0
    assert one.grad[:, 1].abs().sum() == 0


def test_no_joint_at_all_costs_nothing():
    one = heatmaps([[[8.0, 9.0]]]).requires_grad_()
    loss = keypoint_distance(one, -torch.ones_like(one))
    loss.backward()
    assert loss == 0
    assert one.grad.abs().sum() == 0


def test_equal_maps_have_a_finite_gradient():
    one = heatmaps([[[8.0, 9.0]]]).requires_grad_()
    keypoint_distance(one, one.detach()).backward()
    assert one.grad.isfinite().all()


def test_descending_moves_the_blob_home():
    point = torch.tensor([[[8.0, 9.0]]], requires_grad=True)
    target = heatmaps([[[11.0, 13.0]]])
    keypoint_distance(2 * render_heatmaps(point, (32, 24), sigma=3.0) - 1, target).backward()
    direction = -point.grad[0, 0] / point.grad.norm()
    torch.testing.assert_close(direction, torch.tensor([0.6, 0.8]), atol=0.02, rtol=0)


def test_contract():
    criterion = create_criterion("keypoint_distance", sharpness=10.0)
    one, other = (torch.rand(2, 3, 6, 5, dtype=torch.float64) * 2 - 1 for _ in range(2))
    loss = criterion(one, other)
    assert torch.equal(torch.compile(criterion, fullgraph=True, backend="eager")(one, other), loss)
    assert torch.autograd.gradcheck(lambda x: criterion(x, other), (one.requires_grad_(),))
    half = [maps.detach().bfloat16() for maps in (one, other)]
    assert torch.equal(criterion(*half), criterion(*(maps.float() for maps in half)))
    with pytest.raises(ShapeError, match="target"):
        keypoint_distance(one, other[:, :2])
