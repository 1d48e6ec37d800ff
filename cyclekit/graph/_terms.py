"""What a graph asks for: comparisons, adversaries seen from both sides, and what regularizes these."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cyclekit.graph._plan import FEATURES, expression
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


@dataclass(frozen=True)
class Regularizer:
    """``+ name`` behind an adversary: a penalty on the discriminator's gradient, or a match of its features.

    Args:
        name: How weights, logs and edits call it: ``r1(D(y*))``.
        adversary: The name of the adversary it stands behind.
        discriminator: The discriminator's name.
        player: Who pays it: the discriminators a penalty on the gradient, the generators what compares the
            features of both sides.
        criterion: The penalty's or the criterion's registered name.
        weight: Its factor in the player's total.
        fake: The signals judged as generated.
        real: The signals judged as real.
        optional: Whether a batch without its signals leaves it out instead of failing.
    """

    name: str
    adversary: str
    discriminator: str
    player: Player
    criterion: str
    weight: float
    fake: tuple[str, ...]
    real: tuple[str, ...]
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
            Whether it is `player`'s.
        """
        return player == self.player

    @property
    def equation(self) -> str:
        """The regularizer behind its adversary, as it is written."""
        return f"{self.discriminator}: {format_node(self.fake)} vs {format_node(self.real)} + {self.written}"

    @property
    def features(self) -> tuple[str, str]:
        """What the discriminator's features of both sides are called, the generated side's first."""
        fake, real = (expression(self.discriminator, side, FEATURES) for side in (self.fake, self.real))
        return fake, real

    @property
    def written(self) -> str:
        """How the text calls it: ``r1``."""
        return self.name.partition("(")[0]


Term = Comparison | Adversary | Regularizer
"""What a graph asks for: one of the three."""


def named_terms(key: str, terms: Iterable[Term]) -> list[str]:
    """Return the names a key stands for: a term's, or those of all terms of a discriminator, ``D`` or ``r1(D)``."""
    wanted = "".join(key.split())
    names = [term.name for term in terms if "".join(term.name.split()) == wanted]
    return names or [term.name for term in terms if shared_key(term) == wanted]


def shared_key(term: Term) -> str | None:
    """Return the key that stands for a term and its like at the same discriminator, where there is one."""
    if isinstance(term, Adversary):
        return term.discriminator
    return f"{term.written}({term.discriminator})" if isinstance(term, Regularizer) else None
