"""Persons drawn by formulas: people in varied clothes, seen from all sides as they walk and gesture."""

import math
from functools import cached_property

import torch
from torch import Tensor

from cyclekit.data import Drawing
from cyclekit.keypoints import OPENPOSE_18, limb_radius, pose_mask
from data.drawing import drawing_of
from data.embedded import EmbeddedPairs
from data.faces import HAIRS, SKINS
from data.shapes import (
    coverage,
    ellipse,
    hue,
    paint,
    pick,
    pixel_grid,
    polygon,
    polyline,
    shaded,
    to_pixels,
)

NOSE, NECK, RIGHT_ARM, LEFT_ARM = 0, 1, (2, 3, 4), (5, 6, 7)
RIGHT_LEG, LEFT_LEG = (8, 9, 10), (11, 12, 13)
FACE_SHOWS = -0.3  # the cosine of the view from which on a face is drawn and its joints are known


class PersonPairs(EmbeddedPairs):
    """Pairs of drawn persons in two poses, with heatmaps of 18 joints in Market-1501's order, and y's pose mask M.

    Joints that are turned away, hidden or cut off by the frame have an empty map; shoulders and hips always show.
    The Gaussians are 6 pixels wide at 128x64, as PoseGAN's, and grow with the picture.

    Args:
        split: ``"train"`` or ``"test"``.
        size: Height and width.
        identities: How many; by default 200 to train and 32 to test.
        seed: Of all identities and states.
    """

    identity_numbers = 20
    state_numbers = 11

    def joints(self, identity: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return joints (batch, 18, 2) in pixels, and which can be seen."""
        joints, _ = _joints(identity, state)
        half_width = self.size[1] / self.size[0]
        in_frame = (joints.abs() <= joints.new_tensor([half_width, 1.0])).all(-1)
        return to_pixels(joints, self.size), _visible(state) & in_frame

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Return ``x``, ``y``, ``Lx`` and ``Ly`` in [-1, 1], and ``M``, PG2's mask of the person in y, of 0 and 1."""
        y = self.drawings_of(index)[1]
        if y not in self._masks:
            radius = limb_radius(self.size[0])
            mask = pose_mask(self.points[y : y + 1], self.size, "pg2", radius, self.visible[y : y + 1])
            self._masks[y] = mask[0].byte()
        return super().__getitem__(index) | {"M": self._masks[y].float()}

    @cached_property
    def _masks(self) -> dict[int, Tensor]:
        return {}

    def draw(self, identity: Tensor, state: Tensor) -> Tensor:
        """Return pictures (batch, 3, h, w) in [0, 1]."""
        joints, depth = _joints(identity, state)
        return _picture(identity, state, joints, depth, self.size)

    @property
    def drawing(self) -> Drawing:
        """How joints become heatmaps."""
        return drawing_of(OPENPOSE_18, self.size)


def _view(state: Tensor) -> Tensor:
    """Return where a person looks: 0 at the viewer, pi/2 to the right of the picture, pi away."""
    return state[:, 0] * math.pi


def _joints(identity: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """Return the joints (batch, 18, 2) in the picture's plane, and how near the right side is (batch,)."""
    view = _view(state)
    across, ahead = view.cos(), view.sin()
    shoulder, hip = 0.15 + 0.04 * identity[:, 0], 0.095 + 0.03 * identity[:, 1]
    neck_y, hip_y = torch.full_like(view, -0.52), 0.03 + 0.05 * (identity[:, 2] - 0.5)

    def limb(
        side: int,
        root_x: Tensor,
        root_y: Tensor,
        swing: Tensor,
        bend: Tensor,
        spread: Tensor,
        upper: float,
        lower: float,
    ) -> list[Tensor]:
        """Return root, middle and end of a limb that swings ahead and spreads sideways."""
        points = [torch.stack([side * across * root_x, root_y], dim=-1)]
        for angle, length in ((swing, upper), (swing + bend, lower)):
            sideways = side * across * spread * length
            forward = ahead * angle.sin() * length
            points.append(points[-1] + torch.stack([sideways + forward, angle.cos() * length], dim=-1))
        return points

    swing = state[:, 1] * 0.55
    arms, legs = {}, {}
    for side, sign in ((-1, 1.0), (1, -1.0)):
        raised = state[:, 3 if side < 0 else 4]
        arm_swing = -sign * swing * 0.8 + raised.clamp_min(0) * 1.1
        arms[side] = limb(
            side,
            shoulder,
            neck_y + 0.03,
            arm_swing,
            0.25 + 0.9 * (state[:, 5] + 1) / 2,
            0.10 + 0.45 * raised.abs(),
            0.26,
            0.24,
        )
        legs[side] = limb(
            side,
            hip,
            hip_y,
            sign * swing,
            -0.45 * (sign * swing).abs() * 0.8,
            0.08 + 0.10 * (state[:, 6] + 1) / 2,
            0.40,
            0.40,
        )
    neck = torch.stack([torch.zeros_like(neck_y), neck_y], dim=-1)
    head = neck + torch.stack([0.05 * ahead, torch.full_like(neck_y, -0.17)], dim=-1)

    def on_head(sideways: float, forward: float, y: float) -> Tensor:
        return head + torch.stack([sideways * across + forward * ahead, torch.full_like(across, y)], dim=-1)

    nose, right_eye, left_eye = (
        on_head(0, 0.085, 0.02),
        on_head(-0.035, 0.065, -0.02),
        on_head(0.035, 0.065, -0.02),
    )
    right_ear, left_ear = on_head(-0.08, 0, 0.0), on_head(0.08, 0, 0.0)
    order = [nose, neck, *arms[-1], *arms[1], *legs[-1], *legs[1], right_eye, left_eye, right_ear, left_ear]
    joints = torch.stack(order, dim=1)

    lean, scale = (state[:, 7] * 0.10)[:, None], (0.93 + 0.07 * state[:, 8])[:, None, None]
    x, y = joints.unbind(-1)
    leant = torch.stack([x - y * lean, y], dim=-1) * scale
    place = torch.stack([state[:, 9] * 0.10, state[:, 10] * 0.05 + 0.02], dim=-1)
    return leant + place[:, None], -ahead


def _visible(state: Tensor) -> Tensor:
    """Return which joints can be seen: not the far arm from the side, nor the face from behind."""
    view = _view(state)
    across, ahead = view.cos(), view.sin()
    visible = torch.ones(len(state), 18, dtype=torch.bool)
    visible[:, [NOSE, 14, 15]] = (across > FACE_SHOWS)[:, None]
    visible[:, 14] &= ahead < 0.85
    visible[:, 15] &= ahead > -0.85
    visible[:, 16] = ahead < 0.5
    visible[:, 17] = ahead > -0.5
    # Facing the picture's right, the right side is the nearer one.
    visible[:, [6, 7]] = (ahead < 0.8)[:, None]
    visible[:, [3, 4]] = (ahead > -0.8)[:, None]
    return visible


def _picture(identity: Tensor, state: Tensor, joints: Tensor, right_depth: Tensor, size: tuple[int, int]) -> Tensor:
    plane = pixel_grid(size).expand(len(identity), -1, -1, -1)
    pixel = 2 / size[0]
    skin, hair = pick(SKINS, identity[:, 3]), pick(HAIRS, identity[:, 4])
    shirt, trousers, shoes = (
        hue(identity[:, 5], 0.15, 0.9),
        hue(identity[:, 6], 0.08, 0.55),
        hue(identity[:, 7], 0.05, 0.5),
    )
    view = _view(state)
    long_sleeves, skirted, short = identity[:, 8] > 0.5, identity[:, 9] > 0.65, identity[:, 10] > 0.7
    bare_leg = skirted | short
    y = plane[..., 1] - joints[:, NECK, 1][:, None, None]
    stripes = torch.sin(y * (20 + 40 * identity[:, 11])[:, None, None]).sign() * (identity[:, 12] > 0.4)[:, None, None]
    shirt_picture = shaded(shirt, 0.22 * stripes)
    trouser_picture = shaded(trousers, 0.12 * torch.sin(plane[..., 0] * (30 + 50 * identity[:, 13])[:, None, None]))

    def leg(picture: Tensor, points: Tensor) -> Tensor:
        lower = polyline(plane, points[:, 1:]) - 0.036
        upper = polyline(plane, points[:, :2]) - 0.052
        lower_colour = torch.where(
            bare_leg[:, None, None, None], skin[:, :, None, None].expand_as(picture), trouser_picture
        )
        upper_colour = torch.where(
            skirted[:, None, None, None], skin[:, :, None, None].expand_as(picture), trouser_picture
        )
        picture = paint(picture, lower_colour, coverage(lower, pixel))
        picture = paint(picture, upper_colour, coverage(upper, pixel))
        toe = points[:, 2] + torch.stack([0.05 * view.sin(), torch.full_like(view, 0.03)], dim=-1)
        return paint(
            picture,
            shoes,
            coverage(ellipse(plane, toe, torch.tensor([[0.062, 0.034]]).expand(len(toe), -1)), pixel),
        )

    def arm(picture: Tensor, points: Tensor) -> Tensor:
        lower = polyline(plane, points[:, 1:]) - 0.026
        upper = polyline(plane, points[:, :2]) - 0.038
        sleeve = torch.where(
            long_sleeves[:, None, None, None], shirt_picture * 0.92, skin[:, :, None, None].expand_as(picture)
        )
        picture = paint(picture, sleeve, coverage(lower, pixel))
        picture = paint(picture, shirt_picture * 0.92, coverage(upper, pixel))
        return paint(picture, skin, coverage(ellipse(plane, points[:, 2], torch.full((len(points), 2), 0.034)), pixel))

    near_right = (right_depth < 0)[:, None, None]

    def side(near: bool, right: tuple[int, ...], left: tuple[int, ...]) -> Tensor:
        return torch.where(near_right if near else ~near_right, joints[:, list(right)], joints[:, list(left)])

    picture = _background(identity, plane)
    shadow = torch.stack([joints[:, (10, 13), 0].mean(1), joints[:, (10, 13), 1].amax(1) + 0.03], dim=-1)
    picture = paint(
        picture,
        picture * 0.6,
        coverage(ellipse(plane, shadow, torch.tensor([[0.24, 0.05]]).expand(len(plane), -1)), pixel),
    )
    picture = arm(picture, side(False, RIGHT_ARM, LEFT_ARM))
    picture = leg(picture, side(False, RIGHT_LEG, LEFT_LEG))
    picture = leg(picture, side(True, RIGHT_LEG, LEFT_LEG))
    if bool(skirted.any()):
        hem = torch.stack(
            [
                joints[:, 8],
                joints[:, 11],
                joints[:, 12] * 0.8 + joints[:, 11] * 0.2,
                joints[:, 9] * 0.8 + joints[:, 8] * 0.2,
            ],
            dim=1,
        )
        skirt = coverage(polygon(plane, hem) - 0.07, pixel) * skirted[:, None, None, None]
        picture = paint(picture, trouser_picture, skirt)
    torso = torch.stack([joints[:, 2], joints[:, 5], joints[:, 11], joints[:, 8]], dim=1)
    picture = paint(picture, shirt_picture, coverage(polygon(plane, torso) - 0.055, pixel))
    picture = paint(
        picture,
        skin * 0.9,
        coverage(polyline(plane, torch.stack([joints[:, NECK], _head(joints)], dim=1)) - 0.04, pixel),
    )
    picture = _draw_head(identity, view, picture, plane, joints, skin, hair, pixel)
    return arm(picture, side(True, RIGHT_ARM, LEFT_ARM)).clamp(0, 1)


def _head(joints: Tensor) -> Tensor:
    return (joints[:, 16] + joints[:, 17]) / 2


def _draw_head(
    identity: Tensor,
    view: Tensor,
    picture: Tensor,
    plane: Tensor,
    joints: Tensor,
    skin: Tensor,
    hair: Tensor,
    pixel: float,
) -> Tensor:
    head = _head(joints)
    strands = 0.25 * torch.sin((plane[..., 0] - head[:, 0, None, None]) * (60 + 40 * identity[:, 14])[:, None, None])
    back = head - torch.stack([0.025 * view.sin(), 0.02 * torch.ones_like(view)], dim=-1)
    volume = 0.105 + 0.03 * identity[:, 15]
    length = volume * (1.1 + 0.7 * identity[:, 16])
    behind = ellipse(
        plane,
        back + torch.stack([torch.zeros_like(view), length - volume], dim=-1),
        torch.stack([volume, length], dim=-1),
    )
    hair_picture = shaded(hair, strands)
    picture = paint(picture, hair_picture, coverage(behind, pixel))
    toward = (view.cos() > FACE_SHOWS)[:, None, None, None]
    middle = head + torch.stack([0.022 * view.sin(), 0.015 * torch.ones_like(view)], dim=-1)
    face = ellipse(plane, middle, torch.tensor([[0.080, 0.108]]).expand(len(head), -1))
    picture = paint(picture, skin, coverage(face, pixel) * toward)
    fringe = face.maximum(plane[..., 1] - (head[:, 1] - 0.045)[:, None, None])
    picture = paint(picture, hair_picture, coverage(fringe - 0.01, pixel) * toward)
    for eye, turned in ((14, view.sin() < 0.85), (15, view.sin() > -0.85)):
        dot = coverage(ellipse(plane, joints[:, eye], torch.full((len(head), 2), 0.016)), pixel)
        picture = paint(picture, torch.full_like(skin, 0.08), dot * toward * turned[:, None, None, None])
    return picture


def _background(identity: Tensor, plane: Tensor) -> Tensor:
    x, y = plane.unbind(-1)
    horizon = (0.35 + 0.3 * identity[:, 17])[:, None, None]
    bricks = torch.sin(y * 40) * torch.sin(x * 26 + 3 * (y * 40 / math.pi / 2).floor())
    wall = shaded(
        hue(identity[:, 18], 0.45, 0.95),
        0.10 * bricks.sign() + 0.06 * torch.sin(x * 9 + 6 * identity[:, 17, None, None]),
    )
    tiles = torch.sin((x / (y + 1.2)) * 30) * torch.sin(14 / (y + 0.3).clamp_min(0.05))
    floor = shaded(hue(identity[:, 19], 0.30, 0.65), 0.14 * tiles.sign())
    return torch.where((y < horizon)[:, None], wall, floor)
