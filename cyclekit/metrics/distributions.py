"""Scores of whole sets of images, from a network's features or logits."""

from collections.abc import Callable, Iterable
from itertools import zip_longest
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]
from torch.nn.modules.dropout import _DropoutNd  # pyright: ignore[reportPrivateUsage]

from cyclekit._typed import typed
from cyclekit.errors import ArgumentError
from cyclekit.metrics.ranges import check_mask

_MOODY = (_BatchNorm, _DropoutNd)
"""Layers that do something else in training mode."""


class Estimate(NamedTuple):
    """A score over several parts of the images.

    Attributes:
        mean: Mean over the parts, a scalar.
        deviation: Population standard deviation over the parts, a scalar.
    """

    mean: Float[Tensor, ""]
    deviation: Float[Tensor, ""]


@torch.inference_mode()
def extract_features(
    network: Callable[[Tensor], Tensor],
    batches: Iterable[Float[Tensor, "batch channels height width"]],
    masks: Iterable[Float[Tensor, "batch 1 height width"]] | None = None,
) -> Float[Tensor, "images features"]:
    """Run a network over batches of images and return its outputs, one row an image.

    ```python
    import torch
    from cyclekit.metrics import extract_features, frechet_distance

    network = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(2), torch.nn.Flatten())
    real = extract_features(network, [torch.rand(8, 3, 16, 16) for _ in range(4)])
    fake = extract_features(network, [torch.rand(8, 3, 16, 16) for _ in range(4)])
    print(frechet_distance(fake, real))
    ```

    Args:
        network: Features or logits of images, one row each; a module in evaluation mode, on the images' device.
        batches: Images in the range the network expects, [0, 1] for `InceptionFeatures`.
        masks: For the mask versions of a score: as many batches of masks in [0, 1], with which the images are
            multiplied first, PoseGAN's target pose masks for example.

    Returns:
        The outputs, flattened, in float64 on the CPU.

    Raises:
        ArgumentError: The network has dropout or batch normalisation in training mode; there is no batch, or not as
            many of masks as of images, or a mask does not lie in [0, 1].
        ShapeError: A batch is none of images, its masks do not fit, or the network does not give a row an image.

    Source:
        Ma et al., Pose Guided Person Image Generation, NeurIPS 2017, section 4, for the mask versions;
        https://github.com/AliaksandrSiarohin/pose-gan for the way they are computed.
    """
    if isinstance(network, nn.Module) and any(isinstance(m, _MOODY) and m.training for m in network.modules()):
        raise ArgumentError("network: expected a module in evaluation mode, got one in training mode: call .eval()")
    rows: list[Tensor] = []
    for images, mask in zip_longest(batches, () if masks is None else masks):
        if images is None or (mask is None and masks is not None):
            raise ArgumentError(f"masks: expected as many batches as of images; one of both ends after {len(rows)}")
        seen = _masked(images, mask)
        rows.append(_rows(seen, network(seen)).to("cpu", torch.float64))
    if not rows:
        raise ArgumentError("there are no images to extract features from: `batches` is empty")
    return torch.cat(rows)


@typed
def inception_score(logits: Float[Tensor, "images classes"], splits: int = 10) -> Estimate:
    """Return the inception score, ``exp(E[KL(p(class | image) || p(class))])``, over consecutive parts.

    ```python
    import torch
    from cyclekit.metrics import inception_score

    sure = 100 * torch.eye(4).repeat(10, 1)  # every class is met equally often, and with certainty
    print(inception_score(sure, splits=10).mean)  # 4
    ```

    Args:
        logits: A classifier's outputs before the softmax, in the order the images were generated.
        splits: Number of parts; published values use 10.

    Returns:
        Mean and deviation over the parts, at least 1 and at most the number of classes.

    Raises:
        ArgumentError: There are fewer images than parts.

    Source:
        Salimans et al., Improved Techniques for Training GANs, NeurIPS 2016, section 4, and its code.
    """
    images = len(logits)
    if not 1 <= splits <= images:
        raise ArgumentError(f"splits must lie between 1 and the number of images, {images}; got {splits}")
    log_p = logits.double().log_softmax(dim=1)
    scores: list[Tensor] = []
    for part in range(splits):
        chunk = log_p[part * images // splits : (part + 1) * images // splits]
        marginal = chunk.logsumexp(dim=0) - torch.tensor(len(chunk), device=chunk.device).log()
        scores.append((chunk.exp() * (chunk - marginal)).sum(dim=1).mean().exp())
    return _estimate(scores)


@typed
def frechet_distance(
    features: Float[Tensor, "images features"], target: Float[Tensor, "references features"]
) -> Float[Tensor, ""]:
    """Return the Fréchet distance of two Gaussians fitted to features; FID with Inception's pooled features.

    ```python
    import torch
    from cyclekit.metrics import frechet_distance

    features = torch.randn(64, 8)
    print(frechet_distance(features + 1, features))  # the means differ by 1 in 8 dimensions: 8
    ```

    Args:
        features: Features of generated images.
        target: Features of real images. Fewer rows than features make both covariances singular, and the
            distance depends on the number of rows at any rate: compare at equal numbers.

    Returns:
        A scalar, not negative, in float64; NaN where a row is not finite.

    Raises:
        ArgumentError: Either set has fewer than two rows.

    Source:
        Heusel et al., GANs Trained by a Two Time-Scale Update Rule, NeurIPS 2017, equation 6.
    """
    for name, rows in (("features", features), ("target", target)):
        if len(rows) < 2:
            raise ArgumentError(f"a covariance needs at least two rows; `{name}` has {len(rows)}")
    mean_x, covariance_x = _moments(features.double())
    mean_y, covariance_y = _moments(target.double())
    # tr sqrt(XY) = tr sqrt(sqrt(X) Y sqrt(X)), which is symmetric and so has real eigenvalues.
    # Eigenvalues of NaN cannot be had; the traces carry it to the result.
    values, vectors = torch.linalg.eigh(_finite(covariance_x))
    root = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    overlap = torch.linalg.eigvalsh(root @ _finite(covariance_y) @ root).clamp_min(0).sqrt().sum()
    spread = covariance_x.trace() + covariance_y.trace() - 2 * overlap
    return ((mean_x - mean_y).square().sum() + spread).clamp_min(0)


@typed
def kernel_distance(
    features: Float[Tensor, "images features"],
    target: Float[Tensor, "references features"],
    subsets: int = 100,
    subset_size: int = 1000,
    generator: torch.Generator | None = None,
) -> Estimate:
    """Return the unbiased squared maximum mean discrepancy of two sets; KID with Inception's features.

    ```python
    import torch
    from cyclekit.metrics import kernel_distance

    features = torch.randn(64, 8)
    print(kernel_distance(features + 1, features, subset_size=32).mean)
    ```

    Args:
        features: Features of generated images.
        target: Features of real images.
        subsets: How many random subsets are scored.
        subset_size: Rows a subset takes from each set, without replacement.
        generator: Source of the random choice, on the CPU.

    Returns:
        Mean and deviation over the subsets; near 0, and negative about as often as positive, for equal
        distributions.

    Raises:
        ArgumentError: A subset is smaller than two rows or larger than a set, or there is no subset.

    Source:
        Bińkowski et al., Demystifying MMD GANs, ICLR 2018, section 4; kernel ``(x·y / features + 1)³``.
    """
    fewest = min(len(features), len(target))
    if not 2 <= subset_size <= fewest:
        raise ArgumentError(f"subset_size must lie between 2 and the smaller set, {fewest} rows; got {subset_size}")
    if subsets < 1:
        raise ArgumentError(f"subsets must be at least 1, got {subsets}")
    x, y = features.double(), target.double()
    scores: list[Tensor] = []
    for _ in range(subsets):
        a, b = (_choose(rows, subset_size, generator) for rows in (x, y))
        within = sum(kernel.sum() - kernel.trace() for kernel in (_kernel(a, a), _kernel(b, b)))
        scores.append(within / (subset_size * (subset_size - 1)) - 2 * _kernel(a, b).mean())
    return _estimate(scores)


@typed
def _masked(
    images: Float[Tensor, "batch channels height width"], mask: Float[Tensor, "batch 1 height width"] | None
) -> Float[Tensor, "batch channels height width"]:
    if mask is None:
        return images
    check_mask(mask)
    return images * mask


@typed
def _rows(images: Float[Tensor, "batch ..."], outputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch features"]:
    return outputs.flatten(1)


def _finite(matrix: Tensor) -> Tensor:
    return matrix.where(matrix.isfinite(), 0)


def _moments(rows: Tensor) -> tuple[Tensor, Tensor]:
    mean = rows.mean(dim=0)
    centred = rows - mean
    return mean, centred.T @ centred / (len(rows) - 1)


def _choose(rows: Tensor, size: int, generator: torch.Generator | None) -> Tensor:
    return rows[torch.randperm(len(rows), generator=generator)[:size].to(rows.device)]


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.T / x.shape[1] + 1) ** 3


def _estimate(scores: list[Tensor]) -> Estimate:
    stacked = torch.stack(scores)
    return Estimate(stacked.mean(), stacked.std(correction=0))
