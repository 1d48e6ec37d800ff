"""How every network is finished: initial weights by name, then spectral norm."""

from collections.abc import Callable

from torch import Tensor, nn

from cyclekit.nets._checks import choose
from cyclekit.nets._layers import add_spectral_norm


def _normal(weight: Tensor) -> Tensor:
    return nn.init.normal_(weight, 0.0, 0.02)


def _kaiming(weight: Tensor) -> Tensor:
    return nn.init.kaiming_normal_(weight, a=0, mode="fan_in")


_SCHEMES: dict[str, Callable[[Tensor], Tensor]] = {
    "normal": _normal,  # DCGAN's and pix2pix's
    "xavier": nn.init.xavier_normal_,  # C2GAN's release, gain 1
    "kaiming": _kaiming,
}


def finish(network: nn.Module, *, init: str, spectral_norm: bool) -> None:
    """Draw a network's initial weights, then normalise them; the other order would draw from what was normalised.

    Args:
        network: Whose weights are drawn, in place.
        init: ``"normal"``: N(0, 0.02²), as pix2pix. ``"xavier"``: Xavier-normal with gain 1, as C2GAN's
            release. ``"kaiming"``: He-normal over the inputs. ``"default"``: leave what PyTorch drew.
            All but the last set biases to 0 and the scales of batch normalisation to N(1, 0.02²).
        spectral_norm: Whether every convolution and linear layer is divided by its largest singular value.
    """
    choose("initialisation", init, [*_SCHEMES, "default"])
    if init != "default":
        _draw(network, _SCHEMES[init])
    if spectral_norm:
        add_spectral_norm(network)


def _draw(network: nn.Module, draw: Callable[[Tensor], Tensor]) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            draw(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)
