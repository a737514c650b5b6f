"""Mixtures of images against NumPy and scipy, on images that are generated here."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from torch import Tensor

from rtk.targets import images
from rtk.targets.image_mixture import nearest_distances
from tests.oracles import DOUBLE, assert_average

SIDE = 12


def blobs(n: int, seed: int = 0) -> Tensor:
    """Images (n, 1, 12, 12) in [-1, 1]: a bright spot of random place and width on black."""
    generator = torch.Generator().manual_seed(seed)
    places = torch.rand(n, 3, generator=generator, dtype=DOUBLE)
    axis = torch.linspace(0.0, 1.0, SIDE, dtype=DOUBLE)
    x, y, width = places[:, 0, None, None], places[:, 1, None, None], 0.1 + 0.2 * places[:, 2]
    squares = (axis - x).square() + (axis[:, None] - y).square()
    spots = torch.exp(-squares / (2.0 * width[:, None, None].square()))
    return (2.0 * spots - 1.0)[:, None]


def nearest(data: Tensor) -> np.ndarray:
    """The distances to the nearest other images, by scipy."""
    flat = data.double().flatten(1).numpy()
    distances = cdist(flat, flat)
    np.fill_diagonal(distances, np.inf)
    return np.asarray(distances.min(axis=1))


def test_each_image_is_a_component() -> None:
    data = blobs(7)
    before = data.clone()
    mixture = images(data, bandwidth=0.2)
    torch.testing.assert_close(mixture.means, data.reshape(7, 144), rtol=0, atol=0)
    torch.testing.assert_close(mixture.weights, torch.full((7,), 1 / 7, dtype=DOUBLE))
    assert mixture.variances.flatten().tolist() == pytest.approx([0.04] * 7)
    mixture.means.add_(1.0)
    assert torch.equal(data, before)


@pytest.mark.parametrize("t", [0.0, 1e-3, 0.3, 2.0])
def test_density_and_score_by_the_definition(t: float) -> None:
    """Sums over the images of the noised kernel density estimate, in NumPy."""
    data, h = blobs(30), 0.15
    mixture = images(data, h)
    generator = torch.Generator().manual_seed(2)
    x = mixture.sample(9, t, generator, DOUBLE) + 0.1 * torch.randn(9, 144, generator=generator)
    away = math.exp(-t) * data.reshape(30, 144).numpy() - x.numpy()[:, None]
    variance = math.exp(-2 * t) * h**2 + 1.0 - math.exp(-2 * t)
    logits = -np.square(away).sum(axis=2) / (2 * variance) - 72 * math.log(2 * math.pi * variance)
    log_prob = logsumexp(logits, axis=1)
    share = np.exp(logits - log_prob[:, None])
    score = np.einsum("nm,nmd->nd", share, away) / variance
    np.testing.assert_allclose(mixture.log_prob(x, t), log_prob - math.log(30), rtol=1e-10)
    np.testing.assert_allclose(mixture.score(x, t), score, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(mixture.responsibilities(x, t), share, rtol=1e-7, atol=1e-12)


def test_exact_kernel_is_bayes_rule() -> None:
    """``p(z | x) p(x) = p(z) p(x | z)`` for z and x in twelve by twelve dimensions."""
    mixture, t_hi, t_lo = images(blobs(30), 0.15), 0.3, 0.1
    generator = torch.Generator().manual_seed(3)
    z = mixture.sample(8, t_lo, generator, DOUBLE)
    shrink, variance = math.exp(t_lo - t_hi), 1.0 - math.exp(2 * (t_lo - t_hi))
    noise = torch.randn(z.shape, generator=generator, dtype=DOUBLE)
    x = shrink * z + math.sqrt(variance) * noise
    forward = -noise.square().sum(1) / 2 - 72 * math.log(2 * math.pi * variance)
    kernel = mixture.reverse_transition(x, t_hi, t_lo).log_prob(z)
    expected = mixture.log_prob(z, t_lo) + forward - mixture.log_prob(x, t_hi)
    torch.testing.assert_close(kernel, expected, rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_nearest_distances_are_scipys(chunk: int) -> None:
    data = blobs(40)
    data[11] = data[30]  # an exact copy has the distance 0, without a rounding error
    distances = nearest_distances(data.flatten(1), chunk)
    np.testing.assert_allclose(distances, nearest(data), rtol=1e-12, atol=0)
    assert distances[11] == distances[30] == 0.0


def test_default_bandwidth() -> None:
    data = blobs(51)
    h = math.sqrt(images(data).variances[0].item())
    assert h == pytest.approx(0.1 * np.median(nearest(data)) / math.sqrt(2 * 144), rel=1e-12)
    # It has the units of the data, whatever their origin.
    scaled = images(127.5 * (data + 1.0)).variances[0].item()
    assert math.sqrt(scaled) == pytest.approx(127.5 * h, rel=1e-9)


def test_two_draws_of_a_component_are_a_tenth_of_the_distance_of_neighbours() -> None:
    """The mean square of the distance of about 2000 pairs, to 5 standard errors."""
    data = blobs(51)
    mixture = images(data)
    draws = mixture.sample(4000, 0.0, torch.Generator().manual_seed(4), DOUBLE)
    component, order = mixture.responsibilities(draws, 0.0).argmax(1).sort()
    pairs = draws[order].reshape(-1, 2, 144)
    same = component[::2] == component[1::2]
    squares = (pairs[:, 0] - pairs[:, 1])[same].square().sum(1)
    assert len(squares) > 1900
    assert_average(squares, (0.1 * np.median(nearest(data))) ** 2)


def test_draws_show_one_image() -> None:
    """The nearest image to a draw has nearly all its probability."""
    mixture = images(blobs(51))
    draws = mixture.sample(500, 0.0, torch.Generator().manual_seed(5), DOUBLE)
    share = mixture.responsibilities(draws, 0.0).max(1).values
    assert (share > 0.99).double().mean() > 0.9


@pytest.mark.parametrize("kind", [torch.uint8, torch.float32, torch.float16])
def test_images_of_any_real_dtype(kind: torch.dtype) -> None:
    levels = (127.5 * (blobs(5) + 1.0)).to(kind)
    mixture = images(levels)
    torch.testing.assert_close(mixture.means, levels.double().reshape(5, 144), rtol=0, atol=0)
    same = images(levels.numpy())
    assert torch.equal(mixture.means, same.means)
    assert torch.equal(mixture.variances, same.variances)


SOME = blobs(4)
BAD: dict[str, tuple[Any, Any, type[Exception], str]] = {
    "no images": (SOME[:0], 0.1, ValueError, r"shape \(n, \*shape\) .*got \(0, 1, 12, 12\)"),
    "no pixels": (torch.zeros(3, 0), 0.1, ValueError, r"got \(3, 0\)"),
    "one number each": (torch.zeros(3), 0.1, ValueError, r"got \(3,\)"),
    "not finite": (SOME / 0.0, 0.1, ValueError, "data must be finite"),
    "text": ("digits", 0.1, TypeError, "real numbers, got 'digits'"),
    "complex": (SOME + 1j, 0.1, TypeError, "real numbers, got torch.complex128"),
    "zero": (SOME, 0.0, ValueError, "bandwidth must be positive and finite, got 0.0"),
    "negative": (SOME, -0.1, ValueError, "bandwidth must be positive and finite, got -0.1"),
    "word": (SOME, "wide", TypeError, "bandwidth must be a number, got 'wide'"),
    "alone": (SOME[:1], None, ValueError, "one image alone .* give a bandwidth"),
    "copies": (SOME[[0, 0, 1, 1, 2]], None, ValueError, "half of the images .* give a bandwidth"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case: str) -> None:
    data, bandwidth, error, message = BAD[case]
    with pytest.raises(error, match=message):
        images(data, bandwidth)


def test_one_image_with_a_bandwidth_is_a_gaussian() -> None:
    mixture = images(SOME[:1], 0.5)
    x = torch.randn(3, 144, generator=torch.Generator().manual_seed(6), dtype=DOUBLE)
    torch.testing.assert_close(mixture.score(x, 0.0), (SOME[0].reshape(144) - x) / 0.25)
