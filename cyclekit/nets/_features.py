"""Discriminators that give the features on the way to their logits, for feature matching."""

from collections.abc import Iterable
from typing import Protocol, TypeAlias, runtime_checkable

from torch import Tensor, nn

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


def run_with_features(blocks: Iterable[nn.Module], hidden: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Return what the last block gives, and what each one before it gave."""
    *inner, last = blocks
    features: list[Tensor] = []
    for block in inner:
        hidden = block(hidden)
        features.append(hidden)
    return last(hidden), features
