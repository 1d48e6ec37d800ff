"""Images whose keypoints are known as points, kept beside a run."""

import json
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from cyclekit._files import whole_file
from cyclekit._typed import typed
from cyclekit.data.dots import find_dots
from cyclekit.data.pose_drawing import Drawing, Style
from cyclekit.errors import DataError
from cyclekit.keypoints import Skeleton

POSES_FILE = "poses.safetensors"


@typed
def _check_fields_of_posed_images(
    images: UInt8[Tensor, "images 3 height width"],
    points: Float[Tensor, "images joints 2"],
    visible: Bool[Tensor, "images joints"],
    drawing: Drawing,
    persons: tuple[int, ...],
) -> None:
    """Raise unless the fields have their types, at which a dataclass does not look."""


@dataclass(frozen=True)
class PosedImages:
    """Images of some persons, with their keypoints as points, and how a model was trained to see those drawn.

    A run that keeps them can be shown on a page where landmarks are dragged: `cyclekit export --web`.

    Args:
        images: Bytes, shape (images, 3, height, width).
        points: (x, y) in pixels, shape (images, joints, 2).
        visible: Which are there, shape (images, joints).
        drawing: How the model's keypoints are drawn.
        persons: Who is in each image: images of one person have one number.

    Raises:
        ShapeError: A field does not have the annotated type.
        DataError: There is no image, or numbers of images or joints differ.

    Example:
        ```python
        import torch
        from cyclekit.data import Drawing, PosedImages
        from cyclekit.keypoints import FACE_68

        images = torch.zeros(2, 3, 64, 64, dtype=torch.uint8)
        points, visible = torch.rand(2, 68, 2) * 63, torch.ones(2, 68, dtype=torch.bool)
        posed = PosedImages(images, points, visible, Drawing(FACE_68, "dark_dots"), persons=(0, 0))
        posed.write(".")
        assert PosedImages.read(".").drawing == posed.drawing
        ```
    """

    images: Tensor
    points: Tensor
    visible: Tensor
    drawing: Drawing
    persons: tuple[int, ...]

    def __post_init__(self) -> None:
        """Check what belongs together."""
        _check_fields_of_posed_images(self.images, self.points, self.visible, self.drawing, self.persons)
        if not len(self.images) or len(self.persons) != len(self.images):
            raise DataError(f"expected one person an image, and one image or more; got {len(self.persons)} persons")
        if self.points.shape[1] != len(self.drawing.skeleton):
            raise DataError(
                f"{self.drawing.skeleton.name} has {len(self.drawing.skeleton)} joints; got {self.points.shape[1]}"
            )

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.images)

    @classmethod
    @typed
    def of_dots(
        cls,
        images: UInt8[Tensor, "images 3 height width"],
        pictures: Float[Tensor, "images 3 height width"],
        persons: tuple[int, ...],
    ) -> "PosedImages":
        """Find the keypoints in landmark pictures, as discs that give the pictures again when they are drawn.

        Which landmark is which is not known, so there are no limbs; one dot has one place in all pictures by nearness.

        Args:
            images: Bytes, shape (images, 3, height, width).
            pictures: The landmark pictures of the same images in [0, 1].
            persons: Who is in each image.

        Returns:
            The images, with a skeleton of as many dots as the fullest picture has.

        Raises:
            DataError: There are no dots.
        """
        dots = find_dots(pictures)
        if not dots.points.shape[1]:
            raise DataError("the landmark pictures hold no dots, or areas that dots do not make")
        skeleton = Skeleton("dots", tuple(f"dot_{number}" for number in range(dots.points.shape[1])), ())
        style: Style = "dark_dots" if dots.polarity == "black_on_white" else "bright_dots"
        return cls(images, dots.points, dots.visible, Drawing(skeleton, style, dots.radius), persons)

    @typed
    def write(self, run: str | PathLike[str]) -> None:
        """Write ``poses.safetensors``, whole or not at all.

        Args:
            run: The run's folder.

        Raises:
            OSError: It cannot be written.
        """
        tensors = {name: getattr(self, name).contiguous() for name in ("images", "points", "visible")}
        said = json.dumps({"drawing": asdict(self.drawing), "persons": self.persons})
        content = safetensors.torch.save(tensors, {"posed": said})
        whole_file(Path(run) / POSES_FILE, lambda path: path.write_bytes(content))

    @classmethod
    @typed
    def read(cls, run: str | PathLike[str]) -> "PosedImages":
        """Read what `write` wrote.

        Args:
            run: The run's folder.

        Returns:
            The images.

        Raises:
            FileNotFoundError: There are none.
            DataError: The file cannot be read as such.
        """
        file = Path(run) / POSES_FILE
        try:
            with safetensors.safe_open(file, "pt") as opened:
                said = json.loads(opened.metadata()["posed"])
                tensors = {name: opened.get_tensor(name) for name in ("images", "points", "visible")}
            drawing: dict[str, Any] = said["drawing"]
            drawing["skeleton"] = Skeleton(**{name: _tuples(value) for name, value in drawing["skeleton"].items()})
            return cls(**tensors, drawing=Drawing(**drawing), persons=tuple(said["persons"]))
        except FileNotFoundError:
            raise
        except Exception as error:  # broken bytes have no exception of their own
            raise DataError(f"{file} cannot be read as images with keypoints: {error}") from error


def _tuples(value: Any) -> Any:
    """Return lists as the tuples that they were before JSON."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
