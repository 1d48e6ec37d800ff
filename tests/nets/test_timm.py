import pytest
import torch

from cyclekit.nets import ImageSizeError, create_discriminator, create_generator


@pytest.mark.parametrize("backbone", ["test_resnet", "test_convnext", "test_efficientnet_gn"])
def test_any_backbone_any_channels_non_square(backbone):
    network = create_generator("timm_unet", 6, 2, backbone=backbone, base_channels=2)
    image = network(torch.randn(2, 6, 64, 96))
    assert image.shape == (2, 2, 64, 96)
    image.sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())


def test_a_backbone_of_one_size_and_one_resolution():
    network = create_generator("timm_unet", 3, 3, backbone="test_vit", base_channels=2)
    size = 160
    assert network(torch.zeros(1, 3, size, size)).shape == (1, 3, size, size)
    with pytest.raises(ImageSizeError, match="'test_vit' takes images of 160x160 only; got 64x64"):
        network.check_size(64, 64)


def test_an_unknown_backbone_is_named():
    with pytest.raises(ValueError, match=r"timm has no model called 'resnet181'; did you mean .*'resnet18'"):
        create_generator("timm_unet", 3, 3, backbone="resnet181")


def test_images_come_to_the_backbones_statistics():
    network = create_generator("timm_unet", 5, 3, backbone="test_resnet", base_channels=2)
    seen = []
    network.encoder.network.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    image = torch.rand(1, 5, 64, 64) * 2 - 1
    network(image)
    # this backbone's mean and deviation are 0.5 in every channel, so [-1, 1] stays as it is
    torch.testing.assert_close(seen[0], image)


def projected(**options):
    options = {"backbone": "test_resnet", "pretrained": False, "base_channels": 2} | options
    return create_discriminator("timm_projected", 3, **options)


def test_the_backbone_is_frozen_and_passes_gradients_on():
    network = projected().train()
    assert not any(module.training for module in network.backbone.modules())
    before = {name: value.clone() for name, value in network.backbone.state_dict().items()}
    image = torch.randn(2, 3, 64, 64, requires_grad=True)
    sum(logits.mean() for logits in network(image)).backward()
    assert image.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in network.backbone.parameters())
    assert all(parameter.grad is not None for parameter in network.heads.parameters())
    torch.testing.assert_close(network.backbone.state_dict(), before)


def test_one_map_for_each_resolution():
    shapes = [tuple(logits.shape[1:]) for logits in projected(features=2)(torch.randn(1, 3, 96, 64))]
    assert shapes == [(1, 6, 4), (1, 3, 2)]
    assert len(projected(features=9).heads) == 5
