"""What every registered network keeps, whichever it is."""

import copy
import inspect

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from cyclekit.errors import ShapeError
from cyclekit.nets import (
    GivesFeatures,
    ImageSizeError,
    create_discriminator,
    create_generator,
    discriminators,
    generators,
)

# options that make each network tiny, and the side of the smallest square it then takes; none where it takes vectors
GENERATORS = {
    "unet_64": ({"base_channels": 2}, 64),
    "unet_128": ({"base_channels": 2}, 128),
    "unet_256": ({"base_channels": 1}, 256),
    "unet_512": ({"base_channels": 1}, 512),
    "resnet_6blocks": ({"base_channels": 2}, 8),
    "resnet_9blocks": ({"base_channels": 2}, 8),
    "resnet_encoder": ({}, 8),
    "resnet_decoder": ({}, 2),
    "pix2pixhd_global": ({"base_channels": 2}, 32),
    "pix2pixhd_local": ({"base_channels": 2}, 64),
    "stargan": ({"base_channels": 2}, 8),
    "timm_unet": ({"backbone": "test_efficientnet", "base_channels": 2}, 64),
    "pg2_coarse": ({"base_channels": 4, "image_size": (32, 32)}, 32),
    "pg2_refine": ({"base_channels": 4}, 4),
    "dpig_stem": ({}, 2),
    "dpig_encoder": ({"base_channels": 4, "image_size": (16, 16)}, 16),
    "residual_mlp": ({"hidden": 8}, None),
    "pointwise_mlp": ({"hidden": 8}, 1),
    "style_encoder": ({"base_channels": 2}, 16),
}
DISCRIMINATORS = {
    "patchgan_16": ({"base_channels": 2}, 6),
    "patchgan_70": ({"base_channels": 2}, 24),
    "patchgan_286": ({"base_channels": 2}, 96),
    "pixelgan": ({"base_channels": 2}, 2),
    "multiscale_patchgan": ({"base_channels": 2}, 5),
    "stargan": ({"base_channels": 2}, 64),
    "pg2_dcgan": ({"base_channels": 2, "image_size": (32, 32)}, 32),
    "timm_projected": ({"backbone": "test_efficientnet", "pretrained": False, "base_channels": 2}, 32),
    "mlp": ({"hidden": 8}, None),
    "diff_augment": ({"discriminator": "patchgan_16", "base_channels": 2, "pictures": (0,)}, 6),
}
UNBOUNDED = {
    "resnet_encoder",
    "pg2_refine",
    "dpig_stem",
    "dpig_encoder",
    "residual_mlp",
    "pointwise_mlp",
    "style_encoder",
}

# every value of every option that is no count; what timm decides is no option of ours
VALUES = {
    "norm": ["batch", "instance", "instance_affine", "group", "none"],
    "activation": ["relu", "leaky_relu", "silu", "gelu", "prelu"],
    "dropout": [0.0, 0.5],
    "upsample": ["deconv", "nearest", "pixelshuffle"],
    "final": ["tanh", "sigmoid", "none", (("tanh", 3), ("sigmoid", 5))],
    "full_resolution": [False, True],
    "spectral_norm": [False, True],
    "init": ["normal", "xavier", "kaiming", "c2gan", "default"],
    "entry": [True, False],
    "padding": [1, 2],
}
COUNTS = {
    *("base_channels", "blocks", "downsamplings", "features", "global_blocks", "hidden", "image_size", "latent"),
    *("layers", "levels", "local_blocks", "scales"),
}
TIMMS = {"backbone", "pretrained"}
AUGMENTS = {"discriminator", "policy", "pictures"}  # which tests/nets/test_diff_augment.py looks at


def image_of(size, batch=2, **options):
    """Return an input with 4 channels: images, or vectors where there is no size."""
    return torch.randn(batch, 4, *(() if size is None else (size, size)), **options)


def create(role, name, **options):
    table = GENERATORS if role == "generator" else DISCRIMINATORS
    options = table[name][0] | options
    return create_generator(name, 4, 8, **options) if role == "generator" else create_discriminator(name, 4, **options)


NAMES = [("generator", name) for name in GENERATORS] + [("discriminator", name) for name in DISCRIMINATORS]
SIZES = {("generator", name): size for name, (_, size) in GENERATORS.items()}
SIZES |= {("discriminator", name): size for name, (_, size) in DISCRIMINATORS.items()}


def options_of(role, name):
    """Return the names of a network's options."""
    factory = (generators if role == "generator" else discriminators).factory(name)
    settled = {"in_channels", "out_channels", "heads", *getattr(factory, "keywords", ())}
    own = inspect.signature(factory).parameters.values()
    return {option.name for option in own if option.kind is not option.VAR_KEYWORD} - settled


def one_name_a_class():
    """Yield each class under one of its names."""
    seen = set()
    for role, name in NAMES:
        factory = (generators if role == "generator" else discriminators).factory(name)
        kind = getattr(factory, "func", factory)
        if kind not in seen:
            seen.add(kind)
            yield role, name


def _cases():
    for role, name in NAMES:
        prefix = "D_" if role == "discriminator" else ""
        yield pytest.param(lambda r=role, n=name: create(r, n), SIZES[role, name], id=f"{prefix}{name}")
    yield pytest.param(
        lambda: create_discriminator("stargan", 4, heads={"cls": 3}, base_channels=2, layers=3, image_size=(16, 16)),
        16,
        id="D_stargan_heads",
    )


every_network = pytest.mark.parametrize(("created", "size"), list(_cases()))
every_name = pytest.mark.parametrize(("role", "name"), NAMES)


@pytest.fixture(autouse=True)
def _fresh_compiler():
    torch.compiler.reset()


def outputs(result):
    if isinstance(result, torch.Tensor):
        return [result]
    return list(result.values()) if isinstance(result, dict) else list(result)


def own(registry):
    """The names that the library registers; other tests and the docs' examples add some."""
    factories = {name: registry.factory(name) for name in registry.list()}
    modules = {name: getattr(factory, "func", factory).__module__ for name, factory in factories.items()}
    return {name for name, module in modules.items() if module.startswith("cyclekit.")}


def test_none_is_forgotten():
    assert own(generators) == GENERATORS.keys()
    assert own(discriminators) == DISCRIMINATORS.keys()


@every_network
def test_forward_and_backward(created, size):
    torch.manual_seed(0)
    network = created()
    results = outputs(network(image_of(size)))
    sum(result.square().mean() for result in results).backward()
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    assert trained
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in trained)


@every_network
def test_compiles_as_one_graph(created, size):
    network, image = created(), image_of(size)
    compiled = torch.compile(copy.deepcopy(network), fullgraph=True, backend="eager")
    given = []
    for call in (network, compiled):
        torch.manual_seed(0)  # the same dropout
        given.append(outputs(call(image)))
    for expected, result in zip(*given, strict=True):
        assert result.requires_grad
        torch.testing.assert_close(result, expected)


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_discriminators_give_their_features(name):
    network, image = create("discriminator", name).eval(), image_of(SIZES["discriminator", name], requires_grad=True)
    assert isinstance(network, GivesFeatures)
    judged, features = network.judge_with_features(image)
    torch.testing.assert_close(outputs(judged), outputs(network(image)))
    scales = features if isinstance(features[0], list) else [features]
    assert all(scales)
    for layer in (layer for scale in scales for layer in scale):
        (gradient,) = torch.autograd.grad(layer.square().sum(), image, retain_graph=True)
        assert gradient.abs().sum() > 0


@every_network
def test_exports(created, size):
    network = created().eval()
    example, image = image_of(size), image_of(size, 3)
    batch = {0: torch.export.Dim("batch")}
    exported = torch.export.export(network, (example,), dynamic_shapes=(batch,)).module()
    for result, expected in zip(outputs(exported(image)), outputs(network(image)), strict=True):
        torch.testing.assert_close(result, expected)


@every_network
def test_refuses_a_size_it_cannot_take(created, size):
    network = created()
    if size is None:
        with pytest.raises(ShapeError, match=r"argument 'vector': .* got float32 tensor of shape \(1, 4, 2, 2\)"):
            network(torch.zeros(1, 4, 2, 2))
        return
    network.check_size(size, size)
    for height, width in {(size, 1), (1, size), (size - 1, size - 1)} - {(size, size)}:
        with pytest.raises(ImageSizeError, match=f"got {height}x{width}"):
            network.check_size(height, width)
        with pytest.raises(ImageSizeError, match=f"got {height}x{width}"):
            network(torch.zeros(1, 4, height, width))


@every_network
def test_refuses_other_channels(created, size):
    network, image = created(), image_of(size)
    wrong = torch.cat([image, image[:, :1]], dim=1)
    shape = ", ".join(map(str, wrong.shape))
    calls = [network, *([network.judge_with_features] if isinstance(network, GivesFeatures) else [])]
    for call in calls:
        with pytest.raises(
            ShapeError,
            match=rf"{type(network).__name__} was built for .* of 4 channels; got 5, in a "
            rf"batch of shape \({shape}\): .*in_channels=5",
        ):
            call(wrong)


@pytest.mark.parametrize("name", sorted(GENERATORS.keys() - UNBOUNDED))
def test_generators_stay_in_range(name):
    image = create("generator", name)(100 * image_of(SIZES["generator", name], 1))
    assert image.shape[:2] == (1, 8)
    assert image.abs().max() <= 1


TOO_DEEP = {"unet_128", "unet_256", "unet_512", "patchgan_286"}
SMALLER = {"resnet_encoder": (32, 16), "resnet_decoder": (512, 256)}


@pytest.mark.parametrize(("role", "name"), [key for key in NAMES if SIZES[key] and key[1] not in TOO_DEEP])
def test_persons_of_128x64(role, name):
    sized = {"image_size": (128, 64)} if "image_size" in options_of(role, name) else {}
    network = create(role, name, **sized)
    network.check_size(128, 64)
    results = outputs(network(torch.randn(2, 4, 128, 64)))
    assert all(result.isfinite().all() for result in results)
    if role == "generator" and name not in ("dpig_encoder", "style_encoder"):
        assert results[0].shape == (2, 8, *SMALLER.get(name, (128, 64)))


@every_name
def test_every_option_is_known_here(role, name):
    assert options_of(role, name) - COUNTS - TIMMS - AUGMENTS <= VALUES.keys()


@pytest.mark.parametrize(
    ("role", "name", "option"),
    [
        (role, name, option)
        for role, name in one_name_a_class()
        for option in VALUES
        if option in options_of(role, name)
    ],
)
def test_every_value_makes_another_network_that_trains(role, name, option):
    values = VALUES[option] + ([("silu", "gelu")] if (name, option) == ("unet_64", "activation") else [])
    image, made = image_of(SIZES[role, name]), set()
    normed = {"norm": "batch"} if option == "init" and "norm" in options_of(role, name) else {}  # has scales to draw
    for value in values:
        torch.manual_seed(0)
        network = create(role, name, **normed, **{option: value})
        made.add((repr(network), sum(weight.abs().sum().item() for weight in network.parameters())))
        results = outputs(network(image))
        sum(result.square().mean() for result in results).backward()
        trained = [weight for weight in network.parameters() if weight.requires_grad]
        assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in trained)
    assert len(made) == len(values)


@pytest.mark.parametrize(
    ("role", "name", "option"),
    [
        (role, name, option)
        for role, name in one_name_a_class()
        for option, values in VALUES.items()
        if option in options_of(role, name) and isinstance(values[0], str)
    ],
)
def test_an_unknown_value_is_named(role, name, option):
    with pytest.raises(ValueError, match="there is no 'zzz'; known names: "):
        create(role, name, **{option: "zzz"})


@pytest.mark.parametrize(("role", "name"), list(one_name_a_class()))
def test_a_value_of_another_type_is_named(role, name):
    for option in options_of(role, name):
        with pytest.raises(ShapeError, match=rf"__init__\(\) argument '{option}': expected .*, got .*object"):
            create(role, name, **{option: object()})


@pytest.mark.parametrize("value", [-0.1, 1.0])
@pytest.mark.parametrize("name", [name for role, name in one_name_a_class() if "dropout" in options_of(role, name)])
def test_a_dropout_that_is_no_probability(name, value):
    with pytest.raises(ValueError, match=rf"dropout \(={value}\) must be a probability of at least 0, below 1"):
        create("generator", name, dropout=value)


@pytest.mark.parametrize(("role", "name"), list(one_name_a_class()))
def test_takes_spectral_norm(role, name):
    torch.manual_seed(0)
    network, image = create(role, name, spectral_norm=True), image_of(SIZES[role, name])
    for path, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            pretrained = "timm" in name and path.startswith(("encoder.", "backbone."))
            assert is_parametrized(module, "weight") is not pretrained
    sum(result.mean() for result in outputs(network(image))).backward()  # the norms' estimates move

    restored = create(role, name, spectral_norm=True)
    restored.load_state_dict(network.state_dict())
    compiled = torch.compile(copy.deepcopy(network).eval(), fullgraph=True, backend="eager")
    exported = torch.export.export(copy.deepcopy(network).eval(), (image,)).module()
    expected = outputs(network.eval()(image))
    for again in (restored.eval(), copy.deepcopy(network), compiled, exported):
        for result, wanted in zip(outputs(again(image)), expected, strict=True):
            torch.testing.assert_close(result, wanted)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@every_network
def test_half_precision(created, size, dtype):
    network = created().to("cuda", dtype)
    results = outputs(network(image_of(size, device="cuda", dtype=dtype)))
    assert all(result.dtype == dtype and result.isfinite().all() for result in results)
    sum(result.float().square().mean() for result in results).backward()
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    assert all(parameter.grad.isfinite().all() for parameter in trained)
