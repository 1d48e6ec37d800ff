"""DiffAugment: a discriminator that judges augmented images, real and generated alike, for little data."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from cyclekit._typed import typed
from cyclekit.errors import ArgumentError, ShapeError
from cyclekit.nets.network import ImageNetwork
from cyclekit.nets.protocols import ChecksSize, Features, GivesFeatures
from cyclekit.nets.registries import create_discriminator, register_discriminator

Augmentation: TypeAlias = Literal["color", "translation", "cutout"]

_SHIFT = 0.125
_HOLE = 0.5


@typed
def diff_augment(
    image: Float[Tensor, "batch channels height width"],
    policy: tuple[Augmentation, ...] = ("color", "translation", "cutout"),
    pictures: tuple[int, ...] | None = None,
) -> Float[Tensor, "batch channels height width"]:
    """Augment what a discriminator judges, differentiably: each sample in a way of its own, all its channels alike.

    Args:
        image: A tuple joined along the channels, (batch, channels, height, width), in [-1, 1].
        policy: ``"color"`` changes brightness by up to 0.5 and saturation and contrast by factors of 0 to 2 and 0.5
            to 1.5; ``"translation"`` shifts by up to an eighth of the size, with zeros behind; ``"cutout"`` leaves a
            square hole of half the size.
        pictures: The first channel of each RGB picture, whose colours are changed; every three channels where it is
            not given.

    Returns:
        The augmented tuple, of the same shape.

    Raises:
        ShapeError: An argument does not have the annotated type.
        UnknownNameError: The policy holds another word.
        ArgumentError: The channels are not pictures of three, or there are none at a place.

    Source:
        Zhao et al., Differentiable Augmentation for Data-Efficient GAN Training, NeurIPS 2020 (arXiv 2006.10738);
        https://github.com/mit-han-lab/data-efficient-gans, ``DiffAugment_pytorch.py``.

    Example:
        ```python
        import torch
        from cyclekit.nets import diff_augment

        image = torch.rand(2, 3, 32, 32, requires_grad=True)
        diff_augment(image).sum().backward()
        assert image.grad.abs().sum() > 0
        ```
    """
    if "color" in policy:
        image = _coloured(image, _places(image.shape[1], pictures))
    if "translation" in policy:
        image = _shifted(image)
    return _with_a_hole(image) if "cutout" in policy else image


class DiffAugment(ImageNetwork):
    """A discriminator behind `diff_augment`: what it judges is augmented, real and generated, for both sides' losses.

    For some hundred or thousand images, where a discriminator would learn them by heart. Nothing of it is seen by the
    generators but the gradient through it, so they do not learn the augmentations. In evaluation mode it does nothing.

    Args:
        in_channels: Channels of the input.
        discriminator: The registered name of the one that judges.
        policy: Which augmentations, ``"color"``, ``"translation"``, ``"cutout"``.
        pictures: The first channel of each RGB picture in the input, whose colours are changed; every three channels
            where it is not given. For ``[x, Ly, y*]`` with 18 heatmaps, ``(0, 21)``.
        heads: Of the discriminator.
        **options: Of the discriminator.

    Raises:
        UnknownNameError: No discriminator has this name, or the policy holds another word.
        OptionError: The discriminator has no such option, or no heads.
        ArgumentError: The channels are not pictures of three, or there are none at a place.

    Source:
        Zhao et al., Differentiable Augmentation for Data-Efficient GAN Training, NeurIPS 2020 (arXiv 2006.10738).

    Example:
        ```python
        import torch
        from cyclekit import NetworkSpec, papers

        little = NetworkSpec("diff_augment", discriminator="patchgan_16", base_channels=8)
        model = papers.pix2pix().graph.build(
            generators=NetworkSpec("unet_64", base_channels=4), discriminators=little
        )
        batch = {name: torch.rand(2, 3, 64, 64) * 2 - 1 for name in ("x", "y")}
        model.discriminator_loss(batch, model.generate(batch)).total.backward()
        ```
    """

    @typed
    def __init__(
        self,
        in_channels: int,
        *,
        discriminator: str = "patchgan_70",
        policy: tuple[Augmentation, ...] = ("color", "translation", "cutout"),
        pictures: tuple[int, ...] | None = None,
        heads: Mapping[str, int] | None = None,
        **options: object,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.policy = policy
        self.pictures = pictures
        if "color" in policy:
            _places(in_channels, pictures)
        self.discriminator = create_discriminator(discriminator, in_channels, heads=heads, **options)

    @typed
    def check_size(self, height: int, width: int) -> None:
        """Raise for images that the discriminator cannot take."""
        if isinstance(self.discriminator, ChecksSize):
            self.discriminator.check_size(height, width)

    @typed
    def judge_with_features(
        self, image: Float[Tensor, "batch in_channels height width"]
    ) -> tuple[Tensor | list[Tensor] | dict[str, Tensor], Features]:
        """Give what `forward` gives, and the features on the way."""
        self.check_input(image)
        if not isinstance(self.discriminator, GivesFeatures):
            raise ShapeError(f"{type(self.discriminator).__name__} gives no features: it has no judge_with_features")
        return self.discriminator.judge_with_features(self._augmented(image))

    @typed
    def forward(
        self, image: Float[Tensor, "batch in_channels height width"]
    ) -> Tensor | list[Tensor] | dict[str, Tensor]:
        """Give what the discriminator says of the augmented tuple."""
        self.check_input(image)
        return self.discriminator(self._augmented(image))

    def _augmented(self, image: Tensor) -> Tensor:
        return diff_augment(image, self.policy, self.pictures) if self.training else image


register_discriminator("diff_augment")(DiffAugment)


def _places(channels: int, pictures: tuple[int, ...] | None) -> list[int]:
    """Return the first channel of each picture."""
    if pictures is None:
        if channels % 3:
            raise ArgumentError(
                f"{channels} channels are no RGB pictures alone: say where each begins, pictures=(0, ...), or leave "
                '"color" out of the policy'
            )
        return list(range(0, channels, 3))
    wrong = [place for place in pictures if not 0 <= place <= channels - 3]
    if wrong:
        raise ArgumentError(f"no RGB picture begins at channel {wrong[0]} of {channels}")
    return list(pictures)


def _drawn(image: Tensor) -> Tensor:
    """Return a number in [0, 1] for each sample, (batch, 1, 1, 1)."""
    return torch.rand(image.shape[0], 1, 1, 1, dtype=image.dtype, device=image.device)


def _coloured(image: Tensor, places: list[int]) -> Tensor:
    brightness, saturation, contrast = _drawn(image) - 0.5, _drawn(image) * 2, _drawn(image) + 0.5
    parts: list[Tensor] = []
    behind = 0
    for place in places:
        picture = image[:, place : place + 3] + brightness
        grey = picture.mean(1, keepdim=True)
        picture = (picture - grey) * saturation + grey
        middle = picture.mean((1, 2, 3), keepdim=True)
        parts += [image[:, behind:place], (picture - middle) * contrast + middle]
        behind = place + 3
    return torch.cat([*parts, image[:, behind:]], 1)


def _shifted(image: Tensor) -> Tensor:
    height, width = image.shape[-2:]
    y, x = (_moved(image, side) for side in (height, width))
    padded = F.pad(image, (1, 1, 1, 1))  # what lies outside is the border of zeros
    sample = torch.arange(image.shape[0], device=image.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[sample, y[:, :, None], x[:, None, :]].permute(0, 3, 1, 2)


def _moved(image: Tensor, side: int) -> Tensor:
    """Return where the pixels of a side of each padded image come from, (batch, side)."""
    most = int(side * _SHIFT + 0.5)
    shift = torch.randint(-most, most + 1, (image.shape[0], 1), device=image.device)
    return (torch.arange(side, device=image.device) + shift + 1).clamp(0, side + 1)


def _with_a_hole(image: Tensor) -> Tensor:
    rows, columns = (_outside(image, side) for side in image.shape[-2:])
    return image * (rows[:, :, None] | columns[:, None, :])[:, None]


def _outside(image: Tensor, side: int) -> Tensor:
    """Return which pixels of a side lie outside of each image's hole, (batch, side)."""
    hole = int(side * _HOLE + 0.5)
    middle = torch.randint(0, side + 1 - hole % 2, (image.shape[0], 1), device=image.device)
    pixels = torch.arange(side, device=image.device)
    return (pixels < middle - hole // 2) | (pixels >= middle - hole // 2 + hole)
