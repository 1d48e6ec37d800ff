"""Colours changed at random, by Kornia."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi

from kornia.enhance import adjust_brightness, adjust_contrast, adjust_hue, adjust_saturation
from torch import Tensor

from cyclekit.data.order import StepRandom
from cyclekit.errors import DataError


@dataclass(frozen=True)
class ColourJitter:
    """How far colours are changed, alike in all images of one scene; Kornia changes them.

    Args:
        brightness: Added to [0, 1], up to this much either way.
        contrast: A factor up to this much above or below 1.
        saturation: A factor up to this much above or below 1.
        hue: A turn of the colour wheel, up to this part of it either way, at most 0.5.

    Raises:
        DataError: A number is out of its range.

    Example:
        ```python
        from cyclekit.data import ColourJitter

        gentle = ColourJitter(hue=0.02)
        assert gentle.brightness == 0.1
        ```
    """

    brightness: float = 0.1
    contrast: float = 0.2
    saturation: float = 0.2
    hue: float = 0.0

    def __post_init__(self) -> None:
        limits = {"brightness": 1.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.5}
        for name, limit in limits.items():
            if not 0 <= getattr(self, name) <= limit:
                raise DataError(f"{name} is from 0 to {limit}; got {getattr(self, name)}")

    def change(self, images: Mapping[str, Tensor], into: dict[str, Tensor], random: StepRandom) -> None:
        """Change the images of one scene, in [-1, 1], (batch, 1 or 3, height, width).

        Args:
            images: By name.
            into: Where the changed images go.
            random: The step's random numbers.
        """
        brightness = random.uniform(-self.brightness, self.brightness)
        contrast = random.uniform(1 - self.contrast, 1 + self.contrast)
        saturation = random.uniform(1 - self.saturation, 1 + self.saturation)
        turn = random.uniform(-self.hue, self.hue) * 2 * pi
        for name, image in images.items():
            on = image.device
            value = adjust_brightness((image + 1) / 2, brightness.to(on))
            value = adjust_contrast(value, contrast.to(on))
            if image.shape[1] == 3:
                value = adjust_saturation(value, saturation.to(on))
                value = adjust_hue(value, turn.to(on)) if self.hue else value
            into[name] = value.clamp(0, 1) * 2 - 1
