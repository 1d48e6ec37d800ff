"""Keypoints: drawing them, finding them again, skeletons, pose masks, augmentation, files."""

from cyclekit.errors import AnnotationError
from cyclekit.keypoints.augmentation import (
    PosedImage,
    mirror,
    random_transforms,
    warp,
)
from cyclekit.keypoints.drawing import landmark_image, render_discs, render_limbs, stick_figure
from cyclekit.keypoints.heatmaps import Keypoints, decode_heatmaps, render_heatmaps
from cyclekit.keypoints.masks import pose_mask
from cyclekit.keypoints.readers.annotations import Annotations
from cyclekit.keypoints.readers.coco import read_coco_keypoints, read_coco_results
from cyclekit.keypoints.readers.market import (
    market_pairs,
    market_rows,
    read_market_csv,
)
from cyclekit.keypoints.readers.openface import read_openface_csv, read_pts
from cyclekit.keypoints.readers.openpose import read_openpose_json
from cyclekit.keypoints.skeletons import (
    COCO_17,
    FACE_68,
    HAND_21,
    MEDIAPIPE_FACE_468,
    OPENPOSE_18,
    OPENPOSE_25,
    Skeleton,
    convert_keypoints,
)

__all__ = [
    "COCO_17",
    "FACE_68",
    "HAND_21",
    "MEDIAPIPE_FACE_468",
    "OPENPOSE_18",
    "OPENPOSE_25",
    "AnnotationError",
    "Annotations",
    "Keypoints",
    "PosedImage",
    "Skeleton",
    "convert_keypoints",
    "decode_heatmaps",
    "landmark_image",
    "market_pairs",
    "market_rows",
    "mirror",
    "pose_mask",
    "random_transforms",
    "read_coco_keypoints",
    "read_coco_results",
    "read_market_csv",
    "read_openface_csv",
    "read_openpose_json",
    "read_pts",
    "render_discs",
    "render_heatmaps",
    "render_limbs",
    "stick_figure",
    "warp",
]
