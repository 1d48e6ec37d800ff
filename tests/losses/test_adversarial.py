import copy
import math
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclekit.errors import ShapeError, UnknownNameError
from cyclekit.losses import (
    AdversarialLoss,
    PointwiseLoss,
    create_adversarial_loss,
    list_adversarial_losses,
    register_adversarial_loss,
)

NAMES = ["hinge", "log", "lsgan", "nonsaturating", "relativistic", "relativistic_average", "wgan"]


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def mean(values):
    return sum(values) / len(values)


def written_out(name, real, fake):
    """Discriminator's and generators' loss of lists of numbers, as the papers write them."""
    log_real = mean([math.log(sigmoid(r)) for r in real])
    log_rejected = mean([math.log(1 - sigmoid(f)) for f in fake])
    pairs = list(zip(real, fake, strict=True))
    match name:
        case "lsgan":
            return mean([(r - 1) ** 2 for r in real]) + mean([f**2 for f in fake]), mean([(f - 1) ** 2 for f in fake])
        case "log":
            return -(log_real + log_rejected), log_rejected
        case "nonsaturating":
            return -(log_real + log_rejected), -mean([math.log(sigmoid(f)) for f in fake])
        case "hinge":
            return mean([max(0, 1 - r) for r in real]) + mean([max(0, 1 + f) for f in fake]), -mean(fake)
        case "wgan":
            return mean(fake) - mean(real), -mean(fake)
        case "relativistic":
            return (
                -mean([math.log(sigmoid(r - f)) for r, f in pairs]),
                -mean([math.log(sigmoid(f - r)) for r, f in pairs]),
            )
        case "relativistic_average":

            def of(winners, losers):
                won = mean([math.log(sigmoid(w - mean(losers))) for w in winners])
                lost = mean([math.log(1 - sigmoid(x - mean(winners))) for x in losers])
                return -won - lost

            return of(real, fake), of(fake, real)
    raise AssertionError(name)


def test_every_name_is_known():
    assert [name for name in list_adversarial_losses() if name in NAMES] == NAMES
    assert list_adversarial_losses("ls*") == ["lsgan"]


@pytest.mark.parametrize("name", NAMES)
def test_equals_the_formula(name):
    real, fake = [0.5, -1.25, 2.0, 0.0], [-0.75, 1.5, 0.25, -3.0]
    loss = create_adversarial_loss(name)
    as_map = [torch.tensor(values, dtype=torch.float64).reshape(2, 1, 2, 1) for values in (real, fake)]
    discriminator, generator = written_out(name, real, fake)
    assert loss.discriminator(*as_map).item() == pytest.approx(discriminator, rel=1e-12)
    assert loss.generator(as_map[1], as_map[0]).item() == pytest.approx(generator, rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_scales_are_summed(name):
    loss = create_adversarial_loss(name)
    real = [torch.randn(2, 1, 4, 4), torch.randn(2, 1, 2, 2)]
    fake = (torch.randn(2, 1, 4, 4), torch.randn(2, 1, 2, 2))
    summed = loss.discriminator(real[0], fake[0]) + loss.discriminator(real[1], fake[1])
    torch.testing.assert_close(loss.discriminator(real, fake), summed)
    summed = loss.generator(fake[0], real[0]) + loss.generator(fake[1], real[1])
    torch.testing.assert_close(loss.generator(fake, real), summed)


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=20)
@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=5))
def test_stays_finite_far_out(name, values):
    loss = create_adversarial_loss(name)
    fake = torch.tensor(values, requires_grad=True)
    real = -fake.detach()
    total = loss.generator(fake, real) + loss.discriminator(real, fake)
    total.backward()
    assert total.isfinite()
    assert fake.grad.isfinite().all()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "log"])
def test_the_discriminator_prefers_right_answers(name):
    loss = create_adversarial_loss(name)
    right, wrong = torch.full((3,), 1.0), torch.full((3,), -1.0)
    assert loss.discriminator(right, wrong) < loss.discriminator(wrong, right)
    assert loss.generator(right, wrong) < loss.generator(wrong, right)


def test_log_generator_saturates_and_nonsaturating_does_not():
    fake = torch.full((1,), -20.0, requires_grad=True)
    (saturating,) = torch.autograd.grad(create_adversarial_loss("log").generator(fake), fake)
    (other,) = torch.autograd.grad(create_adversarial_loss("nonsaturating").generator(fake), fake)
    assert -1e-8 < saturating.item() < 0
    assert other.item() == pytest.approx(-1)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_right(name):
    loss = create_adversarial_loss(name)
    real, fake = (torch.randn(2, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(loss.discriminator, (real, fake))
    assert torch.autograd.gradcheck(lambda fake: loss.generator(fake, real.detach()), (fake,))


@pytest.mark.parametrize("name", NAMES)
def test_real_logits_do_not_train_the_generators(name):
    loss = create_adversarial_loss(name)
    real, fake = torch.randn(3, requires_grad=True), torch.randn(3, requires_grad=True)
    loss.generator(fake, real).backward()
    assert real.grad is None
    assert fake.grad.abs().sum() > 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_logits_are_summed_in_single(name, dtype):
    loss = create_adversarial_loss(name)
    real, fake = torch.full((4,), 300.0, dtype=dtype), torch.full((4,), 260.0, dtype=dtype)
    low = loss.discriminator(real, fake)
    assert low.dtype == torch.float32
    assert torch.equal(low, loss.discriminator(real.float(), fake.float()))
    assert torch.equal(loss.generator(fake, real), loss.generator(fake.float(), real.float()))


@pytest.mark.parametrize("name", NAMES)
def test_compiles_as_one_graph(name):
    loss = create_adversarial_loss(name)
    real, fake = ([torch.randn(2, 1, 4, 4), torch.randn(2, 1, 2, 2)] for _ in range(2))

    @torch.compile(fullgraph=True, backend="eager")
    def both(real, fake):
        return loss.discriminator(real, fake), loss.generator(fake, real)

    discriminator, generator = both(real, fake)
    assert torch.equal(discriminator, loss.discriminator(real, fake))
    assert torch.equal(generator, loss.generator(fake, real))


@pytest.mark.parametrize("name", NAMES)
def test_is_a_value(name):
    loss = create_adversarial_loss(name)
    assert isinstance(loss, AdversarialLoss)
    assert loss == create_adversarial_loss(name) == copy.deepcopy(loss) == pickle.loads(pickle.dumps(loss))
    assert loss.needs_real == name.startswith("relativistic")


def test_a_users_own_loss_can_be_registered():
    own = PointwiseLoss(on_real=torch.abs, on_fake=torch.neg, to_fool=torch.square)
    register_adversarial_loss("own")(lambda: own)
    assert create_adversarial_loss("own") is own
    assert own.discriminator(torch.tensor([-2.0]), torch.tensor([1.0])) == 1
    assert own.generator(torch.tensor([3.0])) == 9


def test_errors_say_what_to_do():
    with pytest.raises(UnknownNameError, match="no adversarial loss is called 'lsgna'; did you mean 'lsgan'"):
        create_adversarial_loss("lsgna")
    with pytest.raises(ValueError, match="'lsgan' is registered already"):
        register_adversarial_loss("lsgan")(lambda: create_adversarial_loss("log"))
    with pytest.raises(ValueError, match="empty list"):
        create_adversarial_loss("lsgan").generator([])
    with pytest.raises(ShapeError, match="fake"):
        create_adversarial_loss("lsgan").generator("fake")
    loss = create_adversarial_loss("relativistic")
    with pytest.raises(ValueError, match="real: got None"):
        loss.generator(torch.zeros(2))
    with pytest.raises(ValueError, match=r"\[\(2,\)\] and \[\(3,\)\]"):
        loss.discriminator(torch.zeros(2), torch.zeros(3))
