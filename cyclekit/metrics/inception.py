"""Inception's features, for the scores of whole sets."""

import pickle
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cyclekit._timm import import_over_torchvision
from cyclekit._typed import typed
from cyclekit.errors import ArgumentError
from cyclekit.metrics.ranges import check_images

WEIGHTS = "weights-inception-2015-12-05-6726825d.pth"
_LAYERS = {"features": "2048", "logits": "logits_unbiased"}


class InceptionFeatures(nn.Module):
    """The Inception network that FID, KID and IS are published with, ready for `extract_features`.

    It is torch-fidelity's port of the TensorFlow graph of 2015, with that graph's own way to resize images;
    ``pip install torch-fidelity`` brings it. Nothing is downloaded here: fetch
    ``weights-inception-2015-12-05-6726825d.pth`` once from the releases of torch-fidelity on GitHub (v0.2.0).

    Args:
        weights: Path of that file.
        output: ``"features"``, 2048 pooled ones for FID and KID, or ``"logits"``, 1008 for IS.

    Raises:
        ImportError: torch-fidelity is not installed.
        FileNotFoundError: There is no file at `weights`.
        ArgumentError: The file holds no weights, or those of another network.

    Source:
        Szegedy et al., Rethinking the Inception Architecture, CVPR 2016; Heusel et al., NeurIPS 2017;
        https://github.com/toshas/torch-fidelity.
    """

    @typed
    def __init__(self, weights: str | Path, output: Literal["features", "logits"] = "features") -> None:
        super().__init__()
        if not Path(weights).is_file():
            raise FileNotFoundError(
                f"no Inception weights at {weights}; cyclekit downloads none: fetch {WEIGHTS} from the releases of "
                "torch-fidelity (github.com/toshas/torch-fidelity, v0.2.0), put it there, or pass its path"
            )
        self.network: nn.Module = _load(weights, _LAYERS[output])

    @typed
    def forward(self, images: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch outputs"]:
        """Return features or logits.

        Args:
            images: Images in [0, 1] of any size, RGB. They are rounded to 8 bits, as in a file, and resized to
                299x299 px.

        Returns:
            2048 features or 1008 logits per image; NaN for an image with values that are not finite.

        Raises:
            ArgumentError: The images lie far outside of [0, 1].
        """
        check_images("images", images)
        outputs = self.network((255 * images).round().clamp(0, 255).to(torch.uint8))[0]
        finite = images.isfinite().flatten(1).all(dim=1, keepdim=True)  # bytes would hide what is not
        return outputs.where(finite, torch.nan)


def _load(weights: str | Path, layer: str) -> nn.Module:
    try:
        module: Any = import_over_torchvision("torch_fidelity.feature_extractor_inceptionv3")
    except ModuleNotFoundError as error:
        raise ImportError("InceptionFeatures needs torch-fidelity: pip install torch-fidelity") from error
    mend = f"fetch {WEIGHTS} from the releases of torch-fidelity again"
    try:
        # torch-fidelity unpickles whatever is in the file; nothing but tensors gets that far
        torch.load(weights, weights_only=True, map_location="meta")
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise ArgumentError(f"{weights} holds no weights that can be read; {mend}") from error
    try:
        return module.FeatureExtractorInceptionV3("inception", [layer], feature_extractor_weights_path=str(weights))
    except (RuntimeError, TypeError, AttributeError) as error:
        raise ArgumentError(f"{weights} holds the weights of another network; {mend}") from error
