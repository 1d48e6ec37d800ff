"""What G_K reads, and where from: the face, or dots that G_I painted onto it."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from cyclekit.metrics import dot_f1

READ = ("y*", "y* blurred", "y", "another's")
"""What is read: the generated image; the same after a 3x3 mean, which leaves a face and takes painted dots away; the
real image; and the real image, held against another's keypoints."""


def polarity_of(keypoints: Tensor) -> Literal["black_on_white", "white_on_black"]:
    """Return what landmark pictures in [-1, 1] are drawn in: C2GAN's are dark dots, GestureGAN's bright skeletons."""
    return "black_on_white" if keypoints.mean() > 0 else "white_on_black"


@torch.inference_mode()
def dots_read(reader: Callable[[Tensor], Tensor], generated: Tensor, y: Tensor, Ly: Tensor) -> Tensor:
    """Return the F1 score of the dots that are read, (batch, 4): a column for each of `READ`.

    Dots that are read from y* and not from y, nor from y* blurred, are painted. Dots that are another's nearly as well
    are the same for everybody.

    Args:
        reader: G_K: images to landmark pictures, in evaluation mode.
        generated: Images made for the keypoints Ly, (batch, 3, height, width) in [-1, 1].
        y: The real images, likewise, of several identities, samples of one identity beside each other.
        Ly: Their landmark pictures, likewise.
    """
    others = Ly.roll(len(Ly) // 2, dims=0)
    blurred = F.avg_pool2d(generated, 3, stride=1, padding=1, count_include_pad=False)
    from_real = reader(y)
    pairs = [(reader(generated), Ly), (reader(blurred), Ly), (from_real, Ly), (from_real, others)]
    drawn = polarity_of(Ly)
    return torch.stack([dot_f1((found + 1) / 2, (true + 1) / 2, polarity=drawn) for found, true in pairs], dim=1)


@torch.inference_mode()
def dot_contrast(image: Tensor, keypoints: Tensor) -> Tensor:
    """Return how much darker an image is on its landmarks' dots than beside them, (batch,) in units of black to white.

    It needs no reader. Beside is within two pixels of a dot and on none; along the jaw that is mostly jaw as well, so
    that a face alone has little of this contrast.

    Args:
        image: Images, (batch, 3, height, width) in [-1, 1].
        keypoints: Landmark pictures of the same size, likewise.
    """
    dots = (keypoints.mean(1) < 0).to(image.dtype)
    beside = F.max_pool2d(dots, 5, stride=1, padding=2) - dots
    brightness = (image.mean(1) + 1) / 2
    on, off = ((brightness * part).sum((1, 2)) / part.sum((1, 2)) for part in (dots, beside))
    return off - on
