"""Detectors: photographs to keypoints, by models that other libraries bring."""

import importlib
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from cyclekit._timm import import_over_torchvision
from cyclekit._typed import typed
from cyclekit.errors import DetectorError
from cyclekit.keypoints.heatmaps import Keypoints
from cyclekit.keypoints.skeletons import COCO_17, FACE_68, OPENPOSE_18, Skeleton, convert_keypoints


class KeypointDetector(Protocol):
    """What finds the keypoints of the person in a photograph.

    Attributes:
        skeleton: Which joints it finds.
    """

    skeleton: Skeleton

    def __call__(self, image: UInt8[Tensor, "3 height width"]) -> Keypoints:
        """Find keypoints.

        Args:
            image: RGB, 0 to 255.

        Returns:
            One row a person, the surest or largest first; none where nobody is found.
        """
        ...


# Which of MediaPipe's 33 landmarks of a body are COCO's 17 joints, and which of its 468 of a face are iBUG's 68.
POSE_TO_COCO = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)
FACE_TO_68 = (
    *(162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389),
    *(71, 63, 105, 66, 107, 336, 296, 334, 293, 301),
    *(168, 197, 5, 4, 75, 97, 2, 326, 305),
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),
    *(78, 82, 13, 312, 308, 317, 14, 87),
)


class MediaPipeDetector:
    """MediaPipe's landmarks of faces or bodies: the extra ``cyclekit[detect]``.

    Faces come as `FACE_68`, bodies as `OPENPOSE_18`. The wheel of MediaPipe holds no models: download
    ``face_landmarker.task`` or ``pose_landmarker_full.task`` from its site once, and pass the path.

    Args:
        kind: ``"face"`` or ``"pose"``.
        model: The ``.task`` file.
        threshold: A joint is there when its visibility exceeds this; faces have all of theirs.

    Raises:
        DetectorError: MediaPipe is not installed, the file is not there, or it is no model of this kind.

    Source:
        Lugaresi et al., MediaPipe (arXiv 1906.08172).

    Example:
        ```python
        from cyclekit.keypoints import DetectorError, MediaPipeDetector

        try:
            MediaPipeDetector("face", "nowhere/face_landmarker.task")
        except DetectorError as error:
            print(error)
        ```
    """

    @typed
    def __init__(self, kind: Literal["face", "pose"], model: str | PathLike[str], threshold: float = 0.5) -> None:
        if not Path(model).is_file():
            raise DetectorError(f"{model}: no such model; MediaPipe's site has {kind}_landmarker.task to download")
        try:
            mediapipe: Any = importlib.import_module("mediapipe")
            library: Any = importlib.import_module("mediapipe.tasks.python.vision")
            base_options: Any = importlib.import_module("mediapipe.tasks.python").BaseOptions
        except ImportError as error:
            raise DetectorError("MediaPipe is not installed: pip install 'cyclekit[detect]'") from error
        self.skeleton = FACE_68 if kind == "face" else OPENPOSE_18
        self._kind = kind
        self._threshold = threshold
        self._image: Any = mediapipe.Image
        self._format: Any = mediapipe.ImageFormat.SRGB
        base = base_options(model_asset_path=str(model))
        options = (
            library.FaceLandmarkerOptions(base_options=base, num_faces=10)
            if kind == "face"
            else library.PoseLandmarkerOptions(base_options=base, num_poses=10)
        )
        landmarker = library.FaceLandmarker if kind == "face" else library.PoseLandmarker
        try:
            self._landmarker: Any = landmarker.create_from_options(options)
        except (RuntimeError, ValueError, OSError) as error:
            raise DetectorError(f"{model} is no model for MediaPipe's {kind} landmarks: {error}") from error

    @typed
    def __call__(self, image: UInt8[Tensor, "3 height width"]) -> Keypoints:
        """Find keypoints.

        Args:
            image: RGB, 0 to 255.

        Returns:
            One row a person, as MediaPipe orders them.
        """
        _, height, width = image.shape
        pixels = np.ascontiguousarray(image.permute(1, 2, 0).numpy())
        found: Any = self._landmarker.detect(self._image(image_format=self._format, data=pixels))
        people: Sequence[Sequence[Any]] = found.face_landmarks if self._kind == "face" else found.pose_landmarks
        if self._kind == "face":
            return in_pixels(people, FACE_TO_68, (height, width), threshold=None)
        return convert_keypoints(
            in_pixels(people, POSE_TO_COCO, (height, width), self._threshold), COCO_17, OPENPOSE_18
        )


def in_pixels(
    people: Sequence[Sequence[Any]], chosen: Sequence[int], size: tuple[int, int], threshold: float | None
) -> Keypoints:
    """Bring some of MediaPipe's landmarks, parts of width and height, to pixels whose centres are whole numbers."""
    height, width = size
    rows = [[(person[i].x * width - 0.5, person[i].y * height - 0.5) for i in chosen] for person in people]
    sure = [[threshold is None or (person[i].visibility or 0) > threshold for i in chosen] for person in people]
    points = torch.tensor(rows, dtype=torch.float32).reshape(len(rows), len(chosen), 2)
    return Keypoints(points, torch.tensor(sure, dtype=torch.bool).reshape(len(rows), len(chosen)))


class KeypointRCNN:
    """torchvision's keypoint R-CNN, whose weights are a file of yours.

    Bodies come as `OPENPOSE_18`, the surest first.

    Args:
        weights: The file, ``keypointrcnn_resnet50_fpn_coco-....pth`` as torchvision shares it.
        threshold: A person is there when the score, 0 to 1, exceeds this.

    Raises:
        DetectorError: The file is not there, or holds other weights.

    Source:
        He et al., Mask R-CNN (arXiv 1703.06870).

    Example:
        ```python
        from cyclekit.keypoints import DetectorError, KeypointRCNN

        try:
            KeypointRCNN("nowhere/keypointrcnn.pth")
        except DetectorError as error:
            print(error)
        ```
    """

    skeleton = OPENPOSE_18

    @typed
    def __init__(self, weights: str | PathLike[str], threshold: float = 0.7) -> None:
        if not Path(weights).is_file():
            raise DetectorError(
                f"{weights}: no such weights; torchvision's site has those of keypointrcnn_resnet50_fpn"
            )
        detection: Any = import_over_torchvision("torchvision.models.detection")
        try:
            state = torch.load(weights, map_location="cpu", weights_only=True)
            self._network = detection.keypointrcnn_resnet50_fpn(weights=None, weights_backbone=None).eval()
            self._network.load_state_dict(state)
        except Exception as error:  # damaged files go wrong in any way
            raise DetectorError(f"{weights} holds no weights of keypointrcnn_resnet50_fpn: {error}") from error
        self._threshold = threshold

    @typed
    def __call__(self, image: UInt8[Tensor, "3 height width"]) -> Keypoints:
        """Find keypoints.

        Args:
            image: RGB, 0 to 255.

        Returns:
            One row a person, the surest first; a joint is there when its own score is positive.
        """
        with torch.inference_mode():
            (found,) = self._network([image.float() / 255])
        sure = found["scores"] > self._threshold
        points = found["keypoints"][sure][..., :2].clone()
        visible = (found["keypoints_scores"][sure] > 0).clone()
        return convert_keypoints(Keypoints(points, visible), COCO_17, OPENPOSE_18)
