"""What every registered network keeps, whichever it is."""

import copy

import pytest
import torch
from torch.nn.utils.parametrize import is_parametrized

from cyclekit.nets import (
    ImageSizeError,
    create_discriminator,
    create_generator,
    discriminators,
    generators,
)

# options that make each network tiny, and the smallest square it then takes
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
}
UNBOUNDED = {"resnet_encoder", "pg2_refine"}


def _cases():
    for name, (options, size) in GENERATORS.items():
        yield pytest.param(lambda n=name, o=options: create_generator(n, 4, 8, **o), size, id=name)
    for name, (options, size) in DISCRIMINATORS.items():
        yield pytest.param(lambda n=name, o=options: create_discriminator(n, 4, **o), size, id=f"D_{name}")
    yield pytest.param(
        lambda: create_discriminator("stargan", 4, heads={"cls": 3}, base_channels=2, layers=3, image_size=(16, 16)),
        16,
        id="D_stargan_heads",
    )


every_network = pytest.mark.parametrize(("create", "size"), list(_cases()))


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
def test_forward_and_backward(create, size):
    torch.manual_seed(0)
    network = create()
    results = outputs(network(torch.randn(2, 4, size, size)))
    sum(result.square().mean() for result in results).backward()
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    assert trained
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in trained)


@every_network
def test_compiles_as_one_graph(create, size):
    network, image = create(), torch.randn(2, 4, size, size)
    compiled = torch.compile(copy.deepcopy(network), fullgraph=True, backend="eager")
    given = []
    for call in (network, compiled):
        torch.manual_seed(0)  # the same dropout
        given.append(outputs(call(image)))
    for expected, result in zip(*given, strict=True):
        assert result.requires_grad
        torch.testing.assert_close(result, expected)


@every_network
def test_exports(create, size):
    network = create().eval()
    example, image = torch.randn(2, 4, size, size), torch.randn(3, 4, size, size)
    batch = {0: torch.export.Dim("batch")}
    exported = torch.export.export(network, (example,), dynamic_shapes=(batch,)).module()
    for result, expected in zip(outputs(exported(image)), outputs(network(image)), strict=True):
        torch.testing.assert_close(result, expected)


@every_network
def test_refuses_a_size_it_cannot_take(create, size):
    network = create()
    network.check_size(size, size)
    for height, width in [(size, 1), (1, size), (size - 1, size - 1)]:
        with pytest.raises(ImageSizeError, match=f"got {height}x{width}"):
            network.check_size(height, width)
        with pytest.raises(ImageSizeError, match=f"got {height}x{width}"):
            network(torch.zeros(1, 4, height, width))


@pytest.mark.parametrize("name", sorted(GENERATORS.keys() - UNBOUNDED))
def test_generators_stay_in_range(name):
    options, size = GENERATORS[name]
    network = create_generator(name, 4, 8, **options)
    image = network(100 * torch.randn(1, 4, size, size))
    assert image.shape[:2] == (1, 8)
    assert image.abs().max() <= 1


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_discriminators_take_spectral_norm(name):
    options, size = DISCRIMINATORS[name]
    network = create_discriminator(name, 4, spectral_norm=True, **options)
    assert any(is_parametrized(module, "weight") for module in network.modules())
    compiled = torch.compile(network, fullgraph=True, backend="eager")
    assert all(result.isfinite().all() for result in outputs(compiled(torch.randn(2, 4, size, size))))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@every_network
def test_half_precision(create, size, dtype):
    network = create().to("cuda", dtype)
    results = outputs(network(torch.randn(2, 4, size, size, device="cuda", dtype=dtype)))
    assert all(result.dtype == dtype and result.isfinite().all() for result in results)
    sum(result.float().square().mean() for result in results).backward()
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    assert all(parameter.grad.isfinite().all() for parameter in trained)
