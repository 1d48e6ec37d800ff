"""Draws the pictures of docs/keypoints.md with what that page documents, on persons and faces drawn by formulas."""

import sys
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "examples" / "c2gan"))  # its embedded data

from cyclekit.keypoints import (  # noqa: E402 - found beside this file, installed or not
    OPENPOSE_18,
    Keypoints,
    PosedImage,
    landmark_image,
    pose_mask,
    random_transforms,
    render_discs,
    render_heatmaps,
    render_limbs,
    stick_figure,
    warp,
)
from data import FacePairs, PersonPairs  # noqa: E402

IMAGES = ROOT / "docs" / "images"
SEED, POSES = 35, [0, 1]  # a person who looks at us, twice


def person(size: tuple[int, int]) -> PosedImage:
    """Return one person in two poses."""
    pairs = PersonPairs("test", size, identities=1, seed=SEED)
    images = torch.stack([(pairs[pose * (pairs.states - 1)]["x"] + 1) / 2 for pose in POSES])
    return PosedImage(images, Keypoints(pairs.points[POSES], pairs.visible[POSES]))


def incomplete(size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Return an image, its points, and which are there: all but the left wrist."""
    image, (points, visible), *_ = person(size)
    visible = visible[:1].clone()
    visible[:, OPENPOSE_18.joints.index("left_wrist")] = False
    return image[0], points[:1], visible


def rendering() -> Figure:
    """Show one pose, one joint missing, and one face in every way the library draws them."""
    size, face_size = (128, 64), (128, 128)
    image, points, visible = incomplete(size)
    face = FacePairs("test", face_size, identities=1)
    panels = {
        "image": image,
        "heatmaps": coloured(render_heatmaps(points, size, sigma=5, visible=visible)[0]),
        "discs": coloured(render_discs(points, size, radius=3, visible=visible)[0]),
        "limb maps": coloured(render_limbs(points, OPENPOSE_18, size, visible=visible)[0]),
        "stick figure": stick_figure(points, OPENPOSE_18, size, visible=visible)[0],
        "landmark picture": landmark_image(face.points[:1], face_size, radius=1.5)[0],
    }
    return side_by_side(panels)


def masking() -> Figure:
    """Show both pose masks, and what each leaves of the image."""
    size = (128, 64)
    image, points, visible = incomplete(size)
    panels = {"image": image}
    for protocol in ("pg2", "posegan"):
        mask = pose_mask(points, size, protocol=protocol, visible=visible)[0]
        panels |= {f"mask {protocol}": mask.expand(3, -1, -1), f"image x {protocol}": image * mask}
    return side_by_side(panels)


def augmenting() -> Figure:
    """Show a pair before and after one random transform, the skeleton drawn on both."""
    size = (256, 128)
    pair = person(size)
    torch.manual_seed(3)
    matrix = random_transforms(1, size, flip=1.0, degrees=12, scale=(0.85, 0.95)).expand(2, -1, -1)
    moved = warp(pair, matrix, OPENPOSE_18)
    before = {name: overlaid(pair, index) for index, name in enumerate(("x", "y"))}
    return side_by_side(before | {f"{name}, moved": overlaid(moved, index) for index, name in enumerate(("x", "y"))})


def overlaid(posed: PosedImage, index: int) -> Tensor:
    """Return a pale image with its skeleton on it."""
    points, visible = (part[index : index + 1] for part in posed.keypoints)
    size = (posed.image.shape[-2], posed.image.shape[-1])
    sticks = stick_figure(points, OPENPOSE_18, size, visible=visible)[0]
    pale = 0.6 * posed.image[index] + 0.4
    return pale * (1 - sticks.amax(0)) + sticks


def coloured(maps: Tensor) -> Tensor:
    """Return maps as one picture, each in a hue of its own."""
    hues = torch.arange(len(maps)) / len(maps)
    colours = (torch.stack([hues, hues - 1 / 3, hues + 1 / 3], 1).mul(2 * torch.pi).cos() + 1) / 2
    return (maps[:, None] * colours[:, :, None, None]).amax(0)


def side_by_side(panels: dict[str, Tensor]) -> Figure:
    """Return pictures in [0, 1], each under its title, all of one height."""
    widths = [picture.shape[2] / picture.shape[1] for picture in panels.values()]
    figure = Figure(figsize=(2.6 * sum(widths) + 0.1 * len(widths), 3), facecolor="white", layout="constrained")
    grid = figure.add_gridspec(1, len(panels), width_ratios=widths)
    for column, (title, picture) in enumerate(panels.items()):
        axes = figure.add_subplot(grid[column])
        axes.imshow(picture.clamp(0, 1).movedim(0, -1).numpy(), interpolation="nearest")
        axes.set_title(title, fontsize=10)
        axes.set_xticks([])
        axes.set_yticks([])
    return figure


FIGURES = {
    "keypoints_rendered.png": rendering,
    "keypoints_masks.png": masking,
    "keypoints_augmented.png": augmenting,
}

if __name__ == "__main__":
    for name, draw in FIGURES.items():
        draw().savefig(IMAGES / name, dpi=100, metadata={"Software": None})
