"""Keypoints: drawing them, finding them again, skeletons, pose masks, augmentation, files."""

from cyclekit.keypoints._decode import Keypoints as Keypoints
from cyclekit.keypoints._decode import decode_heatmaps as decode_heatmaps
from cyclekit.keypoints._discs import landmark_image as landmark_image
from cyclekit.keypoints._heatmaps import render_heatmaps as render_heatmaps

__all__ = ["Keypoints", "decode_heatmaps", "landmark_image", "render_heatmaps"]
