"""The run of a calibrated sampler against a second one, written by hand in NumPy."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import rtk
from rtk import process
from rtk.gaussian_base import GaussianBase
from rtk.noise import ChainNoise
from rtk.samplers.calibrated import Calibrated, Step
from tests.oracles import DOUBLE, Array, CountingScore, skewed

N, SEED = 20, 3
TIMES = (6.0, 1.1, 0.6, 0.25, 0.08, 0.0)
BELOW = (0.7, 0.5, 0.2, 0.0)
"""The levels that are predicted; the next nodes are at 1.53, 0.80, 0.42 and 0."""
CORRECTORS = ((0.2,), (0.3, -0.1), (0.25, -0.15, 0.05), (-0.2, 0.1, 0.07))
PREDICTORS = ((0.5,), (0.6, -0.2), (0.55, -0.3), (0.8, 0.3))
BASE = GaussianBase(torch.tensor([0.4, -0.2], dtype=DOUBLE), torch.tensor([1.4, 0.5], dtype=DOUBLE))


def sampler(below: tuple[float, ...] = BELOW) -> Calibrated:
    return Calibrated(
        BASE,
        TIMES[0],
        tuple(
            Step(TIMES[k + 1], TIMES[k + 2], CORRECTORS[k], PREDICTORS[k], below[k])
            for k in range(4)
        ),
    )


def by_hand(start: Array, noise: list[Array], below: tuple[float, ...]) -> Array:
    """All steps in ``y = x / a`` and ``sigma``, one coordinate pair at a time."""
    mean, variances = BASE.mean.numpy(), BASE.variances.numpy()
    sigmas = [math.sqrt(math.exp(2.0 * t) - 1.0) for t in TIMES]

    def flow(y: Array, sigma_from: float, sigma_to: float) -> Array:
        ratio = (variances + sigma_to**2) / (variances + sigma_from**2)
        return np.asarray(mean + np.sqrt(ratio) * (y - mean))

    def denoise(y: Array, t: float) -> Array:
        """``D = y + sigma^2 grad_y log p``, with ``grad_y = a grad_x`` at ``x = a y``."""
        a = math.exp(-t)
        score = skewed().score(torch.from_numpy(a * y), t).numpy()
        return np.asarray(y + (1.0 / a**2 - 1.0) * a * score)

    y = flow(start * math.exp(TIMES[0]), sigmas[0], sigmas[1])
    residuals: list[Array] = []
    for k in range(4):
        sigma, t = sigmas[k + 1], TIMES[k + 1]
        slope = variances / (variances + sigma**2)
        residuals.insert(0, denoise(y, t) - mean - slope * (y - mean))
        y = y + sum(c * r for c, r in zip(CORRECTORS[k], residuals, strict=False))
        y = flow(y, sigma, below[k])
        y = y + sum(p * r for p, r in zip(PREDICTORS[k], residuals, strict=False))
        if below[k] < sigmas[k + 2] - 1e-9:
            y = y + math.sqrt(sigmas[k + 2] ** 2 - below[k] ** 2) * noise.pop(0)
    return y


def draws() -> ChainNoise:
    return ChainNoise(SEED, N, (2,), dtype=DOUBLE)


def without_noise() -> tuple[float, ...]:
    return tuple(process.noise_level(t) for t in TIMES[2:])


@pytest.mark.parametrize("below", [BELOW, without_noise()])
def test_a_run_by_hand(below: tuple[float, ...]) -> None:
    noise = draws()
    first = noise.normal().numpy()
    sigma = math.sqrt(math.exp(2.0 * TIMES[0]) - 1.0)
    spread = np.sqrt(BASE.variances.numpy() + sigma**2)
    start = math.exp(-TIMES[0]) * (BASE.mean.numpy() + spread * first)
    expected = by_hand(start, [noise.normal().numpy() for _ in range(3)], below)
    options: dict[str, Any] = {"seed": SEED, "dtype": DOUBLE}
    result = rtk.sample(skewed().score, 2, N, sampler(below), 4, **options)
    np.testing.assert_allclose(result.samples.numpy(), expected, rtol=1e-10, atol=1e-10)
    assert result.nfe == 4


def test_an_own_start_is_carried_as_it_is() -> None:
    """Not drawn from the base, while the later draws stay those of the chain."""
    noise = draws()
    start = noise.normal()
    expected = by_hand(start.numpy(), [noise.normal().numpy() for _ in range(3)], BELOW)
    result = rtk.sample(
        skewed().score, 2, N, sampler(), 4, SEED, dtype=DOUBLE, x_init=start, chunk=7
    )
    np.testing.assert_allclose(result.samples.numpy(), expected, rtol=1e-10, atol=1e-10)


def test_the_base_in_other_coordinates_is_the_same_sampler() -> None:
    """The diagonal base, and the same one in full with the coordinates exchanged."""
    swap = torch.eye(2, dtype=DOUBLE).flip(0)
    full = GaussianBase(BASE.mean, BASE.variances.flip(0), swap)
    other = Calibrated(full, TIMES[0], sampler().steps)
    # The draws of the start are along the axes in both, as both roots are symmetric.
    one, two = (
        rtk.sample(skewed().score, 2, N, chosen, 4, dtype=DOUBLE).samples
        for chosen in (sampler(), other)
    )
    torch.testing.assert_close(one, two, rtol=1e-10, atol=1e-10)


def test_one_score_at_every_node() -> None:
    score = CountingScore(skewed().score)
    result = rtk.sample(score, 2, N, sampler(), 4)
    assert score.times == [*TIMES[1:-1]]
    assert score.rows == 4 * N
    ends = [(segment.t_hi, segment.t_lo, segment.nfe) for segment in result.diagnostics.segments]
    assert ends == [(TIMES[k], TIMES[k + 1], int(k > 0)) for k in range(5)]


def test_segments_of_others_are_refused() -> None:
    with pytest.raises(ValueError, match=r"none from t = 4 to 1: leave out segments="):
        rtk.sample(skewed().score, 2, N, sampler(), 9, segments=(6.0, 4.0, 1.0, 0.0))
    with pytest.raises(ValueError, match=r"begin at t_start=6, not 3"):
        rtk.sample(skewed().score, 2, N, sampler(), 4, t_start=3.0)
    with pytest.raises(ValueError, match=r"nfe=3 is below the minimum of Calibrated"):
        rtk.sample(skewed().score, 2, N, sampler(), 3)
    with pytest.raises(ValueError, match="these end at 0"):
        rtk.sample(skewed().score, 2, N, sampler(), 5, denoise=True)


def test_images_and_half_precision() -> None:
    def images(x: Tensor, t: float) -> Tensor:
        assert x.shape[1:] == (1, 2)
        return skewed().score(x.flatten(1), t).reshape(x.shape).to(torch.bfloat16)

    flat = rtk.sample(skewed().score, 2, N, sampler(), 4).samples
    found = rtk.sample(images, (1, 2), N, sampler(), 4).samples
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.flatten(1), flat, rtol=0.0, atol=0.05)
