"""What a network refuses: sizes it cannot take, options it does not have."""

from cyclekit.errors import ImageSizeError


def check_positive(**values: int) -> None:
    """Raise for the first value that is not a positive integer."""
    for name, value in values.items():
        if value < 1:
            raise ValueError(f"{name} (={value}) must be a positive integer")


def check_multiple(network: str, height: int, width: int, *, multiple: int, minimum: int = 1) -> None:
    """Raise unless both sides are multiples of ``multiple`` and at least ``minimum``."""
    least = -(-max(minimum, multiple) // multiple) * multiple
    if height % multiple or width % multiple or height < least or width < least:
        mended = [max(-(-side // multiple) * multiple, least) for side in (height, width)]
        raise ImageSizeError(
            f"{network} needs height and width to be multiples of {multiple}, at least {least}; "
            f"got {height}x{width}; resize or pad the images to {mended[0]}x{mended[1]}, "
            "or choose a network with fewer downsamplings"
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
