"""PSNR and the SSIM family against scikit-image, Kornia and values worked out by hand."""

import kornia
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from cyclekit.errors import ShapeError
from cyclekit.metrics import mask_ssim, ms_ssim, psnr, ssim

GAUSSIAN = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


def pair(height: int = 40, width: int = 24, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    target = torch.rand(3, 3, height, width, generator=generator)
    image = (target + 0.2 * torch.randn(target.shape, generator=generator)).clamp(0, 1)
    image[1] *= 0.5
    return image, target


def arrays(images: Tensor) -> np.ndarray:
    return images.double().permute(0, 2, 3, 1).numpy()


def assert_near(got: Tensor, expected: list[float]) -> None:
    torch.testing.assert_close(got, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-5)


def test_psnr_by_hand():
    target = torch.zeros(3, 3, 4, 4)
    image = target + torch.tensor([0.1, 0.01, 0.5]).view(3, 1, 1, 1)
    assert_near(psnr(image, target), [20, 40, 6.020600])
    assert_near(psnr(image * 255, target, data_range=255), [20, 40, 6.020600])
    assert psnr(target, target).isinf().all()


def test_psnr_agrees_with_scikit_image():
    image, target = pair()
    expected = [peak_signal_noise_ratio(t, i, data_range=1) for i, t in zip(*map(arrays, (image, target)), strict=True)]
    assert_near(psnr(image, target), expected)


@pytest.mark.parametrize("sides", [(40, 24), (11, 11), (17, 30)])
@pytest.mark.parametrize("protocol", ["skimage", "gaussian", "gaussian_own_range"])
def test_ssim_agrees_with_scikit_image(protocol, sides):
    image, target = pair(*sides)
    expected = [
        structural_similarity(
            t,
            i,
            channel_axis=-1,
            data_range=i.max() - i.min() if protocol == "gaussian_own_range" else 1,
            **({} if protocol == "skimage" else GAUSSIAN),
        )
        for i, t in zip(arrays(image), arrays(target), strict=True)
    ]
    assert_near(ssim(image, target, protocol), expected)


def poseganic(image: np.ndarray, target: np.ndarray) -> float:
    """PoseGAN's score of bytes, as scikit-image 0.14 computed it; scipy's Gaussian has 13 taps unless told."""
    data_range = float(image.max() - image.min())
    maps = []
    for channel in range(image.shape[-1]):
        x, y = (one[..., channel].astype(np.float64) for one in (target, image))
        mx, my, mxx, myy, mxy = (gaussian_filter(one, 1.5) for one in (x, y, x * x, y * y, x * y))
        c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
        similarity = (2 * mx * my + c1) * (2 * (mxy - mx * my) + c2)
        similarity /= (mx**2 + my**2 + c1) * (mxx - mx**2 + myy - my**2 + c2)
        maps.append(similarity[5:-5, 5:-5].mean())
    return float(np.mean(maps))


@pytest.mark.parametrize("sides", [(128, 64), (11, 11), (17, 30)])
def test_posegans_ssim_is_that_of_scikit_image_0_14_on_bytes(sides):
    assert gaussian_filter(np.eye(1, 41, 20)[0], 1.5).astype(bool).sum() == 13
    image, target = pair(*sides)
    image = ((255 * image).floor().clamp(0, 254) + 0.7) / 255  # between grey levels, whichever way it is computed
    target = (255 * target).byte() / 255  # of a file, in float32
    images = (255 * arrays(image)).astype(np.uint8)  # cut, as `deprocess_image` does
    targets = np.rint(255 * arrays(target)).astype(np.uint8)
    assert_near(ssim(image, target, "posegan"), [poseganic(*both) for both in zip(images, targets, strict=True)])
    difference = (ssim(image, target, "posegan") - ssim(image, target, "gaussian_own_range")).abs().max()
    assert 1e-5 < difference < 1e-2


def test_every_byte_is_its_own_grey_level_for_posegan():
    levels = torch.arange(256, dtype=torch.float32).view(1, 1, 16, 16)
    for dtype in (torch.float32, torch.float64):
        images = (levels / 255).to(dtype)
        assert_near(ssim(images, images + 0.9 / 255, "posegan"), [1.0])
        assert ssim(images, images + 1.1 / 255, "posegan") < 1 - 1e-6


def test_gaussian_ssim_agrees_with_kornia():
    image, target = pair()
    expected = kornia.metrics.ssim(image.double(), target.double(), 11, padding="valid").mean(dim=(1, 2, 3))
    assert_near(ssim(image, target, "gaussian"), expected.tolist())


@pytest.mark.parametrize("protocol", ["skimage", "gaussian"])
def test_a_data_range_of_255_is_the_same_picture(protocol):
    image, target = pair()
    torch.testing.assert_close(
        ssim(image * 255, target * 255, protocol, 255.0),
        ssim(image, target, protocol),
        atol=1e-6,
        rtol=0,
    )


def test_a_given_data_range_replaces_the_protocols():
    image, target = pair()
    torch.testing.assert_close(ssim(image, target, "gaussian_own_range", 1.0), ssim(image, target, "gaussian"))
    flat = torch.full((1, 3, 16, 16), 51 / 255), torch.full((1, 3, 16, 16), 102 / 255)
    torch.testing.assert_close(ssim(*flat, "posegan", 1.0), ssim(*flat, "gaussian"))


def test_constant_images_by_hand():
    # No contrast on either side, so the second factor is 1 and the first is (2ab + c1) / (a² + b² + c1).
    a, b = torch.full((1, 3, 16, 16), 0.25), torch.full((1, 3, 16, 16), 0.75)
    expected = [(2 * 0.25 * 0.75 + 1e-4) / (0.25**2 + 0.75**2 + 1e-4)]
    assert_near(ssim(a, b), expected)
    assert_near(ssim(a, b, "gaussian"), expected)
    c1 = (0.01 / 255) ** 2
    assert_near(ssim(a, b, "gaussian_own_range"), [(2 * 0.25 * 0.75 + c1) / (0.25**2 + 0.75**2 + c1)])
    assert_near(ssim(a, b, "posegan"), [(2 * 63 * 191 + 1e-4) / (63**2 + 191**2 + 1e-4)])
    for protocol in ("gaussian_own_range", "posegan"):
        assert_near(ssim(a, torch.rand(1, 3, 16, 16), protocol), [0.0])


@settings(max_examples=15)
@given(st.integers(0, 1000), st.sampled_from(["skimage", "gaussian"]))
def test_ssim_is_symmetric_bounded_and_one_for_equals(seed, protocol):
    image, target = pair(16, 16, seed)
    score = ssim(image, target, protocol)
    torch.testing.assert_close(score, ssim(target, image, protocol))
    assert (score.abs() < 1).all()
    assert_near(ssim(image, image, protocol), [1.0, 1.0, 1.0])


def test_images_are_scored_alone():
    image, target = pair()
    for metric in (psnr, ssim):
        torch.testing.assert_close(metric(image, target)[1:2], metric(image[1:2], target[1:2]))


def test_half_precision_is_scored_in_double():
    image, target = (x.half() for x in pair())
    torch.testing.assert_close(ssim(image, target), ssim(image.double(), target.double()))


def test_mask_ssim_is_the_papers():
    image, target = pair()
    mask = torch.zeros(3, 1, 40, 24)
    mask[:, :, 8:30, 6:20] = 1
    images, targets = ((255 * arrays(images * mask)).astype(np.uint8) for images in (image, target))
    expected = [poseganic(*both) for both in zip(images, targets, strict=True)]
    assert_near(mask_ssim(image, target, mask), expected)


def test_mask_ssim_of_an_empty_mask_is_nothing():
    image, target = pair()
    mask = torch.ones(3, 1, 40, 24)
    mask[1] = 0
    assert mask_ssim(image, target, mask).isnan().tolist() == [False, True, False]
    for wrong in (2 * mask - 1, 255 * mask):
        with pytest.raises(ValueError, match=r"mask: got values from .*, expected \[0, 1\]"):
            mask_ssim(image, target, wrong)


@pytest.mark.parametrize("metric", [psnr, ssim, lambda x, y: ssim(x, y, "posegan"), mask_ssim, ms_ssim])
@pytest.mark.parametrize("wrong", [lambda x: 2 * x - 1, lambda x: 255 * x], ids=["signed", "bytes"])
def test_images_on_another_scale_are_refused(metric, wrong):
    image, target = pair(176, 176)
    mask = (torch.ones(3, 1, 176, 176),) if metric is mask_ssim else ()
    with pytest.raises(ValueError, match=r"image: got values from .*, expected \[0, 1\]; bring \[-1, 1\] there"):
        metric(wrong(image), wrong(target), *mask)
    with pytest.raises(ValueError, match="target: got values from"):
        metric(image, wrong(target), *mask)
    assert metric(1.1 * image - 0.05, target, *mask).isfinite().all()


def test_mask_ssim_ignores_what_is_outside():
    image, target = pair()
    mask = torch.zeros(3, 1, 40, 24)
    mask[..., :20, :] = 1
    other = torch.where(mask.bool(), image, 1 - image)
    torch.testing.assert_close(mask_ssim(image, target, mask), mask_ssim(other, target, mask))
    with pytest.raises(ShapeError, match="with batch=3, height=40, width=24"):
        mask_ssim(image, target, mask[..., :12])


def test_ms_ssim_against_its_definition():
    image, target = pair(176, 180)
    images, targets = arrays(image), arrays(target)
    expected = []
    for x, y in zip(images, targets, strict=True):
        channels = []
        for channel in range(3):
            a, b, product = x[..., channel], y[..., channel], 1.0
            for level, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
                luminance, contrast = _parts(a, b)
                product *= float((luminance * contrast if level == 4 else contrast).mean()) ** weight
                a, b = _halve(a), _halve(b)
            channels.append(product)
        expected.append(float(np.mean(channels)))
    assert_near(ms_ssim(image, target), expected)
    assert_near(ms_ssim(image, image), [1.0, 1.0, 1.0])


def _parts(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    taps = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = np.outer(taps, taps) / taps.sum() ** 2

    def mean(x: np.ndarray) -> np.ndarray:
        return (np.lib.stride_tricks.sliding_window_view(x, (11, 11)) * window).sum((-1, -2))

    ma, mb = mean(a), mean(b)
    va, vb, vab = mean(a * a) - ma**2, mean(b * b) - mb**2, mean(a * b) - ma * mb
    return (2 * ma * mb + 1e-4) / (ma**2 + mb**2 + 1e-4), (2 * vab + 9e-4) / (va + vb + 9e-4)


def _halve(x: np.ndarray) -> np.ndarray:
    x = x[: len(x) // 2 * 2, : x.shape[1] // 2 * 2]
    return (x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) / 4


def test_opposite_images_score_zero_in_ms_ssim():
    image = torch.rand(1, 1, 176, 176)
    assert ms_ssim(1 - image, image).item() == 0


def test_too_small_images_are_refused():
    small = torch.zeros(1, 3, 6, 32)
    with pytest.raises(ValueError, match="7x7 window is larger than the image, 6x32 px"):
        ssim(small, small)
    with pytest.raises(ValueError, match="11x11 window is larger than the image, 10x10 px"):
        ssim(torch.zeros(1, 3, 10, 10), torch.zeros(1, 3, 10, 10), "gaussian")
    with pytest.raises(ValueError, match="at least 176 px, got 175x200 px"):
        ms_ssim(torch.zeros(1, 3, 175, 200), torch.zeros(1, 3, 175, 200))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_pixel_that_is_not_finite_spoils_its_image_alone(value):
    image, target = pair(176, 176)
    broken = image.clone()
    broken[0, 1, 90, 90] = value
    for metric in (ssim, lambda x, y: ssim(x, y, "gaussian"), lambda x, y: ssim(x, y, "posegan"), ms_ssim):
        score = metric(broken, target)
        assert score[0].isnan()
        torch.testing.assert_close(score[1:], metric(image, target)[1:])
    score = psnr(broken, target)
    assert not score[0].isfinite()
    torch.testing.assert_close(score[1:], psnr(image, target)[1:])


@pytest.mark.parametrize("data_range", [0.0, -1.0, float("nan"), float("inf")])
def test_a_data_range_must_be_positive(data_range):
    image, target = pair(176, 176)
    for metric in (psnr, ssim, ms_ssim):
        with pytest.raises(ValueError, match=rf"data_range must be positive and finite, got {data_range}"):
            metric(image, target, data_range=data_range)


def test_unknown_protocol_and_unequal_shapes():
    image, target = pair()
    with pytest.raises(ValueError, match="argument 'protocol': there is no 'sk'; known names: gaussian"):
        ssim(image, target, "sk")
    with pytest.raises(ShapeError, match=r"psnr\(\) argument 'target': .* tensor of shape \(2, 3, 40"):
        psnr(image, target[:2])


@pytest.mark.parametrize(
    "metric",
    [psnr, ssim, lambda x, y: ssim(x, y, "gaussian_own_range"), lambda x, y: mask_ssim(x, y, y[:, :1], "gaussian")],
    ids=["psnr", "ssim", "gaussian_own_range", "mask_ssim"],
)
def test_compiles_as_one_graph_and_is_differentiable(metric):
    # Without clipped pixels: where the largest value comes twice, an image's own range has no gradient.
    image, target = torch.rand(2, 1, 1, 12, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        torch.compile(metric, fullgraph=True, backend="eager")(image, target), metric(image, target)
    )
    torch.autograd.gradcheck(lambda x: metric(x, target), image.requires_grad_())
