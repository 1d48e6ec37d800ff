import copy

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from cyclekit._timm import import_timm
from cyclekit.errors import ShapeError
from cyclekit.losses import (
    PerceptualLoss,
    create_criterion,
    feature_matching,
    gram_distance,
    l1,
    nearest_neighbour,
)


class Pyramid(nn.Module):
    """A network of one's own: its features are known."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(2.0))
        self.norm = nn.BatchNorm2d(3)

    def forward(self, image):
        return [self.scale * image, image[..., ::2, ::2]]


@pytest.fixture
def images():
    return [torch.rand(2, 3, 32, 32) * 2 - 1 for _ in range(2)]


def test_feature_matching_sums_layers_and_scales():
    one, zero = torch.ones(2, 4, 3, 3), torch.zeros(2, 4, 3, 3)
    half = torch.full((2, 8), 0.5)
    assert feature_matching([one, half], [zero, half * 3]) == 1 + 1
    assert feature_matching([[one, half], [one]], [[zero, zero[:, :, 0].repeat(1, 2, 1)[:, :, 0]], [zero]]) == 2.5


def test_feature_matching_holds_the_target_fast():
    prediction, target = ([torch.randn(2, 3, requires_grad=True)] for _ in range(2))
    feature_matching(prediction, target).backward()
    assert prediction[0].grad is not None
    assert target[0].grad is None


def test_feature_matching_compiles():
    features = [[torch.randn(2, 3, 4, 4), torch.randn(2, 3, 2, 2)], [torch.randn(2, 3, 2, 2)]]
    others = [[layer + 1 for layer in scale] for scale in features]
    compiled = torch.compile(feature_matching, fullgraph=True, backend="eager")
    assert torch.equal(compiled(features, others), feature_matching(features, others))


@pytest.mark.parametrize(
    ("prediction", "target"),
    [([], []), ([torch.zeros(2)], [torch.zeros(3)]), ([torch.zeros(2)], [torch.zeros(2), torch.zeros(2)])],
)
def test_feature_matching_refuses_what_does_not_pair(prediction, target):
    with pytest.raises(ValueError, match="features: got shapes"):
        feature_matching(prediction, target)


def test_gram_distance_written_out():
    # two channels of two pixels: (1, 2) and (3, 0); Gram matrix ((5, 3), (3, 9)) / 4
    features = torch.tensor([1.0, 2.0, 3.0, 0.0]).reshape(1, 2, 1, 2)
    assert gram_distance(features, torch.zeros(1, 2, 5, 5)).item() == pytest.approx((25 + 9 + 9 + 81) / 16)
    assert gram_distance(features, features.flip(-1)) == 0


def test_gram_distance_has_the_right_gradient():
    one, other = (torch.randn(2, 3, 2, 2, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(gram_distance, (one, other))
    with pytest.raises(ShapeError, match="target"):
        gram_distance(one, other[:, :2])


def test_a_network_of_ones_own(images):
    image, other = images
    loss = PerceptualLoss(Pyramid(), weights=(10.0, 1.0))
    expected = 10 * 2 * l1(image, other) + l1(image[..., ::2, ::2], other[..., ::2, ::2])
    torch.testing.assert_close(loss(image, other), expected)


def test_distances_by_name_and_by_function(images):
    image, other = images
    gram = create_criterion("style", backbone=Pyramid(), weights=[0.0, 1.0])
    torch.testing.assert_close(gram(image, other), gram_distance(image[..., ::2, ::2], other[..., ::2, ::2]))
    assert PerceptualLoss(Pyramid(), weights=(0, 1), distance=lambda a, b: (a - a + 3).mean())(image, other) == 3
    posegan = PerceptualLoss(Pyramid(), weights=(1, 0), distance="nearest_neighbour")
    torch.testing.assert_close(posegan(image, other), nearest_neighbour(2 * image, 2 * other))


def test_the_network_is_frozen_and_no_part_of_the_model(images):
    network = Pyramid()
    model = nn.ModuleDict({"criterion": PerceptualLoss(network), "own": nn.Linear(2, 2)})
    model.train()
    assert not network.norm.training
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert set(model.state_dict()) == {"own.weight", "own.bias"}
    assert len(list(model.parameters())) == 2
    model.to(torch.float64)
    assert network.scale.dtype == torch.float64
    image = images[0].double().requires_grad_()
    model["criterion"](image, images[1].double()).backward()
    assert image.grad.abs().sum() > 0
    twin = copy.deepcopy(model).to(torch.float32)
    assert network.scale.dtype == torch.float64
    assert twin["criterion"](*images).dtype == torch.float32


def test_timm_features_are_of_normalised_images(images):
    loss = PerceptualLoss("test_resnet", layers=(0, 2), weights=(0.25, 1.0), pretrained=False)
    network = loss._frozen[0].network
    predicted, wanted = (network((image + 1 - 1) / 2 / 0.5) for image in images)  # its mean and deviation are 0.5
    expected = sum(w * (p - t).abs().mean() for w, p, t in zip((0.25, 1.0), predicted, wanted, strict=True))
    assert [tuple(layer.shape[1:]) for layer in predicted] == [(32, 16, 16), (48, 4, 4)]
    torch.testing.assert_close(loss(*images), expected, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(torch.compile(loss, fullgraph=True, backend="eager")(*images), loss(*images))


def test_timm_loads_weights_from_a_file(tmp_path, images):
    source = import_timm().create_model("test_resnet", pretrained=False)
    save_file(source.state_dict(), tmp_path / "weights.safetensors")
    overlay = {"file": str(tmp_path / "weights.safetensors")}
    losses = [
        create_criterion("perceptual", backbone="test_resnet", layers=(1,), pretrained_cfg_overlay=overlay)
        for _ in range(2)
    ]
    assert torch.equal(losses[0](*images), losses[1](*images))
    assert torch.equal(losses[0]._frozen[0].network.conv1[0].weight, source.conv1[0].weight)


def test_mistakes_are_named(images):
    with pytest.raises(TypeError, match="exportable, out_indices: for a timm model"):
        PerceptualLoss(Pyramid(), layers=(1,), exportable=True)
    with pytest.raises(ValueError, match="weights: got 3, expected one for each of the 2"):
        PerceptualLoss(Pyramid(), weights=(1, 1, 1))(*images)
    with pytest.raises(ShapeError, match="target"):
        PerceptualLoss(Pyramid())(images[0], images[1][:, :, 1:])
