"""ER-SDE-Solver: its orders with and without noise, and its coefficients by quadrature."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch import Tensor

import rtk
from rtk import ERSDE, segments
from rtk.laws.affine import sample_law
from rtk.samplers.base import Problem, State
from rtk.score import CountedScore
from tests.oracles import DOUBLE, ScriptedNoise, gaussian, skewed
from tests.rtk.samplers.flow import M, V, errors, signal, slopes


@pytest.mark.parametrize(("order", "reached"), [(1, 1), (2, 2), (3, 2)])
def test_order_without_noise(order: int, reached: int) -> None:
    found = slopes(errors(ERSDE(order, lambda level: level), [80, 160, 320]))
    np.testing.assert_allclose(found, reached, atol=0.1)


def test_without_noise_order_one_is_ddim() -> None:
    ours, ddim = (
        rtk.sample(skewed().score, 2, 20, method, nfe=8, seed=3, dtype=DOUBLE).samples
        for method in (ERSDE(1, lambda level: level), "ddim")
    )
    torch.testing.assert_close(ours, ddim, rtol=1e-9, atol=1e-9)


def test_order_one_with_the_noise_of_ddpm_is_ddpm() -> None:
    ours, ddpm = (
        rtk.sample(skewed().score, 2, 20, method, nfe=8, seed=3, dtype=DOUBLE).samples
        for method in (ERSDE(1, lambda level: level**2), "ddpm")
    )
    torch.testing.assert_close(ours, ddpm, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("order", "reached"), [(1, 1), (2, 2), (3, 2)])
def test_weak_order_with_the_published_noise(order: int, reached: int) -> None:
    """Mean and variance tend to those of the data."""
    a, s = signal(0.02)
    found = []
    for count in (100, 200, 400):
        times = segments.log_snr(count, 9.0, 0.02)
        law, spent = sample_law(
            gaussian(M, V).score, 1, ERSDE(order), count, segments=times, denoise=False
        )
        assert spent == count
        found.append(abs(law.mean[0] - a * M) + abs(law.variance[0] - a**2 * V - s**2))
    assert found[-1] < (5e-3 if reached == 1 else 1e-4)
    np.testing.assert_allclose(slopes(found), reached, atol=0.12)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_one_segment_by_quadrature(order: int) -> None:
    """``y_lo = r y + phi_lo int (phi' / phi^2) P``, P the Taylor polynomial, and the noise."""
    times, estimates = (0.9, 0.5, 0.3), (0.4, -0.7, 1.1)
    t_lo, x = 0.15, 0.6
    (low, *levels) = (math.sqrt(math.exp(2 * t) - 1) for t in (t_lo, 0.3, 0.5, 0.9))
    first = (estimates[2] - estimates[1]) / (levels[0] - levels[1])
    before = (estimates[1] - estimates[0]) / (levels[1] - levels[2])
    second = (first - before) / ((levels[0] - levels[2]) / 2)
    terms = [estimates[2], first, second / 2][:order]

    def phi(u: float) -> float:
        return u * (math.exp(u**0.3) + 10)

    def derivative(u: float) -> float:
        return math.exp(u**0.3) * (1 + 0.3 * u**0.3) + 10

    def integrand(u: float) -> float:
        polynomial = sum(c * (u - levels[0]) ** k for k, c in enumerate(terms))
        return derivative(u) / phi(u) ** 2 * polynomial

    ratio = phi(low) / phi(levels[0])
    y = ratio * x / signal(0.3)[0] + phi(low) * quad(integrand, low, levels[0])[0]

    def score(x: Tensor, t: float) -> Tensor:
        a, s = signal(t)
        return (a * estimates[2] - x) / s**2

    history = tuple(
        (t, torch.full((1, 1), d, dtype=DOUBLE))
        for t, d in zip(times[1::-1], estimates[1::-1], strict=True)
    )
    state = State(torch.full((1, 1), x, dtype=DOUBLE), 0.3, history=history)
    ends = [
        ERSDE(order)(
            Problem(CountedScore(score)),
            state,
            t_lo,
            1,
            ScriptedNoise(torch.full((1, 1), draw, dtype=DOUBLE)),
        )[0].x.item()
        for draw in (0.0, 1.0)
    ]
    assert ends[0] == pytest.approx(signal(t_lo)[0] * y, rel=1e-10)
    # A point mass at 0 has y ~ N(0, lambda^2) at both ends, of which ratio^2 is inherited.
    spread = math.sqrt(low**2 - (ratio * levels[0]) ** 2)
    assert ends[1] - ends[0] == pytest.approx(signal(t_lo)[0] * spread, rel=1e-10)


def test_bad_options() -> None:
    with pytest.raises(ValueError, match=r"order must be one of \(1, 2, 3\), got 4"):
        ERSDE(4)
    with pytest.raises(TypeError, match=r"noise_scale must be a function, got 2\.0"):
        ERSDE(noise_scale=2.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"noise_scale\(level\) / level must not decrease"):
        rtk.sample(skewed().score, 2, 5, ERSDE(noise_scale=lambda level: level**0.5), nfe=5)
