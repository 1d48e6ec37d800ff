"""What a graph asks for: comparisons, and adversaries seen from both sides."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cyclekit.graph._syntax import format_node

Player = Literal["generators", "discriminators"]


@dataclass(frozen=True)
class Comparison:
    """``prediction ~ target``, measured by a criterion.

    Args:
        name: How weights, logs and edits call it.
        kind: ``"cycle"`` where it closes a cycle, ``"loss"`` otherwise.
        player: Who pays it.
        criterion: The criterion's registered name.
        weight: Its factor in the player's total.
        prediction: The signal on the left of ``~``.
        target: The signal on the right.
        extras: Further signals the criterion takes, a mask for example.
        optional: Whether a batch without its signals leaves it out instead of failing.
    """

    name: str
    kind: Literal["cycle", "loss"]
    player: Player
    criterion: str
    weight: float
    prediction: str
    target: str
    extras: tuple[str, ...] = ()
    optional: bool = False

    @property
    def signals(self) -> tuple[str, ...]:
        """Every signal it reads."""
        return (self.prediction, self.target, *self.extras)

    def paid_by(self, player: Player) -> bool:
        """Whether a player pays it, if it weighs anything.

        Args:
            player: ``"generators"`` or ``"discriminators"``.

        Returns:
            Whether it is `player`'s.
        """
        return player == self.player

    @property
    def equation(self) -> str:
        """The comparison as it is written."""
        if self.extras:
            return f"{self.criterion}({self.prediction} ~ {self.target}, {', '.join(self.extras)})"
        return f"{self.prediction} ~ {self.target}"


@dataclass(frozen=True)
class Adversary:
    """``discriminator: [fake] vs [real]``: the discriminator pays for both sides, generators for one.

    Args:
        name: How weights, logs and edits call it.
        discriminator: The discriminator's name.
        criterion: The adversarial loss's registered name.
        weight: Its factor in both players' totals.
        fake: The signals judged as generated.
        real: The signals judged as real; they train the discriminator alone, whatever they hold.
        generated: Whether ``fake`` holds a generated signal, so that generators learn from it.
        optional: Whether a batch without its signals leaves it out instead of failing.
    """

    name: str
    discriminator: str
    criterion: str
    weight: float
    fake: tuple[str, ...]
    real: tuple[str, ...]
    generated: bool = True
    optional: bool = False

    @property
    def signals(self) -> tuple[str, ...]:
        """Every signal it reads."""
        return (*self.fake, *self.real)

    def paid_by(self, player: Player) -> bool:
        """Whether a player pays it, if it weighs anything.

        Args:
            player: ``"generators"`` or ``"discriminators"``.

        Returns:
            True for the discriminators, and for the generators where ``fake`` holds a generated signal.
        """
        return player == "discriminators" or self.generated

    @property
    def equation(self) -> str:
        """The adversary as it is written."""
        return f"{self.discriminator}: {format_node(self.fake)} vs {format_node(self.real)}"


Term = Comparison | Adversary
"""What a graph asks for: one or the other."""


def named_terms(key: str, terms: Iterable[Term]) -> list[str]:
    """Return the names a key stands for: a term's, or those of all adversaries of a discriminator."""
    wanted = "".join(key.split())
    names = [term.name for term in terms if "".join(term.name.split()) == wanted]
    return names or [term.name for term in terms if isinstance(term, Adversary) and term.discriminator == wanted]
