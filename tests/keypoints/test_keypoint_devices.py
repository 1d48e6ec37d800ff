"""Everything runs on the points' device: nothing is made elsewhere, and nothing reads a value back.

The meta device refuses both on any machine; where there is a GPU, it has to agree with the CPU.
"""

import pytest
import torch

from cyclekit.keypoints import (
    OPENPOSE_18,
    Keypoints,
    PosedImage,
    decode_heatmaps,
    landmark_image,
    mirror,
    pose_mask,
    random_transforms,
    render_discs,
    render_heatmaps,
    stick_figure,
    warp,
)

SIZE = (24, 20)
TURN = torch.tensor([[0.8, 0.6, -3.0], [-0.6, 0.8, 7.0], [0.0, 0.0, 1.0]])


def draw(points: torch.Tensor, visible: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return (
        render_heatmaps(points, SIZE, 2, visible),
        render_discs(points, SIZE, 2, visible),
        landmark_image(points, SIZE, visible=visible),
        stick_figure(points, OPENPOSE_18, SIZE, visible=visible),
        pose_mask(points, SIZE, "pg2", visible=visible),
        pose_mask(points, SIZE, "posegan", visible=visible),
    )


def find(points: torch.Tensor, visible: torch.Tensor) -> tuple[torch.Tensor, ...]:
    maps = render_heatmaps(points, SIZE, 2, visible)
    return tuple(part for method in ("argmax", "subpixel", "soft_argmax") for part in decode_heatmaps(maps, method))


def move(points: torch.Tensor, visible: torch.Tensor) -> tuple[torch.Tensor, ...]:
    maps = render_heatmaps(points, SIZE, 2, visible)
    posed = PosedImage(maps[:, :3], Keypoints(points, visible), maps[:, 3:4].round(), maps)
    turned = warp(posed, TURN.to(points.device).repeat(len(points), 1, 1), OPENPOSE_18)
    found = (posed.image, mirror(posed, OPENPOSE_18, visible[:, 0]), turned)
    return found[0], *found[1].keypoints, found[1].image, *found[2].keypoints, found[2].image, found[2].heatmaps


@pytest.mark.parametrize("work", [draw, find, move])
@pytest.mark.parametrize("device", ["meta", "cuda"])
def test_a_device_gets_what_the_cpu_gets(work, device):
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU")
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(2, 18, 2, generator=generator) * 19
    visible = torch.rand(2, 18, generator=generator) > 0.2
    expected = work(points, visible)
    found = work(points.to(device), visible.to(device))
    for one, other in zip(found, expected, strict=True):
        assert one.device.type == device
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        if device != "meta":
            torch.testing.assert_close(one.cpu(), other, rtol=0, atol=1e-4)


def test_transforms_are_drawn_where_they_are_wanted():
    assert random_transforms(3, SIZE, degrees=5, device="meta").device.type == "meta"


def test_gradients_pass_through_moving():
    """An image can be a generator's: what is moved is differentiable, in the image and in the points."""
    maps = torch.rand(1, 18, 6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    points = torch.full((1, 18, 2), 2.3, dtype=torch.float64, requires_grad=True)
    there = torch.ones(1, 18, dtype=torch.bool)

    def moved(maps: torch.Tensor, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        posed = PosedImage(maps[:, :1], Keypoints(points, there), None, maps)
        matrix = torch.tensor([[[-0.9, 0.1, 4.0], [0.2, 1.1, -0.3], [0.0, 0.0, 1.0]]], dtype=torch.float64)
        found = warp(posed, matrix, OPENPOSE_18)
        assert found.heatmaps is not None
        return found.heatmaps[:, 2:3] + found.image, found.keypoints.points

    assert torch.autograd.gradcheck(moved, (maps, points))
