"""Weights of the public pix2pix and CycleGAN releases."""

from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from cyclekit._typed import typed
from cyclekit.errors import ArgumentError

STATISTICS = {"running_mean", "running_var", "num_batches_tracked"}


@typed
def load_pix2pix_weights(network: nn.Module, state_dict: Mapping[str, Tensor]) -> None:
    """Load released pix2pix or CycleGAN weights into the network of the same make.

    The releases and this library register the same layers in the order they run, under different names; the
    weights go over layer by layer in that order. Works for the U-Nets (``unet_128``, ``unet_256``), the
    residual generators (``resnet_6blocks``, ``resnet_9blocks``), the PatchGANs and ``pixelgan``, with any
    normalisation, and so for C2GAN's release too.

    Args:
        network: Created with the depth, channels and normalisation of the release, with neither spectral norm
            nor another up-sampling.
        state_dict: What ``torch.load`` gave for a file such as ``latest_net_G.pth``.

    Raises:
        ArgumentError: The layers do not correspond; the message names the first that does not. The network is
            unchanged.

    Source:
        https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix

    Example:
        ```python
        import torch
        from cyclekit.nets import create_discriminator, load_pix2pix_weights

        D = create_discriminator("pixelgan", 3, norm="instance", base_channels=2)
        released = {"net.0.weight": torch.zeros(2, 3, 1, 1), "net.0.bias": torch.zeros(2),
                    "net.2.weight": torch.zeros(4, 2, 1, 1), "net.2.bias": torch.zeros(4),
                    "net.5.weight": torch.zeros(1, 4, 1, 1), "net.5.bias": torch.ones(1)}
        load_pix2pix_weights(D, released)
        assert D(torch.zeros(1, 3, 4, 4)).eq(1).all()
        ```
    """
    own = network.state_dict()
    targets = _layers(own)
    # old releases carry statistics of instance normalisation that nothing reads
    sources = {layer: names for layer, names in _layers(state_dict).items() if not names <= STATISTICS}
    order = sorted(sources, key=_natural)
    if len(order) != len(targets):
        raise ArgumentError(
            f"the release has {len(order)} layers with weights, the network {len(targets)}; "
            "create the network with the release's depth and normalisation"
        )
    converted: dict[str, Tensor] = {}
    for source, target in zip(order, targets, strict=True):
        missing = targets[target] ^ sources[source]
        if missing - {"num_batches_tracked"}:  # older than torch 0.4.1, which introduced it
            raise ArgumentError(
                f"released layer {source!r} has {_listed(sources[source])} where the network's {target!r} "
                f"has {_listed(targets[target])}; create the network with the release's normalisation"
            )
        for name in sorted(targets[target] & sources[source], reverse=True):  # a weight's shape says most
            released, expected = state_dict[f"{source}.{name}"], own[f"{target}.{name}"]
            if released.shape != expected.shape:
                raise ArgumentError(
                    f"released '{source}.{name}' is {tuple(released.shape)} where the network's "
                    f"'{target}.{name}' is {tuple(expected.shape)}; "
                    "create the network with the release's channels"
                )
            converted[f"{target}.{name}"] = released
    network.load_state_dict({**own, **converted})


def _layers(keys: Iterable[str]) -> dict[str, set[str]]:
    layers: dict[str, set[str]] = {}
    for key in keys:
        layer, dot, name = str(key).rpartition(".")
        if not dot or not isinstance(key, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ArgumentError(f"{key!r} names no layer's weight, as 'model.1.weight' does")
        layers.setdefault(layer, set()).add(name)
    return layers


def _natural(layer: str) -> list[tuple[int, str]]:
    # files saved in another format come sorted by letter, "model.10" before "model.2"
    return [(int(part), "") if part.isdigit() else (-1, part) for part in layer.split(".")]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
