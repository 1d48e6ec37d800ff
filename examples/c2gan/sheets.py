"""Contact sheets: pictures with their keypoints over them, many at a glance."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image as Picture
from PIL import ImageDraw
from torch import Tensor

from cyclekit.data import read_picture
from cyclekit.keypoints import Annotations, Skeleton

HEIGHT = 192
LEFT, RIGHT, MIDDLE = (40, 130, 255), (255, 60, 40), (255, 215, 0)
"""Colours of joints: on the person's left, on the right, on neither side."""


def keypoint_sheet(
    annotations: Annotations,
    rows: Sequence[int],
    images: Path | None,
    size: tuple[int, int],
    skeleton: Skeleton,
    columns: int = 8,
) -> Picture.Image:
    """Draw keypoints over their pictures; over white where no pictures are given.

    Joints on the person's right are red, on the left blue, and limbs have the skeleton's colours: a wrong order of
    joints shows as limbs that cross the body, swapped sides as red where blue belongs.
    """
    cells = [
        _cell(
            annotations.names[row],
            annotations.keypoints.points[row],
            annotations.keypoints.visible[row],
            images,
            size,
            skeleton,
        )
        for row in rows
    ]
    return grid(cells, columns)


def grid(cells: Sequence[Picture.Image], columns: int) -> Picture.Image:
    """Put pictures into rows and columns."""
    width, height = max(cell.width for cell in cells), max(cell.height for cell in cells)
    columns = min(columns, len(cells))
    lines = -(-len(cells) // columns)
    sheet = Picture.new("RGB", (columns * (width + 4) + 4, lines * (height + 4) + 4), "white")
    for place, cell in enumerate(cells):
        line, column = divmod(place, columns)
        sheet.paste(cell, (4 + column * (width + 4), 4 + line * (height + 4)))
    return sheet


def _cell(
    name: str, points: Tensor, visible: Tensor, images: Path | None, size: tuple[int, int], skeleton: Skeleton
) -> Picture.Image:
    picture = Picture.new("RGB", size[::-1], "white") if images is None else read_picture(images / name).convert("RGB")
    scale = HEIGHT / picture.height
    picture = picture.resize((round(picture.width * scale), HEIGHT))
    draw = ImageDraw.Draw(picture)
    at = [((x + 0.5) * scale, (y + 0.5) * scale) for x, y in points.tolist()]
    seen = visible.tolist()
    many = len(skeleton) > 30
    for (a, b), colour in zip(skeleton.limbs, skeleton.colours, strict=True):
        if seen[a] and seen[b]:
            draw.line([at[a], at[b]], fill=tuple(round(255 * part) for part in colour), width=1 if many else 3)
    sides = {
        joint: RIGHT if "right" in name else LEFT
        for pair in skeleton.pairs
        for joint in pair
        for name in [skeleton.joints[joint]]
    }
    radius = 1.5 if many else 3
    for joint, (x, y) in enumerate(at):
        if seen[joint]:
            box = (x - radius, y - radius, x + radius, y + radius)
            draw.ellipse(box, fill=sides.get(joint, MIDDLE))
    label = Path(name).stem
    draw.rectangle((0, HEIGHT - 11, picture.width, HEIGHT), fill="white")
    draw.text((1, HEIGHT - 11), label[: picture.width // 6], fill="black")
    return picture


def to_picture(image: Tensor, height: int) -> Picture.Image:
    """Return (3, h, w) in [0, 1] as a picture of a height."""
    pixels = (image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    picture = Picture.fromarray(pixels)
    return picture.resize((round(picture.width * height / picture.height), height), Picture.Resampling.BICUBIC)
