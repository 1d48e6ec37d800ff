import kornia
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

from cyclekit.losses import charbonnier, create_criterion, l1, nearest_neighbour, ssim_loss, total_variation


def noise(*shape, seed=0, dtype=torch.float64):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype) * 2 - 1


def test_charbonnier_written_out():
    difference = torch.tensor([0.0, 3.0, -4.0])
    assert charbonnier(difference, torch.zeros(3), epsilon=4.0).item() == pytest.approx((4 + 5 + 32**0.5) / 3)
    assert charbonnier(difference, torch.zeros(3)).item() == pytest.approx(7 / 3, abs=1e-3)


@pytest.mark.parametrize("window", [3, 7, 11])
def test_ssim_agrees_with_kornia(window):
    one, other = noise(2, 3, 16, 12), noise(2, 3, 16, 12, seed=1)
    other = 0.7 * one + 0.3 * other
    expected = 1 - kornia.metrics.ssim((one + 1) / 2, (other + 1) / 2, window, max_val=1.0, eps=0.0).mean()
    assert ssim_loss(one, other, window).item() == pytest.approx(expected.item(), abs=1e-12)


def test_ssim_agrees_with_scikit_image_inside():
    # a frame of equal pixels keeps the two ways of treating the border apart
    one, other = (
        torch.zeros(1, 1, 40, 40, dtype=torch.float64),
        torch.zeros(1, 1, 40, 40, dtype=torch.float64),
    )
    one[..., 12:28, 12:28], other[..., 12:28, 12:28] = noise(1, 1, 16, 16), noise(1, 1, 16, 16, seed=1)
    arrays = [np.asarray((image[0, 0] + 1) / 2) for image in (one, other)]
    _, similarity = structural_similarity(
        *arrays, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    assert ssim_loss(one, other).item() == pytest.approx(1 - similarity.mean(), abs=1e-9)


def test_ssim_of_equal_images_is_zero_and_of_opposite_ones_above_one():
    image = noise(1, 3, 16, 16)
    assert ssim_loss(image, image).item() == pytest.approx(0, abs=1e-12)
    assert 1 < ssim_loss(image, -image) <= 2


def test_total_variation_written_out():
    image = torch.tensor([[0.0, 1.0, 3.0], [0.0, -1.0, 0.0]])[None, None]
    vertical, horizontal = [0, 2, 3], [1, 2, 1, 1]
    assert total_variation(image).item() == pytest.approx(sum(vertical) / 3 + sum(horizontal) / 4)
    assert create_criterion("total_variation")(image) == total_variation(image)


def nearest_written_out(prediction, target, size):
    batch, channels, height, width = prediction.shape
    reach, total = size // 2, 0.0
    for b in range(batch):
        for y in range(height):
            for x in range(width):
                total += min(
                    sum(abs(float(prediction[b, c, y, x] - target[b, c, v, u])) for c in range(channels))
                    for v in range(max(0, y - reach), min(height, y + reach + 1))
                    for u in range(max(0, x - reach), min(width, x + reach + 1))
                )
    return total / (batch * height * width)


@settings(deadline=None, max_examples=20)
@given(
    height=st.integers(1, 5),
    width=st.integers(1, 5),
    size=st.sampled_from([1, 3, 5]),
    seed=st.integers(0, 99),
)
def test_nearest_neighbour_written_out(height, width, size, seed):
    one, other = noise(2, 2, height, width, seed=seed), noise(2, 2, height, width, seed=seed + 100)
    expected = nearest_written_out(one, other, size)
    assert nearest_neighbour(one, other, size).item() == pytest.approx(expected, rel=1e-12)


def test_nearest_neighbour_forgives_a_shift():
    image = noise(1, 3, 8, 8)
    shifted = image.roll((1, -1), dims=(2, 3))
    assert nearest_neighbour(shifted[..., 1:-1, 1:-1], image[..., 1:-1, 1:-1]) < l1(shifted, image)
    inner = torch.zeros(1, 3, 8, 8, dtype=torch.float64)
    inner[..., 2:6, 2:6] = image[..., 2:6, 2:6]
    assert nearest_neighbour(inner.roll((1, -1), dims=(2, 3)), inner) == 0


def _smooth(image, other):
    del other
    return create_criterion("total_variation")(image)


@pytest.mark.parametrize("name", ["charbonnier", "nearest_neighbour", "ssim", "total_variation"])
def test_contract(name):
    criterion = _smooth if name == "total_variation" else create_criterion(name)
    one, other = noise(1, 2, 7, 6), noise(1, 2, 7, 6, seed=1)
    loss = criterion(one, other)
    assert (loss.shape, loss.dtype) == ((), torch.float64)
    assert torch.equal(torch.compile(criterion, fullgraph=True, backend="eager")(one, other), loss)
    assert torch.autograd.gradcheck(lambda x: criterion(x, other), (one.requires_grad_(),))
    half = [image.detach().bfloat16() for image in (one, other)]
    assert torch.equal(criterion(*half), criterion(*(image.float() for image in half)))


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda: ssim_loss(noise(1, 1, 9, 9), noise(1, 1, 9, 9), 4), "window: got 4"),
        (
            lambda: ssim_loss(noise(1, 1, 9, 5), noise(1, 1, 9, 5)),
            "got 9x5 pixels, too few for a window of 11",
        ),
        (lambda: nearest_neighbour(noise(1, 1, 4, 4), noise(1, 1, 4, 4), 2), "size: got 2"),
        (lambda: nearest_neighbour(noise(1, 1, 4, 4), noise(1, 1, 4, 4), -1), "size: got -1"),
    ],
)
def test_mistakes_are_named(loss, message):
    with pytest.raises(ValueError, match=message):
        loss()
