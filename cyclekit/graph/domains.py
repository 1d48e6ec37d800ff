"""What a signal is: how many channels, how it is laid out, which values it takes outside a model."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, TypeVar, cast

from cyclekit._registry import suggestion
from cyclekit.errors import GraphError
from cyclekit.graph.values import check_fields, whole

V = TypeVar("V")

_CHANNELS = whole(least=1, wanted="channels must be a positive integer")
_kinds: dict[str, type["Domain"]] = {}


@dataclass(frozen=True)
class Domain:
    """The kind of value a signal carries.

    A domain of your own is a frozen dataclass that derives from this one; a saved graph stores its name.

    Args:
        channels: Size of the channel axis.

    Raises:
        GraphError: ``channels`` is not a positive integer.

    Example:
        ```python
        from dataclasses import dataclass
        from typing import ClassVar

        from cyclekit.graph import Domain


        @dataclass(frozen=True)
        class Depth(Domain):
            channels: int = 1
            bounds: ClassVar[tuple[float, float] | None] = (0.0, 10.0)


        assert Depth().normalize(10.0) == 1.0
        ```
    """

    channels: int
    spatial: ClassVar[bool] = True
    """Whether values are maps, ``(batch, channels, height, width)``, or vectors, ``(batch, channels)``."""
    bounds: ClassVar[tuple[float, float] | None] = (0.0, 1.0)
    """The range of values outside a model, mapped to [-1, 1] inside; ``None``: values stay as they are."""

    def __init_subclass__(cls) -> None:
        """Make the domain known to `CycleGraph.from_dict` by its name."""
        super().__init_subclass__()
        taken = _kinds.setdefault(cls.__name__, cls)
        if (taken.__module__, taken.__qualname__) != (cls.__module__, cls.__qualname__):
            raise GraphError(f"a domain is called {cls.__name__!r} already, in {taken.__module__}: choose another name")
        _kinds[cls.__name__] = cls

    def __post_init__(self) -> None:
        if type(self) is Domain:
            raise GraphError("Domain is what domains derive from: choose Image, Heatmap, Label, ... or derive one")
        check_fields(self, channels=_CHANNELS)

    def normalize(self, value: V) -> V:
        """Bring a value (a number or a tensor) from the domain's own range to the model's [-1, 1].

        Args:
            value: Anything with arithmetic, in `bounds`.

        Returns:
            The value in [-1, 1], or unchanged where the domain has no bounds.
        """
        if self.bounds is None:
            return value
        low, high = self.bounds
        return (value - low) * (2.0 / (high - low)) - 1.0  # type: ignore

    def denormalize(self, value: V) -> V:
        """Bring a value (a number or a tensor) from the model's [-1, 1] to the domain's own range.

        Args:
            value: Anything with arithmetic, in [-1, 1].

        Returns:
            The value in `bounds`, or unchanged where the domain has none.
        """
        if self.bounds is None:
            return value
        low, high = self.bounds
        return (value + 1.0) * ((high - low) / 2.0) + low  # type: ignore

    def __str__(self) -> str:
        """Return the domain as it is written, ``Image(3)``."""
        rest = [f"{field.name}={getattr(self, field.name)!r}" for field in fields(self) if field.name != "channels"]
        return f"{type(self).__name__}({', '.join([str(self.channels), *rest])})"

    def to_dict(self) -> dict[str, Any]:
        """Return the domain as JSON-ready data.

        Returns:
            The fields, and the class's name under ``"domain"``.
        """
        return {"domain": type(self).__name__, **asdict(self)}

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> "Domain":
        """Rebuild a domain from `to_dict`'s data.

        Args:
            data: The fields, and the class's name under ``"domain"``.

        Returns:
            The domain.

        Raises:
            GraphError: No domain of that name has been defined; import the module that defines it first.
        """
        # JSON has no tuples, and a frozen domain has no lists.
        values: dict[str, Any] = {
            name: tuple(cast("list[Any]", value)) if isinstance(value, list) else value for name, value in data.items()
        }
        kind = str(values.pop("domain", ""))
        if kind not in _kinds:
            raise GraphError(
                f"no domain is called {kind!r}{suggestion(kind, _kinds)} "
                "(import the module that defines it before loading the graph)"
            )
        return _kinds[kind](**values)


@dataclass(frozen=True)
class Image(Domain):
    """A picture: [0, 1] outside a model, [-1, 1] inside.

    Args:
        channels: 3 for RGB, 1 for grey.
    """

    channels: int = 3


@dataclass(frozen=True)
class Heatmap(Domain):
    """One map a joint, 1 at the joint: [0, 1] outside a model, [-1, 1] inside.

    Args:
        channels: The number of joints.
    """


@dataclass(frozen=True)
class Landmarks(Domain):
    """Keypoints drawn as a picture, as C2GAN's faces use them: [0, 1] outside a model, [-1, 1] inside.

    Args:
        channels: 3 for an RGB picture.
    """

    channels: int = 3


@dataclass(frozen=True)
class Mask(Domain):
    """A region's map, 1 inside the region: [0, 1] outside a model and inside, since masks weight losses.

    Args:
        channels: The number of regions.
    """

    channels: int = 1
    bounds: ClassVar[tuple[float, float] | None] = None


@dataclass(frozen=True)
class Label(Domain):
    """A class, one-hot or as probabilities, ``(batch, channels)``; it enters a network tiled into maps.

    Args:
        channels: The number of classes.
    """

    spatial: ClassVar[bool] = False
    bounds: ClassVar[tuple[float, float] | None] = None


@dataclass(frozen=True)
class Vector(Domain):
    """Numbers without a place, ``(batch, channels)``; they enter a network tiled into maps.

    Args:
        channels: How many numbers.
    """

    spatial: ClassVar[bool] = False
    bounds: ClassVar[tuple[float, float] | None] = None


@dataclass(frozen=True)
class Noise(Domain):
    """Normal noise, ``(batch, channels)``: drawn for each training step and each `generate` unless a batch carries it.

    It enters a network tiled into maps, as a `Vector` does.

    Args:
        channels: How many numbers.
    """

    spatial: ClassVar[bool] = False
    bounds: ClassVar[tuple[float, float] | None] = None


@dataclass(frozen=True)
class Classes(Domain):
    """A map of classes: integers ``(batch, height, width)``, or one-hot or as probabilities with a channel a class.

    What a generator makes of it is logits; ``-softmax->`` and ``-argmax->`` turn them into probabilities and classes.

    Args:
        channels: The number of classes.
        ignore: The integer of pixels that have no class, 255 for example: they are 0 in every channel, and no
            cross entropy counts them.

    Raises:
        GraphError: ``ignore`` is no integer, or one of the classes.
    """

    ignore: int | None = None
    bounds: ClassVar[tuple[float, float] | None] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.ignore is None:
            return
        if type(self.ignore) is not int or 0 <= self.ignore < self.channels:
            raise GraphError(
                f"Classes({self.channels}, ignore={self.ignore!r}): ignore must be an integer that is none of the "
                f"classes 0 to {self.channels - 1}"
            )

    def __str__(self) -> str:
        """Return the domain as it is written, ``Classes(19)``."""
        return f"Classes({self.channels}{'' if self.ignore is None else f', ignore={self.ignore}'})"


@dataclass(frozen=True)
class Latent(Domain):
    """Feature maps between an encoder and a decoder, of any range and any resolution.

    Args:
        channels: The number of feature maps.
    """

    bounds: ClassVar[tuple[float, float] | None] = None
