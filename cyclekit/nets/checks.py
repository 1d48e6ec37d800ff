"""What a network refuses: sizes it cannot take, options it does not have."""

from collections.abc import Mapping

from torch import nn

from cyclekit.errors import ArgumentError, ImageSizeError

WIDEST = 2**20
"""Channels, and pixels of a side, beyond which a value is a slip."""
DEEPEST = 16
"""Halvings beyond which no image would do: a side of 65,536 pixels."""
MOST_BLOCKS = 1000
"""Blocks of one resolution beyond which a value is a slip."""


def check_positive(at_most: int = WIDEST, /, **values: int) -> None:
    """Raise for the first value that is not a positive integer, or more than a network can be made of."""
    for name, value in values.items():
        if isinstance(value, bool) or value < 1:
            raise ArgumentError(f"{name} (={value}) must be a positive integer")
        if value > at_most:
            raise ArgumentError(f"{name} (={value}) must be at most {at_most}")


def check_depth(**values: int) -> None:
    """Raise for the first value that is not a possible number of halvings."""
    check_positive(DEEPEST, **values)


def check_probability(**values: float) -> None:
    """Raise for the first value that is not a probability below 1."""
    for name, value in values.items():
        if not 0 <= value < 1:
            raise ArgumentError(f"{name} (={value}) must be a probability of at least 0, below 1")


def check_heads(heads: Mapping[str, int]) -> None:
    """Raise for a head whose name cannot be, or that has no logits."""
    for name in heads:
        if not name or "." in name or hasattr(nn.ModuleDict(), name):
            raise ArgumentError(f"a head cannot be called {name!r}: torch's module containers cannot hold it")
    check_positive(**{f"heads[{name!r}]": size for name, size in heads.items()})


def check_multiple(network: str, height: int, width: int, *, multiple: int, minimum: int = 1) -> None:
    """Raise unless both sides are multiples of ``multiple`` and at least ``minimum``."""
    least = -(-max(minimum, multiple) // multiple) * multiple
    if height % multiple or width % multiple or height < least or width < least:
        shallow = ", such as resnet_6blocks" if multiple > 4 else ""
        mended = [max(-(-side // multiple) * multiple, least) for side in (height, width)]
        raise ImageSizeError(
            f"{network} needs height and width to be multiples of {multiple}, at least {least}; "
            f"got {height}x{width}; resize or pad the images to {mended[0]}x{mended[1]}, "
            f"or choose a network with fewer downsamplings{shallow}"
        )


def check_minimum(network: str, height: int, width: int, *, minimum: int) -> None:
    """Raise unless both sides are at least ``minimum``."""
    if height < minimum or width < minimum:
        raise ImageSizeError(
            f"{network} needs height and width of at least {minimum}; got {height}x{width}; "
            "use larger images or a network with a smaller receptive field"
        )


def check_exact(network: str, height: int, width: int, *, size: tuple[int, int]) -> None:
    """Raise unless the image has exactly the size the network was built for."""
    if (height, width) != size:
        raise ImageSizeError(
            f"{network} was built for images of {size[0]}x{size[1]}; got {height}x{width}; "
            f"create it with image_size=({height}, {width}) or resize the images"
        )
