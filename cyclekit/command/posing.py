"""The images that a run's page begins with, their landmarks as points, and which landmarks move together."""

import base64
import io
from pathlib import Path
from typing import Any

import torch
from PIL import Image as Picture

from cyclekit.command.pictures import open_pictures
from cyclekit.command.runs import Run
from cyclekit.command.sizes import size_of
from cyclekit.data import Panels, PosedImages
from cyclekit.data.posed_images import POSES_FILE
from cyclekit.errors import UsageError
from cyclekit.graph import Landmarks
from cyclekit.keypoints import Skeleton

_PAIRS = 6


def posed_images(run: Run) -> PosedImages:
    """Return images with their landmarks as points: those that a run kept, or test pictures with the dots in them.

    Raises:
        UsageError: There are none.
    """
    try:
        return PosedImages.read(run.folder)
    except FileNotFoundError:
        return _from_pictures(run)


def _from_pictures(run: Run) -> PosedImages:
    """Find the dots in landmark pictures of test pairs: ``y`` has those in ``Ly``."""
    pictures = open_pictures(run, "test") if "paper" in run.options else _panels(run)
    both = [(name.removeprefix("L"), name) for name in pictures.signals if name.startswith("L")]
    if not both or not all(image in pictures.signals for image, _ in both):
        raise UsageError(f"{run.folder} was not trained on images beside pictures of their landmarks")
    chosen = [pictures[index] for index in torch.linspace(0, len(pictures) - 1, _PAIRS).long().unique().tolist()]
    images = torch.stack([sample[image] for sample in chosen for image, _ in both])
    drawn = torch.stack([sample[dots] for sample in chosen for _, dots in both])
    return PosedImages.of_dots(
        images, drawn.float() / 255, tuple(person for person in range(len(chosen)) for _ in both)
    )


def _panels(run: Run) -> Panels:
    """Return the test pictures of a script's own run that says where its panels are, and in which order.

    Raises:
        UsageError: It does not.
    """
    data, order, size = (run.options.get(name) for name in ("data", "panels", "size"))
    if not (isinstance(data, str) and isinstance(order, str) and isinstance(size, list)):
        raise UsageError(
            f"{run.folder} keeps no images with their landmarks as points ({POSES_FILE}), and so a page would have "
            "nothing to begin with: write them by cyclekit.data.PosedImages, or resume the run, if it is one of "
            "examples/c2gan/train.py, which writes them"
        )
    dots = {name: Landmarks(3) for name in order.split() if name.startswith("L")}
    return Panels(Path(data) / "test", order, size=size_of(tuple(size)), domains=dots)


def described(posed: PosedImages) -> dict[str, Any]:
    """Return what a page says of its images and landmarks: a PNG picture each, points, names, limbs, parts."""
    skeleton = posed.drawing.skeleton
    images = [
        {"person": person, "image": _png(image), "points": _numbers(points, visible)}
        for person, image, points, visible in zip(posed.persons, posed.images, posed.points, posed.visible, strict=True)
    ]
    colours = ["#" + "".join(f"{round(255 * share):02x}" for share in colour) for colour in skeleton.colours]
    return {
        "size": list(posed.images.shape[-2:]),
        "style": posed.drawing.style,
        "joints": list(skeleton.joints),
        "limbs": [[*limb, colour] for limb, colour in zip(skeleton.limbs, colours, strict=True)],
        **parts_of(skeleton),
        "images": images,
    }


def parts_of(skeleton: Skeleton) -> dict[str, list[list[int]]]:
    """Return which joints move with a joint, and which with a limb, when a part is dragged.

    Of several pieces that no limb joins, as the features of a face, all of the piece. Of one piece, as a body or a
    hand, all that hangs on the joint, seen from the joint with the most limbs; with a limb also its nearer end. A
    limb that closes a ring of others, as from shoulder to ear, moves its ends alone.
    """
    joints = range(len(skeleton))
    pieces = [{joint} for joint in joints]
    tree: list[tuple[int, int]] = []
    for one, other in skeleton.limbs:
        if pieces[one] is not pieces[other]:
            tree.append((one, other))
            pieces[one] |= pieces[other]
            for joint in pieces[other]:
                pieces[joint] = pieces[one]
    if len({id(piece) for piece in pieces if len(piece) > 1}) != 1:
        together = [sorted(piece) for piece in pieces]
        return {"joint_parts": together, "limb_parts": [together[one] for one, _ in skeleton.limbs]}
    root = max(joints, key=lambda joint: sum(joint in limb for limb in skeleton.limbs))
    hanging = [[joint] for joint in joints]
    far = dict.fromkeys(skeleton.limbs, -1)
    for one, other in reversed(_outward(tree, root)):
        hanging[one] += hanging[other]
        far[(one, other) if (one, other) in far else (other, one)] = other
    limbs = [[*{*limb, *(hanging[end] if end >= 0 else ())}] for limb, end in far.items()]
    return {"joint_parts": [sorted(joint) for joint in hanging], "limb_parts": limbs}


def _outward(tree: list[tuple[int, int]], root: int) -> list[tuple[int, int]]:
    """Return a tree's limbs from the root on, each with its nearer end first."""
    found: list[tuple[int, int]] = []
    reached = [root]
    for joint in reached:
        limbs = [limb for limb in tree if joint in limb]
        ends = [b if a == joint else a for a, b in limbs]
        found += [(joint, end) for end in ends if end not in reached]
        reached += [end for end in ends if end not in reached]
    return found


def _numbers(points: torch.Tensor, visible: torch.Tensor) -> list[list[float] | None]:
    return [
        [round(x, 2), round(y, 2)] if there else None
        for (x, y), there in zip(points.tolist(), visible.tolist(), strict=True)
    ]


def _png(image: torch.Tensor) -> str:
    file = io.BytesIO()
    Picture.fromarray(image.permute(1, 2, 0).contiguous().numpy()).save(file, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
