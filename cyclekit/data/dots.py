"""Dots in landmark pictures, found as points: their order is not known, nor which is which."""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from kornia.contrib import connected_components
from torch import Tensor

from cyclekit.keypoints import landmark_image
from cyclekit.keypoints.drawing import Polarity

_FOUND = 0.55
"""How much of a dot must be there, of what no other dot covers."""
_MOST = 512
_REFINING = 60
_TEMPERATURES = tuple(0.2 * 0.8**step for step in range(24))
_BALANCING = 10


class Dots(NamedTuple):
    """What was found.

    Attributes:
        points: (x, y) in pixels, shape (pictures, dots, 2).
        visible: Which are there, shape (pictures, dots).
        radius: Of the dots, in pixels.
        polarity: As `cyclekit.keypoints.landmark_image` has it.
    """

    points: Tensor
    visible: Tensor
    radius: float
    polarity: Polarity


def find_dots(pictures: Tensor) -> Dots:
    """Find the dots of landmark pictures: the discs that, drawn together, give the picture again.

    A dot has the place in the table of the dot that it is brought onto, of the picture with the most dots: of one face
    in two states these are the same landmarks, or neighbours of them.

    Args:
        pictures: Of one kind, (pictures, 3, height, width) in [0, 1].

    Returns:
        The dots; none in a picture that is blank, or covered by more than 512 of them, as by areas.
    """
    mean = pictures.float().mean(1)
    polarity: Polarity = "black_on_white" if mean.median() > 0.5 else "white_on_black"
    cover = 1 - mean if polarity == "black_on_white" else mean
    radius = _radius(cover)
    each = [_refined(_peeled(one, radius), one, radius) for one in cover]
    largest = max(each, key=len)
    points = torch.zeros(len(each), len(largest), 2)
    visible = torch.zeros(len(each), len(largest), dtype=torch.bool)
    for row, found in enumerate(each):
        places = _places(found, largest)
        points[row, places], visible[row, places] = found, True
    return Dots(points, visible, radius, polarity)


def _radius(cover: Tensor) -> float:
    """Return the radius of the dots that touch no other: the middle one of the connected parts."""
    labels = connected_components((cover[:, None] > 0.25).float(), num_iterations=64)
    kinds, kind = labels.unique(return_inverse=True)
    areas = torch.bincount(kind.flatten(), weights=cover.flatten())[kinds > 0]
    return max(0.5, math.sqrt(areas.median().item() / math.pi)) if len(areas) else 1.0


def _peeled(cover: Tensor, radius: float) -> Tensor:
    """Take the disc that covers most away, again and again; return where they were, (dots, 2)."""
    reach = math.ceil(radius + 1)
    steps = torch.arange(-reach, reach + 1.0)
    disc = (radius + 0.5 - torch.hypot(steps[:, None], steps[None])).clamp(0, 1)
    left = F.pad(cover, [reach] * 4)
    found: list[tuple[int, int]] = []
    for _ in range(_MOST):
        there = F.conv2d(left[None, None], disc[None, None])[0, 0] / disc.square().sum()
        y, x = divmod(int(there.argmax()), cover.shape[1])
        if there[y, x] < _FOUND:
            break
        found.append((x, y))
        left[y : y + len(steps), x : x + len(steps)] *= 1 - disc
    else:  # they cover areas
        return torch.empty(0, 2)
    return torch.tensor(found, dtype=torch.float32).reshape(-1, 2)


def _refined(points: Tensor, cover: Tensor, radius: float) -> Tensor:
    """Move dots until they, drawn together, are as the picture as can be."""
    if not len(points):
        return points
    with torch.enable_grad():
        moved = points.clone().requires_grad_()
        optimizer = torch.optim.Adam([moved], lr=0.05)
        for _ in range(_REFINING):
            drawn = landmark_image(moved[None], (cover.shape[0], cover.shape[1]), radius, "white_on_black")[0, 0]
            optimizer.zero_grad()
            (drawn - cover).square().sum().backward()
            optimizer.step()
    return moved.detach()


def _places(found: Tensor, largest: Tensor) -> Tensor:
    """Return which dot of the largest picture each dot stands for.

    An affine map brings one picture's dots onto the other's, while their soft assignment hardens (Gold et al., New
    Algorithms for 2D and 3D Point Matching, Pattern Recognition 1998). Then the nearest pairs go together first.
    """
    moved, target = _whitened(found), _whitened(largest)
    ones = F.pad(moved, (0, 1), value=1.0)
    for temperature in _TEMPERATURES:
        scores = -torch.cdist(moved, target).square() / temperature
        for _ in range(_BALANCING):  # each dot stands for one, each of the others for one at most
            scores = scores - scores.logsumexp(1, keepdim=True)
            scores = scores - scores.logsumexp(0, keepdim=True).clamp(min=0)
        share = scores.exp()
        weight = share.sum(1, keepdim=True).clamp(min=1e-9)
        wanted = share @ target / weight
        moved = ones @ torch.linalg.lstsq(ones * weight.sqrt(), wanted * weight.sqrt()).solution
    distance = torch.cdist(moved, target)
    places = torch.zeros(len(found), dtype=torch.long)
    for _ in range(len(found)):
        dot, place = divmod(int(distance.argmin()), len(largest))
        places[dot] = place
        distance[dot], distance[:, place] = torch.inf, torch.inf
    return places


def _whitened(points: Tensor) -> Tensor:
    """Return points around 0, about 1 from there."""
    centred = points - points.mean(0)
    return centred / centred.square().mean().sqrt().clamp(min=1e-9)
