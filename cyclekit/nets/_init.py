"""Initial weights, by name; every network chooses through this."""

from collections.abc import Callable

from torch import Tensor, nn

from cyclekit.nets._checks import choose


def _normal(weight: Tensor) -> Tensor:
    return nn.init.normal_(weight, 0.0, 0.02)


def _kaiming(weight: Tensor) -> Tensor:
    return nn.init.kaiming_normal_(weight, a=0, mode="fan_in")


_SCHEMES: dict[str, Callable[[Tensor], Tensor]] = {
    "normal": _normal,  # DCGAN's and pix2pix's
    "xavier": nn.init.xavier_normal_,  # C2GAN's release, gain 1
    "kaiming": _kaiming,
}


def initialise(network: nn.Module, scheme: str) -> None:
    """Draw new weights for every convolution, linear layer and batch normalisation.

    Args:
        network: Whose weights are drawn, in place.
        scheme: ``"normal"``: N(0, 0.02²), as pix2pix. ``"xavier"``: Xavier-normal with gain 1, as C2GAN's
            release. ``"kaiming"``: He-normal over the inputs. ``"default"``: leave what PyTorch drew.
            All but the last set biases to 0 and the scales of batch normalisation to N(1, 0.02²).
    """
    choose("initialisation", scheme, [*_SCHEMES, "default"])
    if scheme == "default":
        return
    draw = _SCHEMES[scheme]
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            draw(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)
