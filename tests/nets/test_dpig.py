"""DPIG: its networks, and both of its stages declared as graphs and trained a step."""

import pytest
import torch
from torch import nn

from cyclekit import CycleGraph, GraphWarning, Heatmap, Image, Latent, Mask, Vector
from cyclekit.errors import ShapeError
from cyclekit.nets import ImageSizeError, NetworkSpec, create_discriminator, create_generator
from cyclekit.training import AdversarialStep, create_optimizers

PARTS = range(7)
HEIGHT, WIDTH, SIDE, FEATURES = 32, 16, 6, 4


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def conv(before, after):
    return 9 * before * after + after


def linear(before, after):
    return before * after + after


def test_counts_worked_out():
    with torch.device("meta"):
        stem = create_generator("dpig_stem", 3, 128)
        region = create_generator("dpig_encoder", 128, 32, entry=False)
        background = create_generator("dpig_encoder", 128, 128, entry=False, image_size=(128, 64))
        alone = create_generator("dpig_encoder", 3, 32)
        pose = create_generator("residual_mlp", 54, 32)
        judge = create_discriminator("mlp", 224)
    widths = [128, 256, 384, 512, 640]
    blocks = sum(2 * conv(w, w) for w in widths) + sum(conv(w, w + 128) for w in widths[:-1])
    assert parameters(stem) == conv(3, 128) + 2 * conv(128, 128)
    assert parameters(region) == blocks + linear(3 * 3 * 640, 32)
    assert parameters(background) == blocks + linear(8 * 4 * 640, 128)
    assert parameters(alone) == conv(3, 128) + blocks + linear(3 * 3 * 640, 32)
    assert parameters(pose) == linear(54, 512) + 8 * linear(512, 512) + linear(512, 32)
    assert parameters(judge) == linear(224, 512) + 3 * linear(512, 512) + linear(512, 1)


def test_the_encoder_equals_the_arithmetic_written_out():
    network = create_generator("dpig_encoder", 2, 3, image_size=(6, 5), scales=2, base_channels=2).double()
    weights = iter(network.state_dict().values())

    def convolved(x, stride=1):
        return nn.functional.conv2d(x, next(weights), next(weights), stride=stride, padding=1).clamp(min=0)

    image = torch.randn(4, 2, 6, 5, dtype=torch.float64)
    x = convolved(image)
    x = x + convolved(convolved(x))
    x = convolved(x, stride=2)
    x = x + convolved(convolved(x))
    assert x.shape == (4, 4, 3, 3)
    torch.testing.assert_close(network(image), x.flatten(1) @ next(weights).T + next(weights))


def test_the_residual_mlp_equals_the_arithmetic_written_out():
    network = create_generator("residual_mlp", 5, 3, blocks=2, hidden=4).double()
    weights = iter(network.state_dict().values())

    def mapped(x):
        x = x @ next(weights).T + next(weights)
        return torch.where(x > 0, x, 0.2 * x)

    vector = torch.randn(6, 5, dtype=torch.float64)
    x = mapped(vector)
    for _ in range(2):
        x = x + mapped(mapped(x))
    torch.testing.assert_close(network(vector), x @ next(weights).T + next(weights))


def test_what_they_refuse():
    with pytest.raises(ValueError, match=r"without entry, in_channels \(=3\) must equal base_channels \(=128\)"):
        create_generator("dpig_encoder", 3, 32, entry=False)
    with pytest.raises(ValueError, match=r"height \(=0\) must be a positive integer"):
        create_generator("dpig_encoder", 3, 32, image_size=(0, 48))
    encode = create_generator("dpig_encoder", 3, 32, base_channels=2)
    with pytest.raises(ImageSizeError, match=r"for images of 48x48; got 48x24; create it with image_size=\(48, 24\)"):
        encode(torch.zeros(1, 3, 48, 24))
    with pytest.raises(ShapeError, match=r"argument 'vector': expected .*\"batch in_channels\".*shape \(1, 3, 4, 4\)"):
        create_generator("residual_mlp", 3, 32, hidden=4)(torch.zeros(1, 3, 4, 4))
    with pytest.raises(ShapeError, match=r"argument 'vector': expected .*\"batch in_channels\""):
        create_discriminator("mlp", 3, hidden=4)(torch.zeros(1, 3, 4, 4))


# Both stages. A batch carries seven boxes (top, left, bottom, right, in [-1, 1]) and whether each part is seen.

PEOPLE = (
    {"x": Image(3), "P": Heatmap(18), "M": Mask(), "boxes": Vector(28), "seen": Vector(7)}
    | {"f": Latent(FEATURES), "background": Latent(FEATURES)}
    | {f"part_{i}": Latent(FEATURES) for i in PARTS}
    | {f"e_{i}": Vector(32) for i in PARTS}
    | {"e_f": Vector(224), "e_b": Vector(128)}
)
POSE = {"joints": Vector(54), "e_p": Vector(32)}
NOISE = {"z_f": Vector(224), "z_b": Vector(128), "z_p": Vector(32)}
APPEARANCE = f"""
    x -stem-> f
    [f, M, boxes] -regions-> [{", ".join(f"part_{i}" for i in PARTS)}]
    [f, M] -outside-> background
    {" ; ".join(f"part_{i} -E-> e_{i}" for i in PARTS)}
    [{", ".join(f"e_{i}" for i in PARTS)}, seen] -visible-> e_f
    background -E_b-> e_b
"""
FUNCTIONS = ["regions", "outside", "visible"]

RECONSTRUCTION = CycleGraph(
    PEOPLE,
    maps=f"{APPEARANCE} ; [e_f, e_b, P] -G-> x*",
    functions=FUNCTIONS,
    adversaries="D: x* vs x",
    losses="x* ~ x",
    weights={"x* ~ x": 20},
    adversarial="log",
)
POSES = CycleGraph(
    POSE,
    cycles="pose: joints -E_p-> e_p -D_p-> joints* ~ joints",
    weights={"pose": 20},
    criteria={"pose": "l2"},
)
MAPPED = f"{APPEARANCE} ; joints -E_p-> e_p ; z_f -F-> e_f* ; z_b -B-> e_b* ; z_p -Q-> e_p*"
SAMPLING = CycleGraph(
    {name: domain for name, domain in PEOPLE.items() if name != "P"} | POSE | NOISE,
    maps=MAPPED,
    functions=FUNCTIONS,
    adversaries="J_f: e_f* vs e_f ; J_b: e_b* vs e_b ; J_p: e_p* vs e_p",
    adversarial="wgan",
    frozen=["stem", "E", "E_b", "E_p"],
)
POSE_SPEC = NetworkSpec("residual_mlp", hidden=8)
GENERATORS = {
    "stem": "dpig_stem",
    "E": NetworkSpec("dpig_encoder", entry=False, image_size=(SIDE, SIDE), scales=3, base_channels=FEATURES),
    "E_b": NetworkSpec("dpig_encoder", entry=False, image_size=(HEIGHT, WIDTH), scales=3, base_channels=FEATURES),
    "G": NetworkSpec("pg2_coarse", image_size=(HEIGHT, WIDTH), scales=3, base_channels=FEATURES, latent=8),
    "E_p": POSE_SPEC,
    "D_p": POSE_SPEC,
    "F": POSE_SPEC,
    "B": POSE_SPEC,
    "Q": POSE_SPEC,
}


def regions(features, mask, boxes):
    """Crop seven boxes from the foreground, each resized to a square."""
    top, left, bottom, right = boxes.unflatten(1, (7, 4)).unbind(2)
    zero = torch.zeros_like(top)
    across = torch.stack([(right - left) / 2, zero, (right + left) / 2], dim=-1)
    down = torch.stack([zero, (bottom - top) / 2, (bottom + top) / 2], dim=-1)
    affine = torch.stack([across, down], dim=2)
    size = [*features.shape[:2], SIDE, SIDE]
    return [
        nn.functional.grid_sample(
            features * mask, nn.functional.affine_grid(affine[:, i], size, align_corners=False), align_corners=False
        )
        for i in PARTS
    ]


def visible(*embeddings_and_seen):
    *embeddings, seen = embeddings_and_seen
    return torch.cat([e * seen[:, i, None] for i, e in enumerate(embeddings)], dim=1)


def built(graph):
    torch.manual_seed(0)
    return graph.build(
        generators={name: GENERATORS[name] for name in graph.generators},
        discriminators={
            name: NetworkSpec("pg2_dcgan", image_size=(HEIGHT, WIDTH), base_channels=2)
            if name == "D"
            else NetworkSpec("mlp", hidden=8)
            for name in graph.discriminators
        },
        functions={
            name: function
            for name, function in {
                "regions": regions,
                "outside": lambda features, mask: features * (1 - mask),
                "visible": visible,
            }.items()
            if name in graph.all_functions
        },
        size=(HEIGHT, WIDTH),
    )


def batch(graph):
    torch.manual_seed(1)
    carried = {
        name: 0.2
        * torch.randn(2, graph.domains[name].channels, *((HEIGHT, WIDTH) if graph.domains[name].spatial else ()))
        for name in graph.inputs
    }
    for name in graph.inputs:
        if isinstance(graph.domains[name], Mask):
            carried[name] = (carried[name] > 0).float()
    if "boxes" in carried:
        carried["boxes"] = torch.tensor([-0.5, -0.5, 0.5, 0.5]).repeat(2, 7)
        carried["seen"] = torch.ones(2, 7)
    return carried


def changed(graph):
    """Return the networks that one step changed."""
    model = built(graph)
    before = {name: value.clone() for name, value in model.named_parameters()}
    step = AdversarialStep(model, create_optimizers(model, lambda weights: torch.optim.Adam(weights, 0.01)))
    assert all(value.isfinite().all() for value in step(batch(graph)).losses.values())
    names = {*graph.generators, *graph.discriminators}
    parts = {name: set(name.split(".")) & names for name in before}
    return set().union(*(parts[name] for name, value in model.named_parameters() if not value.equal(before[name])))


def test_the_first_stage_trains():
    assert RECONSTRUCTION.networks["G"].in_channels == 224 + 128 + 18
    assert changed(RECONSTRUCTION) == {"stem", "E", "E_b", "G", "D"}


def test_the_pose_auto_encoder_trains():
    assert changed(POSES) == {"E_p", "D_p"}


@pytest.mark.filterwarnings("ignore:.*is a wgan without a penalty")
def test_the_second_stage_trains_the_noises_maps_alone():
    assert changed(SAMPLING) == {"F", "B", "Q", "J_f", "J_b", "J_p"}


@pytest.mark.filterwarnings("ignore:.*is a wgan without a penalty")
def test_a_person_is_sampled():
    drawing = SAMPLING.replace(
        signals=PEOPLE | POSE | NOISE,
        maps=f"{MAPPED} ; [e_f*, e_b*, P] -G-> x* ; e_p* -D_p-> joints*",
        frozen=[*SAMPLING.frozen, "G", "D_p"],
    )
    with pytest.warns(GraphWarning, match=r"no loss needs the signals P, x\*, joints\*"):
        model = built(drawing)
    signals = model.generate(batch(drawing))
    assert signals["x*"].shape == (2, 3, HEIGHT, WIDTH)
    assert signals["joints*"].shape == (2, 54)


def test_a_part_that_is_not_seen_says_nothing():
    carried = batch(RECONSTRUCTION)
    carried["seen"][:, 2] = 0
    embedded = built(RECONSTRUCTION).generate(carried)["e_f"]
    assert (embedded.unflatten(1, (7, 32)).abs().sum(-1) > 0)[0].tolist() == [True, True, False, True, True, True, True]
