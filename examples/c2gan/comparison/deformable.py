"""PoseGAN's deformable skip: features carried limb by limb from one pose to another."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from cyclekit.keypoints import OPENPOSE_18, Keypoints, decode_heatmaps

_JOINT = {name: place for place, name in enumerate(OPENPOSE_18.joints)}
_NECK, _SHOULDERS, _HIPS = (
    [_JOINT["neck"]],
    [_JOINT["right_shoulder"], _JOINT["left_shoulder"]],
    [_JOINT["right_hip"], _JOINT["left_hip"]],
)
_FACE = [_JOINT[name] for name in ("nose", "right_eye", "left_eye", "right_ear", "left_ear")]
_LIMBS = [
    ([_JOINT[f"{side}_{start}"]], [_JOINT[f"{side}_{end}"]])
    for side in ("right", "left")
    for start, end in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
]
PARTS = ((_NECK, _HIPS), (_NECK, _FACE), *_LIMBS)
"""Torso, head, upper and lower arms and legs: each reaches from the middle of some joints to that of others."""
BEYOND = 0.25
"""How far a limb reaches beyond its joints, as a part of its length."""


class Boxes(NamedTuple):
    """Oriented rectangles around the parts of bodies, (batch, parts, ...).

    Attributes:
        centre: Their middles, (x, y) in pixels.
        along: Unit vectors along them.
        half: Half their lengths and widths; the torso's width is negative where its left side lies on the other side,
            so that a body seen from behind is mirrored.
        there: Which parts' joints are known.
    """

    centre: Tensor
    along: Tensor
    half: Tensor
    there: Tensor


def boxes(pose: Keypoints) -> Boxes:
    """Return the rectangles around the ten parts of bodies.

    A limb is as wide as a third of the torso is long, the head as long as it is wide, and the torso as wide as the
    shoulders or hips are, but not narrower than half its length, so that it has a width from the side.

    Args:
        pose: 18 joints in OpenPose's order, (batch, 18, 2) in pixels, and which of them are known.
    """
    ends = [[_middle(pose, joints) for joints in part] for part in PARTS]
    start, end = (torch.stack([part[side][0] for part in ends], dim=1) for side in (0, 1))
    there = torch.stack([part[0][1] & part[1][1] for part in ends], dim=1)
    length = torch.linalg.vector_norm(end - start, dim=-1).clamp_min(1.0)
    along = (end - start) / length[..., None]
    torso = length[:, :1]
    across = torch.stack([_apart(pose, _SHOULDERS), _apart(pose, _HIPS)], dim=1).amax(1, keepdim=True)
    width = torch.cat([across.maximum(0.5 * torso), length[:, 1:2], (torso / 3).expand(-1, len(PARTS) - 2)], dim=1)
    width[:, 0] *= _facing(pose, along[:, 0])
    half = torch.stack([(0.5 + BEYOND) * length, 0.5 * width], dim=-1)
    return Boxes((start + end) / 2, along, half, there)


def warp(features: Tensor, Lx: Tensor, Ly: Tensor) -> Tensor:
    """Carry features from one pose to another: each part by its own affine map, and what is most of all parts is kept.

    What lies on no part, and parts that either pose does not show, come with the torso; where that is not known
    either, they stay where they are.

    Args:
        features: (batch, channels, height, width), of any size.
        Lx: Their pose, heatmaps (batch, 18, ...) in [-1, 1].
        Ly: The other pose, likewise.

    Returns:
        Features of the same shape, in the other pose.

    Source:
        Siarohin et al., Deformable GANs for Pose-based Human Image Generation (arXiv 1801.00055), section 3.2, Eq. 4.
    """
    source, target = (boxes(decode_heatmaps((maps.detach().float() + 1) / 2)) for maps in (Lx, Ly))
    there = source.there & target.there
    batch, channels, height, width = features.shape
    scale = features.new_tensor([Lx.shape[-1] / width, Lx.shape[-2] / height])
    rows, columns = torch.arange(height, device=features.device), torch.arange(width, device=features.device)
    grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1)
    pixels = (grid + 0.5) * scale - 0.5

    local = _in_box(pixels, target)
    found = _out_of_box(local, source)
    stays = pixels.expand_as(found[:, 0])
    whole = torch.where(there[:, 0, None, None, None], found[:, 0], stays)
    places = torch.cat([whole[:, None], found[:, 1:]], dim=1)

    size = features.new_tensor([Lx.shape[-1], Lx.shape[-2]])
    normalised = ((places + 0.5) * 2 / size - 1).to(features.dtype)
    parts = len(PARTS)
    repeated = features[:, None].expand(-1, parts, -1, -1, -1).flatten(0, 1)
    moved = F.grid_sample(repeated, normalised.flatten(0, 1), align_corners=False).view(
        batch, parts, channels, height, width
    )
    on_part = (local.abs() <= 1).all(-1) & there[:, :, None, None]
    on_part[:, 0] = True  # the torso's map carries all that lies on no limb
    return moved.masked_fill(~on_part[:, :, None], -torch.inf).amax(1)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {"warp": warp}
"""The functions of graphs that are trained here, by name, for a model that is read back."""


def _middle(pose: Keypoints, joints: list[int]) -> tuple[Tensor, Tensor]:
    """Return the middle of those joints that are known, (batch, 2), and whether any is."""
    known = pose.visible[:, joints, None].to(pose.points.dtype)
    total = (pose.points[:, joints].nan_to_num() * known).sum(1)
    return total / known.sum(1).clamp_min(1), pose.visible[:, joints].any(1)


def _apart(pose: Keypoints, joints: list[int]) -> Tensor:
    """Return the distance of two joints, (batch,); 0 where one is not known."""
    distance = torch.linalg.vector_norm(pose.points[:, joints[0]] - pose.points[:, joints[1]], dim=-1)
    return torch.where(pose.visible[:, joints].all(1), distance, 0.0)


def _facing(pose: Keypoints, along: Tensor) -> Tensor:
    """Return 1 where a body's left shoulder is where it is seen from the front, else -1; 1 where that is not known."""
    right, left = (pose.points[:, joint].nan_to_num() for joint in _SHOULDERS)
    normal = torch.stack([-along[:, 1], along[:, 0]], dim=-1)
    behind = (((left - right) * normal).sum(-1) > 0) & pose.visible[:, _SHOULDERS].all(1)
    return torch.where(behind, -1.0, 1.0)


def _in_box(pixels: Tensor, box: Boxes) -> Tensor:
    """Return where pixels (height, width, 2) lie in boxes, -1 to 1 each way, (batch, parts, height, width, 2)."""
    away = pixels - box.centre[:, :, None, None]
    along = box.along[:, :, None, None]
    normal = torch.stack([-along[..., 1], along[..., 0]], dim=-1)
    return torch.stack([(away * along).sum(-1), (away * normal).sum(-1)], dim=-1) / box.half[:, :, None, None]


def _out_of_box(local: Tensor, box: Boxes) -> Tensor:
    """Return the pixels at places in boxes, the inverse of `_in_box`."""
    along = box.along[:, :, None, None]
    normal = torch.stack([-along[..., 1], along[..., 0]], dim=-1)
    length, width = (local * box.half[:, :, None, None]).unbind(-1)
    return box.centre[:, :, None, None] + length[..., None] * along + width[..., None] * normal
