"""Faces drawn by formulas: people who differ, and what they do with their faces."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from cyclekit.data import Drawing
from cyclekit.keypoints import FACE_68
from data.drawing import drawing_of
from data.embedded import EmbeddedPairs
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

SKINS = torch.tensor([[0.98, 0.85, 0.74], [0.90, 0.70, 0.55], [0.70, 0.48, 0.34], [0.42, 0.27, 0.19]])
HAIRS = torch.tensor(
    [[0.10, 0.08, 0.07], [0.35, 0.20, 0.10], [0.85, 0.65, 0.30], [0.62, 0.25, 0.12], [0.55, 0.55, 0.58]]
)
EYES = torch.tensor([[0.20, 0.42, 0.62], [0.25, 0.45, 0.22], [0.35, 0.22, 0.10], [0.45, 0.47, 0.50]])

TRAITS = (
    "width",
    "height",
    "jaw",
    "eye_distance",
    "eye_height",
    "eye_size",
    "nose_length",
    "nose_width",
    "mouth_height",
    "mouth_width",
    "fullness",
    "skin",
    "hair",
    "eye_colour",
    "hair_width",
    "hair_length",
    "brows",
    "hairline",
    "parting",
    "curl",
    "wall_angle",
    "wall_stripes",
    "wall_colour",
    "shirt",
)
MOVES = ("brows_up", "frown", "lids", "smile", "mouth", "yaw", "nod", "roll", "closeness", "across", "down")


@dataclass(frozen=True)
class Faces:
    """A batch of faces: who they are and what they do, as numbers in [0, 1] and [-1, 1].

    Args:
        identity: A number in [0, 1] for each of `TRAITS`, (batch, traits).
        state: A number in [-1, 1] for each of `MOVES`, (batch, moves).
    """

    identity: Tensor
    state: Tensor

    def who(self, trait: str, low: float = 0, high: float = 1) -> Tensor:
        """Return a trait between two values, (batch,)."""
        return low + self.identity[:, TRAITS.index(trait)] * (high - low)

    def does(self, move: str, scale: float = 1.0) -> Tensor:
        """Return a movement, (batch,)."""
        return self.state[:, MOVES.index(move)] * scale


class FacePairs(EmbeddedPairs):
    """Pairs of drawn faces of one person, with 68 landmarks in iBUG's order as a black-on-white picture.

    Training and test identities are disjoint. Everything follows from the seed.

    Args:
        split: ``"train"`` or ``"test"``.
        size: Height and width.
        identities: How many; by default 200 to train and 32 to test.
        seed: Of all identities and states.
    """

    identity_numbers = len(TRAITS)
    state_numbers = len(MOVES)

    def joints(self, identity: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return landmarks (batch, 68, 2) in pixels, all of them visible."""
        faces = Faces(identity, state)
        points = to_pixels(_posed(faces, _landmarks(faces)), self.size)
        return points, torch.ones(points.shape[:2], dtype=torch.bool)

    def draw(self, identity: Tensor, state: Tensor) -> Tensor:
        """Return pictures (batch, 3, h, w) in [0, 1]."""
        faces = Faces(identity, state)
        return _picture(faces, _landmarks(faces), self.size)

    @property
    def drawing(self) -> Drawing:
        """How landmarks become pictures: black dots that grow with them."""
        return drawing_of(FACE_68, self.size)


def _landmarks(faces: Faces) -> Tensor:
    """Return the 68 landmarks (batch, 68, 2) in the head's own plane: x to the right, y down, the face about 1 high."""
    width, height = faces.who("width", 0.37, 0.45), faces.who("height", 0.52, 0.62)
    jaw = faces.who("jaw", 0.10, 0.32)
    angle = torch.linspace(0, math.pi, 17)
    jaw_y = angle.sin() * height[:, None]
    jaw_width = width[:, None] * (1 - jaw[:, None] * angle.sin() ** 2)
    outline = torch.stack([-angle.cos() * jaw_width, jaw_y], dim=-1)

    raised, frown = faces.does("brows_up", 0.045), faces.does("frown", 0.03)
    arch = torch.tensor([0.0, -0.03, -0.042, -0.035, -0.015])
    eye_x, eye_y = faces.who("eye_distance", 0.165, 0.20), faces.who("eye_height", -0.13, -0.09)
    brow_x = torch.linspace(-0.115, 0.085, 5) - eye_x[:, None]
    inner = torch.tensor([-0.3, 0.0, 0.2, 0.6, 1.0])
    brow_y = (eye_y - 0.105 - raised)[:, None] + arch + inner * frown[:, None]
    brow = torch.stack([brow_x, brow_y], dim=-1)

    half, open_ = faces.who("eye_size", 0.072, 0.092), 0.034 * (1 + faces.does("lids", 0.75))
    corners = torch.tensor([-1.0, -0.42, 0.42, 1.0, 0.42, -0.42])
    lids = torch.tensor([0.0, -1.0, -1.0, 0.0, 0.75, 0.75])
    eye = torch.stack([corners * half[:, None] - eye_x[:, None], lids * open_[:, None] + eye_y[:, None]], dim=-1)

    nose_y, nose_width = faces.who("nose_length", 0.13, 0.18), faces.who("nose_width", 0.05, 0.085)
    bridge_y = torch.lerp(eye_y[:, None], nose_y[:, None] - 0.03, torch.linspace(0.1, 1, 4))
    bridge = torch.stack([torch.zeros_like(bridge_y), bridge_y], dim=-1)
    wings = torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0])
    base = torch.stack(
        [wings * nose_width[:, None], nose_y[:, None] + torch.tensor([0, 0.015, 0.025, 0.015, 0])], dim=-1
    )

    smile, opened = faces.does("smile"), faces.does("mouth").clamp_min(0) * 0.095
    mouth_y = nose_y + faces.who("mouth_height", 0.145, 0.17)
    mouth_half = faces.who("mouth_width", 0.105, 0.145) * (1 + 0.28 * smile)
    full = faces.who("fullness", 0.022, 0.040)
    across = torch.tensor([-1.0, -0.66, -0.28, 0.0, 0.28, 0.66, 1.0])
    bow = torch.tensor([0.0, -0.75, -1.0, -0.82, -1.0, -0.75, 0.0])
    lift = -smile[:, None] * 0.05 * (across**2 - 0.3)
    upper = torch.stack([across * mouth_half[:, None], mouth_y[:, None] + bow * full[:, None] + lift], dim=-1)
    below = across[1:6].flip(0)
    sag = torch.tensor([0.6, 0.95, 1.05, 0.95, 0.6])
    lower_y = mouth_y[:, None] + sag * (full + opened)[:, None] - smile[:, None] * 0.05 * (below**2 - 0.3)
    lower = torch.stack([below * mouth_half[:, None], lower_y], dim=-1)
    inside = torch.tensor([-0.86, -0.4, 0.0, 0.4, 0.86])
    inside_y = mouth_y[:, None] - smile[:, None] * 0.05 * (inside**2 - 0.3)
    inner_upper = torch.stack([inside * mouth_half[:, None], inside_y - 0.004], dim=-1)
    gap = torch.tensor([0.8, 1.0, 0.8]) * opened[:, None] + 0.004
    inner_lower = torch.stack([inside[1:4].flip(0) * mouth_half[:, None], inside_y[:, 1:4].flip(1) + gap], dim=-1)

    mirrored = torch.tensor([-1.0, 1.0])
    left_brow = brow.flip(1) * mirrored
    left_eye = (eye * mirrored)[:, [3, 2, 1, 0, 5, 4]]
    features = torch.cat([brow, left_brow, bridge, base, eye, left_eye, upper, lower, inner_upper, inner_lower], dim=1)
    return torch.cat([outline, _turned(faces, features)], dim=1)


def _turned(faces: Faces, points: Tensor) -> Tensor:
    """Shift points that stand out from the head's plane as the head turns and nods."""
    yaw, nod = faces.does("yaw", 0.50), faces.does("nod", 0.22)
    x, y = points.unbind(-1)
    depth = 0.36 * (1 - (x / 0.5).square() * 0.75 - (y / 0.75).square() * 0.4).clamp_min(0)
    nose = 0.10 * torch.exp(-(x / 0.06).square() - ((y - 0.12) / 0.09).square())
    turned_x = x * yaw.cos()[:, None] + (depth + nose - 0.08) * yaw.sin()[:, None]
    return torch.stack([turned_x, y + (depth + nose - 0.2) * nod.sin()[:, None]], dim=-1)


def _placement(faces: Faces) -> tuple[Tensor, Tensor, Tensor]:
    roll, scale = faces.does("roll", 0.24), 1 + faces.does("closeness", 0.10)
    centre = torch.stack([faces.does("across", 0.17), faces.does("down", 0.09) + 0.02], dim=-1)
    return roll, scale, centre


def _posed(faces: Faces, points: Tensor) -> Tensor:
    """Bring points from the head's plane into the picture's."""
    roll, scale, centre = _placement(faces)
    cos, sin = roll.cos()[:, None], roll.sin()[:, None]
    x, y = points.unbind(-1)
    rotated = torch.stack([x * cos - y * sin, x * sin + y * cos], dim=-1)
    return rotated * scale[:, None, None] + centre[:, None]


def _picture(faces: Faces, landmarks: Tensor, size: tuple[int, int]) -> Tensor:
    batch = len(faces.identity)
    plane = pixel_grid(size).expand(batch, -1, -1, -1)
    pixel = 2 / size[0]
    roll, scale, centre = _placement(faces)
    away = (plane - centre[:, None, None]) / scale[:, None, None, None]
    cos, sin = roll.cos()[:, None, None], roll.sin()[:, None, None]
    head = torch.stack([away[..., 0] * cos + away[..., 1] * sin, away[..., 1] * cos - away[..., 0] * sin], dim=-1)

    skin, hair = pick(SKINS, faces.who("skin")), pick(HAIRS, faces.who("hair"))
    iris = pick(EYES, faces.who("eye_colour"))
    picture = _background(faces, plane)
    picture = _shoulders(faces, picture, plane, centre, pixel)

    width, height, jaw = faces.who("width", 0.37, 0.45), faces.who("height", 0.52, 0.62), faces.who("jaw", 0.10, 0.32)
    strands = _strands(faces, head)
    hair_shape = torch.stack(
        [width * faces.who("hair_width", 1.14, 1.38), height * faces.who("hair_length", 1.08, 1.35)], dim=-1
    )
    behind = ellipse(
        head,
        torch.stack([torch.zeros(batch), faces.who("hair_length", -0.10, 0.06)], dim=-1),
        hair_shape,
    )
    picture = paint(picture, shaded(hair * 0.8, strands), coverage(behind, pixel))
    neck = (head[..., 0].abs() - width[:, None, None] * 0.52).maximum((head[..., 1] - 0.55).abs() - 0.35)
    picture = paint(picture, skin * 0.82, coverage(neck, pixel))

    # The head is narrower toward the chin, as the landmarks of the jaw are.
    x, y = head.unbind(-1)
    down = (y / height[:, None, None]).clamp(0, 1)
    reach = width[:, None, None] * (1 - jaw[:, None, None] * down.square())
    face = ((x / reach).square() + (y / height[:, None, None]).square()).sqrt() - 1
    face_cover = coverage(face * 0.4, pixel)
    light = 1.06 - 0.22 * (x / reach + faces.does("yaw", 0.5)[:, None, None]).square() - 0.08 * down
    freckles = _freckles(faces, head)
    picture = paint(picture, skin[:, :, None, None] * light[:, None] * (1 - freckles[:, None]), face_cover)

    features = [landmarks[:, part] for part in (slice(17, 22), slice(22, 27), slice(27, 31), slice(31, 36))]
    right_brow, left_brow, bridge, base = features
    for eye in (landmarks[:, 36:42], landmarks[:, 42:48]):
        picture = _eye(faces, picture, head, eye, iris, skin, pixel)
    thick = faces.who("brows", 0.012, 0.026)[:, None, None]
    for brow in (right_brow, left_brow):
        picture = paint(picture, hair * 0.75, coverage(polyline(head, brow) - thick, pixel))
    picture = paint(picture, skin * 0.80, coverage(polyline(head, bridge) - 0.008, pixel) * 0.55)
    picture = paint(picture, skin * 0.55, coverage(polyline(head, base) - 0.010, pixel) * 0.85)
    picture = _mouth(faces, picture, head, landmarks[:, 48:68], skin, pixel)

    # The fringe lies over the forehead.
    hairline = faces.who("hairline", -0.44, -0.27) + faces.does("nod", 0.03)
    parting = faces.who("parting", -0.25, 0.25)[:, None, None] + faces.does("yaw", 0.10)[:, None, None]
    wave = 0.35 * (x - parting).square() * faces.who("curl", -1.0, 1.8)[:, None, None]
    above = (y - hairline[:, None, None] - wave).maximum(behind)
    return paint(picture, shaded(hair, strands), coverage(above, pixel)).clamp(0, 1)


def _background(faces: Faces, plane: Tensor) -> Tensor:
    angle = faces.who("wall_angle", 0, math.pi)[:, None, None]
    frequency = faces.who("wall_stripes", 7, 16)[:, None, None]
    along = plane[..., 0] * angle.cos() + plane[..., 1] * angle.sin()
    stripes = (torch.sin(along * frequency) * 4).tanh()
    return paint(
        hue(faces.who("wall_colour", 0, 1), 0.30, 0.75)[:, :, None, None].expand(-1, -1, *plane.shape[1:3]),
        hue(faces.who("wall_colour", 0.12, 1.12), 0.50, 0.95),
        (0.5 + 0.5 * stripes)[:, None],
    )


def _shoulders(faces: Faces, picture: Tensor, plane: Tensor, centre: Tensor, pixel: float) -> Tensor:
    place = torch.stack([centre[:, 0] * 0.5, torch.full_like(centre[:, 0], 1.22)], dim=-1)
    shirt = ellipse(plane, place, torch.tensor([[0.85, 0.52]]).expand(len(plane), -1))
    knit = 0.12 * torch.sin(plane[..., 1] * faces.who("shirt", 18, 40)[:, None, None])
    colour = hue(faces.who("shirt", 0, 1), 0.15, 0.8)
    return paint(picture, shaded(colour, knit), coverage(shirt, pixel))


def _strands(faces: Faces, head: Tensor) -> Tensor:
    """Return hair's light and dark strands, which run down from the crown."""
    x, y = head.unbind(-1)
    angle = torch.atan2(x, y + 0.75)
    waves = torch.sin(
        angle * faces.who("parting", 26, 44)[:, None, None] + 3 * torch.sin(y * faces.who("curl", 2, 8)[:, None, None])
    )
    return 0.32 * waves + 0.2 * (-y - 0.2)


def _freckles(faces: Faces, head: Tensor) -> Tensor:
    x, y = (head - torch.stack([faces.does("yaw", 0.12), torch.zeros(len(head))], dim=-1)[:, None, None]).unbind(-1)
    spots = (torch.sin(x * 61 + torch.sin(y * 23) * 2) * torch.sin(y * 53 + torch.sin(x * 31) * 2) - 0.35).clamp_min(0)
    near = torch.exp(-((x.abs() - 0.18) / 0.13).square() - ((y - 0.06) / 0.10).square())
    return spots * near * faces.who("fullness", 0, 0.9)[:, None, None]


def _eye(faces: Faces, picture: Tensor, head: Tensor, eye: Tensor, iris: Tensor, skin: Tensor, pixel: float) -> Tensor:
    lids = polygon(head, eye)
    inside = coverage(lids - 0.004, pixel)
    picture = paint(picture, torch.full_like(skin, 0.96), inside)
    # Gaze: the iris follows where the face looks.
    middle = eye.mean(1) + torch.stack([faces.does("frown", 0.038), faces.does("lids", -0.008)], dim=-1)
    radius = faces.who("eye_size", 0.036, 0.044)[:, None].expand(-1, 2)
    picture = paint(picture, iris, coverage(ellipse(head, middle, radius), pixel) * inside)
    picture = paint(picture, iris * 0.1, coverage(ellipse(head, middle, radius * 0.5), pixel) * inside)
    glint = ellipse(head, middle + torch.tensor([0.012, -0.014]), radius * 0.28)
    picture = paint(picture, torch.ones_like(skin), coverage(glint, pixel) * inside)
    return paint(picture, skin * 0.22, coverage(polyline(head, eye[:, :4]) - 0.007, pixel))


def _mouth(faces: Faces, picture: Tensor, head: Tensor, mouth: Tensor, skin: Tensor, pixel: float) -> Tensor:
    red = torch.tensor([0.75, 0.22, 0.25])
    lips = torch.lerp(skin * 0.8, red.expand_as(skin), faces.who("mouth_width", 0.25, 0.75)[:, None])
    picture = paint(picture, lips, coverage(polygon(head, mouth[:, :12]), pixel))
    opening = polygon(head, mouth[:, 12:])
    picture = paint(picture, lips * 0.25, coverage(opening, pixel))
    teeth_y = mouth[:, 13:16, 1].mean(1)[:, None, None] + 0.028
    teeth = (opening + 0.006).maximum(head[..., 1] - teeth_y)
    return paint(picture, torch.full_like(skin, 0.94), coverage(teeth, pixel))
