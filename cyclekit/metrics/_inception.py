"""Inception's features, for the scores of whole sets."""

from pathlib import Path
from typing import Literal

import torch.nn.functional as F
from jaxtyping import Float
from safetensors.torch import load_file
from torch import Tensor, nn

from cyclekit._timm import import_timm
from cyclekit._typed import typed

_SIDE = 299  # pixels


class InceptionFeatures(nn.Module):
    """Inception v3 from timm, with weights from a file, ready for `extract_features`.

    FID, KID and IS are published with the weights of the original TensorFlow graph. Those of timm are others:
    their scores compare among themselves, and not with published ones. Nothing is downloaded here; once, and
    online, the file is made by
    ``safetensors.torch.save_file(timm.create_model("inception_v3", pretrained=True).state_dict(), path)``.

    Args:
        weights: A safetensors file with the state of timm's ``inception_v3``.
        output: ``"features"``, 2048 pooled ones for FID and KID, or ``"logits"``, 1000 for IS.

    Raises:
        FileNotFoundError: There is no file at `weights`.

    Source:
        Szegedy et al., Rethinking the Inception Architecture, CVPR 2016; timm's ``inception_v3``.
    """

    def __init__(self, weights: str | Path, output: Literal["features", "logits"] = "features") -> None:
        super().__init__()
        if not Path(weights).is_file():
            raise FileNotFoundError(
                f"no Inception weights at {weights}; cyclekit brings none. Save the state of "
                'timm.create_model("inception_v3", pretrained=True) there with safetensors.torch.save_file'
            )
        classes = 1000 if output == "logits" else 0
        self.network = import_timm().create_model("inception_v3", pretrained=False, num_classes=classes)
        state = load_file(weights)
        if output == "features":
            state = {name: value for name, value in state.items() if not name.startswith("fc.")}
        self.network.load_state_dict(state)
        self.eval().requires_grad_(False)

    @typed
    def forward(self, images: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch outputs"]:
        """Return features or logits.

        Args:
            images: Images in [0, 1] of any size; they are resized to 299x299 px.

        Returns:
            2048 features or 1000 logits per image.
        """
        resized = F.interpolate(images, (_SIDE, _SIDE), mode="bilinear", antialias=True, align_corners=False)
        return self.network(2 * resized - 1)
