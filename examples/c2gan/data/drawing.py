"""How keypoints are drawn at a size, whatever they come from."""

from cyclekit.data import Drawing
from cyclekit.keypoints import OPENPOSE_18, Skeleton


def drawing_of(skeleton: Skeleton, size: tuple[int, int]) -> Drawing:
    """Return how keypoints are drawn at a size: Gaussians of 6 pixels at a height of 128, or dots of 2 at 256."""
    if skeleton == OPENPOSE_18:
        return Drawing(skeleton, "heatmaps", width=6 * size[0] / 128)
    return Drawing(skeleton, "dark_dots", width=max(0.7, 2 * size[0] / 256))
