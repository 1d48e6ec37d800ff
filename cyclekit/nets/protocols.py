"""What networks may offer beside their output: the sizes they take, the features on the way to their logits."""

from typing import Protocol, TypeAlias, runtime_checkable

from torch import Tensor

Features: TypeAlias = list[Tensor] | list[list[Tensor]]
"""What every layer gave before the logits, after its activation; a list of that for each scale where there are some."""


class Generator(Protocol):
    """What a registered generator is, beside an ``nn.Module``."""

    def forward(self, image: Tensor) -> Tensor:
        """Make the output of the input.

        Args:
            image: The inputs, joined along the channels, (batch, in_channels, height, width), in [-1, 1]; for
                networks of vectors (batch, in_channels).

        Returns:
            The output, (batch, out_channels, height, width), in [-1, 1] where the network ends in tanh.

        Raises:
            ShapeError: The input has other axes.
            ImageSizeError: The network cannot take the size; `check_size` of the same network says which it can.
        """
        ...


class Discriminator(Protocol):
    """What a registered discriminator is, beside an ``nn.Module``; it `GivesFeatures` too."""

    def forward(self, image: Tensor) -> Tensor | list[Tensor] | dict[str, Tensor]:
        """Give the logits of the input.

        Args:
            image: The tuple to judge, joined along the channels, (batch, in_channels, height, width), in
                [-1, 1]; for networks of vectors (batch, in_channels).

        Returns:
            Logits, with no sigmoid: (batch, 1, rows, columns) or (batch, 1); a list of them, one for each
            scale; or with heads a dict, theirs under ``"source"``.

        Raises:
            ShapeError: The input has other axes.
            ImageSizeError: The network cannot take the size; `check_size` of the same network says which it can.
        """
        ...


@runtime_checkable
class GivesFeatures(Protocol):
    """A discriminator that gives its features along with its logits, as all of the registered ones do."""

    def judge_with_features(self, image: Tensor) -> tuple[Tensor | list[Tensor] | dict[str, Tensor], Features]:
        """Return what ``forward`` gives, and what every layer before the logits gave.

        Args:
            image: What the discriminator judges.

        Returns:
            The logits, and the features: a list of tensors, or a list of these for each scale.
        """
        ...


@runtime_checkable
class ChecksSize(Protocol):
    """A network that can tell before the first batch which image sizes it takes."""

    def check_size(self, height: int, width: int) -> None:
        """Raise `ImageSizeError` for a size the network cannot take.

        Args:
            height: Height of the input, in pixels.
            width: Width of the input, in pixels.

        Raises:
            ImageSizeError: The size cannot be taken; the message says what can.
        """
        ...
