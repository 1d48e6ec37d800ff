"""Keypoints: drawing them, finding them again, skeletons, pose masks, augmentation, files."""

from cyclekit.errors import AnnotationError, DetectorError
from cyclekit.keypoints.augmentation import (
    PosedImage,
    mirror,
    random_transforms,
    warp,
)
from cyclekit.keypoints.detectors import KeypointDetector, KeypointRCNN, MediaPipeDetector
from cyclekit.keypoints.drawing import landmark_image, render_discs, render_limbs, stick_figure
from cyclekit.keypoints.heatmaps import Keypoints, decode_heatmaps, render_heatmaps
from cyclekit.keypoints.masks import limb_radius, pose_mask
from cyclekit.keypoints.readers.annotations import Annotations
from cyclekit.keypoints.readers.coco import read_coco_keypoints, read_coco_results
from cyclekit.keypoints.readers.formats import AnnotatedFile, read_keypoints
from cyclekit.keypoints.readers.market import (
    market_pairs,
    market_rows,
    read_market_csv,
    sample_pairs,
)
from cyclekit.keypoints.readers.openface import read_openface_csv, read_pts
from cyclekit.keypoints.readers.openpose import read_openpose_json
from cyclekit.keypoints.readers.rafd import RafdName, parse_rafd_name, rafd_pairs
from cyclekit.keypoints.readers.table import read_keypoint_table, write_keypoint_table
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
    "AnnotatedFile",
    "AnnotationError",
    "Annotations",
    "DetectorError",
    "KeypointDetector",
    "KeypointRCNN",
    "Keypoints",
    "MediaPipeDetector",
    "PosedImage",
    "RafdName",
    "Skeleton",
    "convert_keypoints",
    "decode_heatmaps",
    "landmark_image",
    "limb_radius",
    "market_pairs",
    "market_rows",
    "mirror",
    "parse_rafd_name",
    "pose_mask",
    "rafd_pairs",
    "random_transforms",
    "read_coco_keypoints",
    "read_coco_results",
    "read_keypoint_table",
    "read_keypoints",
    "read_market_csv",
    "read_openface_csv",
    "read_openpose_json",
    "read_pts",
    "render_discs",
    "render_heatmaps",
    "render_limbs",
    "sample_pairs",
    "stick_figure",
    "warp",
    "write_keypoint_table",
]
