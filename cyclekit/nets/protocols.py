"""What networks may offer beside their output: the sizes they take, the features on the way to their logits."""

from typing import Protocol, TypeAlias, runtime_checkable

from torch import Tensor

Features: TypeAlias = list[Tensor] | list[list[Tensor]]
"""What every layer gave before the logits, after its activation; a list of that for each scale where there are some."""


@runtime_checkable
class GivesFeatures(Protocol):
    """A discriminator that gives its features along with its judgement, as all of the registered ones do."""

    def judge_with_features(self, image: Tensor) -> tuple[Tensor | list[Tensor] | dict[str, Tensor], Features]:
        """Return what ``forward`` gives, and what every layer before the logits gave.

        Args:
            image: What the discriminator judges.

        Returns:
            The judgement, and the features: a list of tensors, or a list of these for each scale.
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
