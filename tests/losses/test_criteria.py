import functools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from cyclekit.errors import ShapeError, UnknownNameError
from cyclekit.losses import create_criterion, list_criteria, register_criterion


def image(*values):
    return torch.tensor(values, dtype=torch.float64).reshape(1, -1, 2, 2)


A = image(1.0, -2.0, 0.5, 3.0, 0.0, 0.0, 1.0, -1.0)
B = image(0.0, -2.0, 1.5, -1.0, 0.5, 0.0, 1.0, 1.0)
# |A - B| = 1, 0, 1, 4, 0.5, 0, 0, 2
MASK = image(1.0, 1.0, 0.0, 0.5)


def test_l1_is_the_mean_absolute_difference():
    assert create_criterion("l1")(A, B).item() == pytest.approx(8.5 / 8)


def test_l2_is_the_mean_squared_difference():
    assert create_criterion("l2")(A, B).item() == pytest.approx((1 + 1 + 16 + 0.25 + 4) / 8)


def test_masked_counts_inside_the_mask_twice():
    inside = 1 + 0 + 0 + 2 + 0.5 + 0 + 0 + 1
    assert create_criterion("masked")(A, B, MASK).item() == pytest.approx((8.5 + inside) / 8)


def test_masked_lies_between_once_and_twice_the_plain_distance():
    masked, l1 = create_criterion("masked"), create_criterion("l1")
    assert masked(A, B, torch.zeros_like(MASK)) == l1(A, B)
    assert masked(A, B, torch.ones_like(MASK)) == 2 * l1(A, B)


def softmax(logits):
    total = sum(math.exp(x) for x in logits)
    return [math.exp(x) / total for x in logits]


def test_cross_entropy_of_labels_and_of_probabilities():
    logits, target = [[1.0, -0.5, 0.25], [0.0, 2.0, -1.0]], [[0.0, 1.0, 0.0], [0.2, 0.5, 0.3]]
    expected = 0.0
    for row, wanted in zip(logits, target, strict=True):
        expected -= sum(t * math.log(p) for t, p in zip(wanted, softmax(row), strict=True)) / 2
    loss = create_criterion("cross_entropy")(torch.tensor(logits), torch.tensor(target))
    assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_binary_cross_entropy_sums_over_attributes():
    logits, target = [[1.0, -0.5, 0.25], [0.0, 2.0, -1.0]], [[0.0, 1.0, 0.0], [1.0, 1.0, 0.5]]
    expected = 0.0
    for row, wanted in zip(logits, target, strict=True):
        for x, t in zip(row, wanted, strict=True):
            p = 1 / (1 + math.exp(-x))
            expected -= (t * math.log(p) + (1 - t) * math.log(1 - p)) / 2
    loss = create_criterion("binary_cross_entropy")(torch.tensor(logits), torch.tensor(target))
    assert loss.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", ["cross_entropy", "binary_cross_entropy"])
def test_a_map_of_labels_is_averaged_over_positions(name):
    criterion = create_criterion(name)
    logits, target = torch.randn(2, 3, 2, 2), torch.eye(3)[[0, 2]]
    each = [criterion(logits[:, :, i, j], target) for i in range(2) for j in range(2)]
    torch.testing.assert_close(criterion(logits, target), torch.stack(each).mean())


CASES = {
    "l1": (A, B),
    "l2": (A, B),
    "masked": (A, B, MASK),
    "cross_entropy": (A, torch.tensor([[0.25, 0.75]], dtype=torch.float64)),
    "binary_cross_entropy": (A, torch.tensor([[0.25, 0.75]], dtype=torch.float64)),
}


@pytest.mark.parametrize("name", CASES)
def test_contract(name):
    criterion, (prediction, *others) = create_criterion(name), CASES[name]
    loss = criterion(prediction, *others)
    assert (loss.shape, loss.dtype) == ((), torch.float64)
    compiled = torch.compile(criterion, fullgraph=True, backend="eager")
    assert torch.equal(compiled(prediction, *others), loss)
    moved = (prediction + 0.01).requires_grad_()  # away from the kink of |x|
    assert torch.autograd.gradcheck(lambda x: criterion(x, *others), (moved,))
    half = [one.bfloat16() for one in (prediction, *others)]
    assert torch.equal(criterion(*half), criterion(*(one.float() for one in half)))


@pytest.mark.parametrize("name", CASES)
def test_shapes_that_do_not_fit_are_refused(name):
    prediction, target, *extras = CASES[name]
    with pytest.raises(ShapeError, match="target"):
        create_criterion(name)(prediction, target[:, :1], *extras)


MAPS = [torch.empty(2, 3, 16, 16, device="meta")] * 2
WITHOUT_DATA = {name: MAPS for name in list_criteria() if name not in ("perceptual", "style")} | {
    "masked": [*MAPS, MAPS[0][:, :1]],
    "total_variation": MAPS[:1],
    "cross_entropy": [MAPS[0], MAPS[0][:, :, 0, 0]],
    "binary_cross_entropy": [MAPS[0], MAPS[0][:, :, 0, 0]],
    "feature_matching": [MAPS, MAPS],
}


def test_a_map_of_classes_is_compared_position_by_position():
    torch.manual_seed(0)
    logits, classes = torch.randn(2, 4, 5, 5, dtype=torch.float64), torch.randint(5, (2, 5, 5))
    one_hot = torch.nn.functional.one_hot(classes, 5)[..., :4].permute(0, 3, 1, 2).double()
    expected = torch.nn.functional.cross_entropy(logits, classes, ignore_index=4)
    torch.testing.assert_close(create_criterion("cross_entropy")(logits, one_hot), expected)
    with pytest.raises(ValueError, match=r"target: got shape \(2, 4, 4, 5\), expected the prediction's \(2, 4, 5, 5\)"):
        create_criterion("cross_entropy")(logits, one_hot[:, :, 1:])


@given(st.integers(1, 3), st.integers(1, 4))
def test_the_divergence_of_normal_distributions(batch, channels):
    mean, log_variance = torch.randn(2, batch, channels, 2, 2, dtype=torch.float64)
    normal = torch.distributions.Normal(mean, (log_variance / 2).exp())
    divergence = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0))
    kl = create_criterion("kl")
    torch.testing.assert_close(kl(mean, log_variance), divergence.sum((1, 2, 3)).mean())
    torch.testing.assert_close(kl(mean), kl(mean, torch.zeros_like(mean)))


@pytest.mark.parametrize("name", WITHOUT_DATA)
def test_no_value_is_read_on_the_host(name):
    assert create_criterion(name)(*WITHOUT_DATA[name]).device.type == "meta"


def test_options_are_bound_or_refused():
    @register_criterion("duskier")
    def duskier(prediction, target, margin=0.0):
        return (target - prediction - margin).relu().mean()

    assert create_criterion("duskier") is duskier
    bound = create_criterion("duskier", margin=0.25)
    assert isinstance(bound, functools.partial)
    assert bound(torch.zeros(2), torch.ones(2)) == 0.75
    with pytest.raises(TypeError, match=r"criterion 'duskier'.*'edge'"):
        create_criterion("duskier", edge=1)


def test_modules_are_made():
    @register_criterion("scaled")
    class Scaled(nn.Module):
        def __init__(self, scale=1.0):
            super().__init__()
            self.scale = scale

        def forward(self, prediction, target):
            return self.scale * (prediction - target).abs().sum()

    criterion = create_criterion("scaled", scale=3.0)
    assert isinstance(criterion, Scaled)
    assert criterion(torch.ones(2), torch.zeros(2)) == 6


def test_names():
    assert set(list_criteria()) >= set(CASES)
    assert list_criteria("l?") == ["l1", "l2"]
    with pytest.raises(UnknownNameError, match="no criterion is called 'mask'; did you mean 'masked'"):
        create_criterion("mask")
    with pytest.raises(ValueError, match="'l1' is registered already"):
        register_criterion("l1")(lambda prediction, target: prediction)
