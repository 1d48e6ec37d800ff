import pytest
import torch
from torch import nn

from cyclekit.errors import ShapeError
from cyclekit.losses import (
    create_penalty,
    list_penalties,
    r1_penalty,
    r2_penalty,
    register_penalty,
    wgan_gp_penalty,
)


def quadratic(x):
    """A map of two logits a sample, whose sum x₀² + 3 x₁ has the gradient (2 x₀, 3)."""
    return torch.stack([x[:, 0] ** 2, 3 * x[:, 1]], 1)


POINTS = torch.tensor([[1.0, 5.0], [-2.0, 0.0], [0.5, 1.0]])
SQUARED_NORMS = [4 + 9, 16 + 9, 1 + 9]


@pytest.mark.parametrize("penalty", [r1_penalty, r2_penalty])
def test_squared_norm_of_the_gradient(penalty):
    assert penalty(quadratic, POINTS).item() == pytest.approx(sum(SQUARED_NORMS) / 3)


def test_the_mean_of_two_logits_has_half_the_gradient_of_their_sum():
    for name, penalty in (("r1", r1_penalty), ("r2", r2_penalty)):
        halved = penalty(quadratic, POINTS, reduction="mean")
        assert halved.item() == pytest.approx(sum(SQUARED_NORMS) / 3 / 4)
        assert create_penalty(name, reduction="mean")(quadratic, real=POINTS, fake=POINTS) == halved
    real = torch.tensor([[1.0, 0.0]])
    flat = wgan_gp_penalty(quadratic, real, real, reduction="mean")
    assert flat.item() == pytest.approx((13**0.5 / 2 - 1) ** 2)


def test_stargans_norm_is_that_of_its_code():
    """StarGAN's loop takes the gradient of its map of logits with a weight of one each."""
    discriminator = nn.Sequential(nn.Conv2d(3, 4, 4, 2, 1), nn.Tanh(), nn.Conv2d(4, 1, 3, 1, 1))
    image = torch.rand(2, 3, 8, 8)
    point = image.clone().requires_grad_()
    logits = discriminator(point)
    (slope,) = torch.autograd.grad(logits, point, torch.ones_like(logits))
    expected = (slope.flatten(1).norm(dim=1) - 1).square().mean()
    torch.testing.assert_close(wgan_gp_penalty(discriminator, image, image), expected)


def test_scales_are_summed():
    both = r1_penalty(lambda x: [quadratic(x), quadratic(x)[:, :, None, None]], POINTS)
    assert both.item() == pytest.approx(4 * sum(SQUARED_NORMS) / 3)


def test_one_logit_a_sample_may_have_no_axis():
    assert r1_penalty(lambda x: x[:, 0] ** 2, POINTS).item() == pytest.approx((4 + 16 + 1) / 3)


def test_wgan_gp_looks_between_the_batches():
    # x₁ does not matter to the gradient's norm; x₀ is 1 everywhere between equal ends
    real, fake = torch.tensor([[1.0, 0.0]] * 4), torch.tensor([[1.0, 9.0]] * 4)
    assert wgan_gp_penalty(quadratic, real, fake).item() == pytest.approx((13**0.5 - 1) ** 2)
    seen = []
    wgan_gp_penalty(lambda x: seen.append(x.detach()) or quadratic(x), real, fake)
    assert ((seen[0][:, 1] > 0) & (seen[0][:, 1] < 9)).all()
    assert len(seen[0][:, 1].unique()) == 4


def test_wgan_gp_of_a_flat_critic_has_a_gradient():
    flat = nn.Linear(2, 1)
    nn.init.zeros_(flat.weight)
    penalty = wgan_gp_penalty(flat, POINTS, POINTS)
    penalty.backward()
    assert penalty == 1
    assert flat.weight.grad.isfinite().all()


def test_trains_the_discriminator_and_not_the_generators():
    discriminator = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Conv2d(4, 1, 3))
    real, fake = (torch.randn(2, 3, 8, 8, requires_grad=True) for _ in range(2))
    total = r1_penalty(discriminator, real) + r2_penalty(discriminator, fake)
    (total + wgan_gp_penalty(discriminator, real, fake)).backward()
    assert discriminator[0].weight.grad.abs().sum() > 0
    assert real.grad is None
    assert fake.grad is None


def test_gradient_by_the_weights_is_right():
    x = torch.randn(3, 2, dtype=torch.float64)

    def penalty(weight):
        return r1_penalty(lambda x: (x @ weight).tanh(), x)

    weight = torch.randn(2, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(penalty, (weight,))


def test_works_where_gradients_are_off():
    with torch.no_grad():
        assert r1_penalty(quadratic, POINTS).item() == pytest.approx(16)


def test_shapes_are_checked():
    with pytest.raises(ShapeError, match="fake"):
        wgan_gp_penalty(quadratic, POINTS, POINTS[:2])


def test_classes_and_options_are_registered_too():
    @register_penalty("test_scaled")
    def scaled(discriminator, real, fake, scale=1.0):
        return scale * discriminator(real).mean()

    @register_penalty("test_held")
    class Held(nn.Module):
        def __init__(self, scale=2.0):
            super().__init__()
            self.scale = scale

        def forward(self, discriminator, real, fake):
            return self.scale * discriminator(real).mean()

    ones = torch.ones(2, 1)
    assert create_penalty("test_scaled", scale=3.0)(torch.positive, ones, ones) == 3
    assert create_penalty("test_held")(torch.positive, ones, ones) == 2
    assert create_penalty("test_held", scale=5.0)(torch.positive, ones, ones) == 5
    assert list_penalties("test_*") == ["test_held", "test_scaled"]
    with pytest.raises(TypeError, match="penalty 'test_scaled': got an unexpected keyword argument 'size'"):
        create_penalty("test_scaled", size=1)
