"""Scores of whole sets against NumPy, SciPy and values worked out by hand."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from cyclekit._timm import import_over_torchvision
from cyclekit.errors import ShapeError
from cyclekit.metrics import (
    extract_features,
    frechet_distance,
    inception_score,
    kernel_distance,
)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_inception_score_by_hand():
    sure = 100 * torch.eye(5).repeat(4, 1)
    assert inception_score(sure, splits=4).mean.item() == pytest.approx(5)
    assert inception_score(torch.zeros(20, 5)).mean.item() == pytest.approx(1)
    half = torch.tensor([[0.0, -1e3], [0.0, 0.0]])  # marginal (3/4, 1/4)
    expected = math.exp((math.log(4 / 3) + 0.5 * math.log(2 / 3) + 0.5 * math.log(2)) / 2)
    assert inception_score(half, splits=1).mean.item() == pytest.approx(expected)


def test_inception_score_agrees_with_the_released_code():
    logits = normal(53, 7)
    predictions = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(1, keepdims=True)
    scores = []
    for i in range(10):
        part = predictions[i * 53 // 10 : (i + 1) * 53 // 10]
        divergence = part * (np.log(part) - np.log(part.mean(0, keepdims=True)))
        scores.append(np.exp(divergence.sum(1).mean()))
    score = inception_score(logits)
    assert score.mean.item() == pytest.approx(np.mean(scores))
    assert score.deviation.item() == pytest.approx(np.std(scores))


@settings(max_examples=20)
@given(st.integers(0, 1000), st.integers(2, 6), st.floats(0.1, 50))
def test_inception_score_is_bounded_and_blind_to_shifts(seed, classes, sharpness):
    logits = sharpness * normal(12, classes, seed=seed)
    score = inception_score(logits, splits=3).mean
    assert 1 - 1e-9 <= score.item() <= classes + 1e-9
    torch.testing.assert_close(inception_score(logits + normal(12, 1), splits=3).mean, score)


def test_inception_score_needs_an_image_a_part():
    with pytest.raises(ValueError, match="between 1 and the number of images, 5; got 10"):
        inception_score(torch.zeros(5, 3))


@pytest.mark.parametrize("rows", [200, 5])  # five rows of six features: singular covariances
def test_frechet_distance_agrees_with_scipy(rows):
    x, y = normal(rows, 6), normal(rows, 6, seed=1) @ normal(6, 6, seed=2) + 0.5
    a, b = x.numpy(), y.numpy()
    covariances = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1] + 1e-14 * np.eye(6)).real
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert frechet_distance(x, y).item() == pytest.approx(expected, rel=1e-5)


def test_frechet_distance_by_hand():
    x = torch.tensor([[-1.0], [1.0]])  # variance 2
    assert frechet_distance(3 * x + 5, x).item() == pytest.approx(25 + (math.sqrt(18) - math.sqrt(2)) ** 2)


@settings(max_examples=15)
@given(st.integers(0, 1000))
def test_frechet_distance_is_a_distance(seed):
    x, y = normal(20, 4, seed=seed), 2 * normal(30, 4, seed=seed + 1) + 1
    rotation = torch.linalg.qr(normal(4, 4, seed=seed)).Q
    torch.testing.assert_close(frechet_distance(x, y), frechet_distance(y, x))
    torch.testing.assert_close(frechet_distance(x @ rotation, y @ rotation), frechet_distance(x, y))
    assert frechet_distance(x, x).item() == pytest.approx(0, abs=1e-9)


def test_frechet_distance_refuses_one_row_and_other_features():
    with pytest.raises(ValueError, match="at least two rows; `target` has 1"):
        frechet_distance(torch.zeros(3, 2), torch.zeros(1, 2))
    with pytest.raises(ShapeError, match="features=2, got float32 tensor of shape"):
        frechet_distance(torch.zeros(3, 2), torch.zeros(3, 4))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_shows_in_every_score(value):
    rows = normal(20, 4)
    broken = rows.clone()
    broken[3, 1] = value
    scores = [
        frechet_distance(broken, rows),
        frechet_distance(rows, broken),
        kernel_distance(broken, rows, subsets=1, subset_size=20).mean,
        inception_score(broken).mean,
    ]
    assert all(score.isnan() for score in scores)


def test_kernel_distance_by_its_definition():
    x, y = normal(9, 3), normal(9, 3, seed=1) + 0.3
    within, between = 0.0, 0.0
    for i in range(9):
        for j in range(9):
            if i != j:
                within += (x[i] @ x[j] / 3 + 1).item() ** 3 + (y[i] @ y[j] / 3 + 1).item() ** 3
            between += (x[i] @ y[j] / 3 + 1).item() ** 3
    expected = within / 72 - 2 * between / 81
    score = kernel_distance(x, y, subsets=3, subset_size=9)  # whole sets, so the choice changes nothing
    assert score.mean.item() == pytest.approx(expected)
    assert score.deviation.item() == pytest.approx(0, abs=1e-12)


def test_kernel_distance_is_unbiased_and_repeatable():
    x, y = normal(400, 4), normal(400, 4, seed=1)

    def score(seed):
        return kernel_distance(x, y, 50, 100, torch.Generator().manual_seed(seed))

    assert score(0) == score(0)
    assert score(0) != score(1)
    assert abs(score(0).mean) < 3 * score(0).deviation
    assert kernel_distance(x + 1, y, 5, 100).mean > 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"subset_size": 8}, "between 2 and the smaller set, 7 rows; got 8"),
        ({"subset_size": 1}, "got 1"),
        ({"subset_size": 4, "subsets": 0}, "subsets must be at least 1, got 0"),
    ],
)
def test_kernel_distance_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        kernel_distance(torch.zeros(7, 2), torch.zeros(9, 2), **options)


def test_features_come_in_order_and_without_a_graph():
    network = nn.Sequential(nn.Conv2d(3, 2, 1), nn.AdaptiveAvgPool2d(2))
    images = torch.rand(5, 3, 8, 8)
    rows = extract_features(network, iter(images.split(2)))
    torch.testing.assert_close(rows, network(images).detach().flatten(1).double())
    assert not rows.requires_grad
    with pytest.raises(ValueError, match="`batches` is empty"):
        extract_features(network, [])


def test_masks_are_multiplied_onto_the_images():
    torch.manual_seed(0)
    images, masks = torch.rand(2, 3, 3, 4, 4), torch.rand(2, 3, 1, 4, 4).round()
    masked = extract_features(nn.Flatten(), images, masks)
    assert torch.equal(masked, (images * masks).reshape(6, 48).double())
    assert torch.equal(extract_features(nn.Flatten(), images, torch.ones_like(masks)), images.reshape(6, 48).double())
    with pytest.raises(ValueError, match="masks: expected as many batches as of images"):
        extract_features(nn.Flatten(), images, masks[:1])
    for mask in (torch.ones(1, 1, 4, 4), torch.ones(3, 4, 4)):  # torch would broadcast both of them
        with pytest.raises(ShapeError, match=r"argument 'mask': expected .* got float32 tensor of shape"):
            extract_features(nn.Flatten(), images[:1], [mask])


def test_the_scores_are_torch_fidelitys():
    isc, fid, kid = (import_over_torchvision(f"torch_fidelity.metric_{name}") for name in ("isc", "fid", "kid"))
    x, y = normal(40, 6), normal(30, 6, seed=1) + 0.5
    theirs = isc.isc_features_to_metric(x, splits=4, shuffle=False)
    assert tuple(map(float, inception_score(x, splits=4))) == pytest.approx(tuple(theirs.values()))
    statistics = [fid.fid_features_to_statistics(rows) for rows in (x, y)]
    (distance,) = fid.fid_statistics_to_metric(*statistics, verbose=False).values()
    assert frechet_distance(x, y).item() == pytest.approx(distance)
    # one subset of everything is the same subset for both
    theirs = kid.kid_features_to_metric(x[:30], y, kid_subsets=1, kid_subset_size=30, rng_seed=0, verbose=False)
    ours = kernel_distance(x[:30], y, subsets=1, subset_size=30)
    assert ours.mean.item() == pytest.approx(theirs["kernel_inception_distance_mean"])


def test_scores_compile_as_one_graph():
    x, y = normal(20, 4), normal(20, 4, seed=1)
    compiled = torch.compile(frechet_distance, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x, y), frechet_distance(x, y))
    compiled = torch.compile(inception_score, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x).mean, inception_score(x).mean)
