"""How keypoints become maps: which skeleton, which style."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from jaxtyping import Bool, Float
from torch import Tensor

from cyclekit._typed import typed
from cyclekit.errors import DataError
from cyclekit.graph import Domain, Heatmap, Landmarks, Mask
from cyclekit.keypoints import (
    OPENPOSE_18,
    Skeleton,
    landmark_image,
    pose_mask,
    render_discs,
    render_heatmaps,
    stick_figure,
)

Style: TypeAlias = Literal["heatmaps", "discs", "dark_dots", "bright_dots", "stick_figure", "mask"]

_WIDTHS: dict[Style, float] = {
    "heatmaps": 6,
    "discs": 4,
    "dark_dots": 2,
    "bright_dots": 2,
    "stick_figure": 3,
    "mask": 4,
}


@dataclass(frozen=True)
class Drawing:
    """A way to draw keypoints, at the size a model trains at.

    | style | gives | width, by default |
    | --- | --- | --- |
    | `heatmaps` | a Gaussian a joint, `Heatmap` | its standard deviation, 6 |
    | `discs` | a disc a joint, `Heatmap` | its radius, 4 |
    | `dark_dots` | one picture, black dots on white, `Landmarks` | their radius, 2 |
    | `bright_dots` | one picture, white dots on black, `Landmarks` | their radius, 2 |
    | `stick_figure` | one picture of coloured limbs on black, `Landmarks` | theirs, 3 |
    | `mask` | the region of a body in `OPENPOSE_18`, as PG2 has it, `Mask` | radius of its limbs, 4 |

    Args:
        skeleton: Which joints there are, which belong together, which are left and right.
        style: How they are drawn.
        width: In pixels; the style's own where it is not given.

    Raises:
        DataError: The style is another word, the width is not positive, or a mask is asked for another skeleton.

    Example:
        ```python
        import torch
        from cyclekit.data import Drawing
        from cyclekit.keypoints import OPENPOSE_18

        drawing = Drawing(OPENPOSE_18)
        maps = drawing.draw(torch.rand(2, 18, 2) * 63, torch.ones(2, 18, dtype=torch.bool), (128, 64))
        assert maps.shape == (2, drawing.domain.channels, 128, 64)
        ```
    """

    skeleton: Skeleton
    style: Style = "heatmaps"
    width: float | None = None

    def __post_init__(self) -> None:
        if self.style not in _WIDTHS:
            raise DataError(f"keypoints are drawn as one of {', '.join(_WIDTHS)}; got {self.style!r}")
        if self.width is not None and not 0 < self.width < float("inf"):
            raise DataError(f"the width of {self.style} is a positive number of pixels; got {self.width}")
        if self.style == "mask" and self.skeleton != OPENPOSE_18:
            raise DataError(f"a mask is drawn of openpose_18 alone; got {self.skeleton.name}: use convert_keypoints")

    @property
    def domain(self) -> Domain:
        """What the drawn maps are."""
        if self.style == "mask":
            return Mask(1)
        return Heatmap(len(self.skeleton)) if self.style in ("heatmaps", "discs") else Landmarks(3)

    @typed
    def draw(
        self, points: Float[Tensor, "batch joints 2"], visible: Bool[Tensor, "batch joints"], size: tuple[int, int]
    ) -> Float[Tensor, "batch channels height width"]:
        """Draw points.

        Args:
            points: (x, y) in pixels of the maps, shape (batch, joints, 2).
            visible: Which are there, shape (batch, joints).
            size: Height and width of the maps.

        Returns:
            Maps in the domain's own range, [0, 1].
        """
        width = _WIDTHS[self.style] if self.width is None else self.width
        match self.style:
            case "heatmaps":
                return render_heatmaps(points, size, width, visible)
            case "discs":
                return render_discs(points, size, width, visible)
            case "dark_dots":
                return landmark_image(points, size, width, "black_on_white", visible)
            case "bright_dots":
                return landmark_image(points, size, width, "white_on_black", visible)
            case "stick_figure":
                return stick_figure(points, self.skeleton, size, width, visible=visible)
            case "mask":
                return pose_mask(points, size, radius=width, visible=visible)
