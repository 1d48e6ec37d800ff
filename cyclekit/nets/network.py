"""What the networks of this room have in common."""

from typing import ClassVar, Literal, TypeAlias

from torch import Tensor, nn

from cyclekit.errors import ShapeError

Layout: TypeAlias = Literal["maps", "vectors"]


class Network(nn.Module):
    """A network that knows what it reads and makes, and refuses other inputs."""

    in_channels: int
    takes: ClassVar[Layout] = "vectors"
    """What it reads: maps (batch, channels, height, width), or vectors (batch, channels)."""
    makes: ClassVar[Layout] = "vectors"
    """What it makes, where it is a generator."""

    def check_input(self, given: Tensor) -> None:
        """Raise unless the input has the channels the network was built for."""
        if given.shape[1] != self.in_channels:
            raise ShapeError(
                f"{type(self).__name__} was built for {self.takes} of {self.in_channels} channels; got "
                f"{given.shape[1]}, in a batch of shape {tuple(given.shape)}: pass what it was built for, or create "
                f"it with in_channels={given.shape[1]}"
            )


class ImageNetwork(Network):
    """A network of images, or of other maps, which may not take every size."""

    takes: ClassVar[Layout] = "maps"
    makes: ClassVar[Layout] = "maps"

    def check_size(self, height: int, width: int) -> None:
        """Raise `ImageSizeError` for a size the network cannot take."""
        raise NotImplementedError

    def check_input(self, given: Tensor) -> None:
        """Raise unless the input has the network's channels, and a size that it takes."""
        super().check_input(given)
        self.check_size(given.shape[-2], given.shape[-1])
