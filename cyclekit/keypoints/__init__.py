"""Keypoints: drawing them, finding them again, skeletons, pose masks, augmentation, files."""

from cyclekit.errors import AnnotationError as AnnotationError
from cyclekit.keypoints._annotations import Annotations as Annotations
from cyclekit.keypoints._augment import (
    PosedImage as PosedImage,
)
from cyclekit.keypoints._augment import (
    mirror as mirror,
)
from cyclekit.keypoints._augment import (
    random_transforms as random_transforms,
)
from cyclekit.keypoints._augment import (
    warp as warp,
)
from cyclekit.keypoints._bodies import (
    COCO_17 as COCO_17,
)
from cyclekit.keypoints._bodies import (
    HAND_21 as HAND_21,
)
from cyclekit.keypoints._bodies import (
    OPENPOSE_18 as OPENPOSE_18,
)
from cyclekit.keypoints._bodies import (
    OPENPOSE_25 as OPENPOSE_25,
)
from cyclekit.keypoints._coco import read_coco_keypoints as read_coco_keypoints
from cyclekit.keypoints._coco import read_coco_results as read_coco_results
from cyclekit.keypoints._convert import convert_keypoints as convert_keypoints
from cyclekit.keypoints._decode import Keypoints as Keypoints
from cyclekit.keypoints._decode import decode_heatmaps as decode_heatmaps
from cyclekit.keypoints._discs import landmark_image as landmark_image
from cyclekit.keypoints._discs import render_discs as render_discs
from cyclekit.keypoints._faces import FACE_68 as FACE_68
from cyclekit.keypoints._faces import MEDIAPIPE_FACE_468 as MEDIAPIPE_FACE_468
from cyclekit.keypoints._heatmaps import render_heatmaps as render_heatmaps
from cyclekit.keypoints._limbs import render_limbs as render_limbs
from cyclekit.keypoints._limbs import stick_figure as stick_figure
from cyclekit.keypoints._market import (
    market_pairs as market_pairs,
)
from cyclekit.keypoints._market import (
    market_rows as market_rows,
)
from cyclekit.keypoints._market import (
    read_market_csv as read_market_csv,
)
from cyclekit.keypoints._masks import pose_mask as pose_mask
from cyclekit.keypoints._openface import read_openface_csv as read_openface_csv
from cyclekit.keypoints._openface import read_pts as read_pts
from cyclekit.keypoints._openpose import read_openpose_json as read_openpose_json
from cyclekit.keypoints._skeleton import Skeleton as Skeleton

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
