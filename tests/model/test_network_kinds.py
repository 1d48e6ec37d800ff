"""Networks that cannot be what the graph wants of them, found when the model is built."""

import re

import pytest
from torch import nn

from cyclekit import CycleGraph, Image, NetworkSpec
from cyclekit.errors import GraphError
from cyclekit.graph import Label, Vector

SIGNALS = {"x": Image(3), "y": Image(3), "v": Vector(4), "w": Vector(5), "c": Label(2)}
MLP, UNET = NetworkSpec("residual_mlp", hidden=8), NetworkSpec("unet_64", base_channels=2)
PATCH = NetworkSpec("patchgan_16", base_channels=2)


def graph_of(maps, **options):
    """Return a graph of the signals that its text names."""
    text = " ".join([maps, *options.values()])
    signals = {name: domain for name, domain in SIGNALS.items() if re.search(rf"\b{name}\b", text)}
    return CycleGraph(signals, maps=maps, **options)


def built(maps, losses, generators):
    return graph_of(maps, losses=losses).build(generators=generators)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("x -G-> v*", "v* ~ v", UNET),
            r"'G' makes vectors in the graph \(Vector\(4\)\), but 'unet_64' makes maps; choose one of 'dpig_encoder'",
        ),
        (
            ("x -G-> c*", "cross_entropy(c* ~ c)", UNET),
            r"'G' makes vectors in the graph \(Label\(2\)\), but 'unet_64' makes maps; choose one of 'dpig_encoder'",
        ),
        (
            ("v -G-> w*", "w* ~ w", UNET),
            r"'G' takes vectors in the graph \(Vector\(4\)\), but 'unet_64' takes maps; choose one of 'residual_mlp'",
        ),
        (
            ("x -G-> y*", "y* ~ y", MLP),
            r"'G' takes maps in the graph \(Image\(3\)\), but 'residual_mlp' takes vectors; choose one of .*'unet_64'",
        ),
        (
            ("x -G-> [y*, v*]", "y* ~ y ; v* ~ v", UNET),
            r"'G' makes maps and vectors .* but 'unet_64' makes maps; no registered network does: pass a module",
        ),
        (
            ("v -G-> y*", "y* ~ y", MLP),
            r"'G' makes maps in the graph \(Image\(3\)\), but 'residual_mlp' makes vectors; no registered network",
        ),
    ],
)
def test_a_generator(arguments, message):
    with pytest.raises(GraphError, match=message):
        built(*arguments)


@pytest.mark.parametrize(
    ("maps", "judged", "generators", "discriminators", "message"),
    [
        ("x -G-> y*", "y* vs y", UNET, NetworkSpec("mlp", hidden=8), "'D' takes maps .* but 'mlp' takes vectors"),
        ("v -G-> w*", "w* vs w", MLP, PATCH, "'D' takes vectors .* but 'patchgan_16' takes maps; choose one of 'mlp'"),
    ],
)
def test_a_discriminator(maps, judged, generators, discriminators, message):
    graph = graph_of(maps, adversaries=f"D: {judged}")
    with pytest.raises(GraphError, match=message):
        graph.build(generators=generators, discriminators=discriminators)


def test_vectors_beside_maps_are_tiled():
    built("[x, v, c] -G-> y*", "y* ~ y", UNET)
    built("[v, c] -G-> w*", "w* ~ w", MLP)
    built("x -G-> v*", "v* ~ v", NetworkSpec("dpig_encoder", base_channels=2, image_size=(16, 16)))


@pytest.mark.parametrize("name", ["training", "_modules", "_parameters", "keys", "forward", "T_destination"])
def test_a_name_that_torch_keeps_for_itself(name):
    graph = graph_of(f"x -{name}-> y*", losses="y* ~ y")
    with pytest.raises(GraphError, match=f"{name!r} is a word of torch's module containers; call the network other"):
        graph.build(generators={name: nn.Conv2d(3, 3, 1)})
