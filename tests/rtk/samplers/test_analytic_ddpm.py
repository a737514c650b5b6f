"""Analytic-DPM: its moments in closed form, and its step, which is exact on isotropic Gaussians."""

import math

import numpy as np
import pytest
import torch

import rtk
from rtk import AnalyticDDPM, segments
from rtk.laws.affine import sample_law
from rtk.samplers.analytic_ddpm import SecondMoments, second_moments
from tests.oracles import DOUBLE, CountingScore, assert_moments, gaussian, mixture_moments, skewed
from tests.rtk.samplers.flow import M, V, signal

TIMES = segments.log_snr(5, 4.0, 0.05)


def gaussian_share(t: float) -> float:
    """``s^2 Gamma`` of ``N(M, V)``: the score has the variance ``1 / (a^2 V + s^2)``."""
    a, s = signal(t)
    return s**2 / (a**2 * V + s**2)


EXACT = SecondMoments(TIMES, tuple(gaussian_share(t) for t in TIMES), 0)


def test_moments_of_a_gaussian() -> None:
    """n = 40 000: the square of a normal has the variance 2, so 5 sigma are 0.035 relative."""
    score = CountingScore(gaussian(M, V).score)
    data = gaussian(M, V).sample(40_000, generator=torch.Generator().manual_seed(1), dtype=DOUBLE)
    moments = second_moments(score, data, TIMES, seed=2)
    assert moments.times == TIMES
    assert moments.evaluations == score.rows == 40_000 * len(TIMES)
    np.testing.assert_allclose(
        moments.noise_share, EXACT.noise_share, rtol=5 * math.sqrt(2 / 40_000)
    )


def test_moments_between_the_times() -> None:
    """Linear in log-SNR: by hand in the middle of two times."""
    assert EXACT.at(TIMES[2]) == pytest.approx(EXACT.noise_share[2], rel=1e-12)
    middle = rtk.process.time_from_log_snr(
        (rtk.process.log_snr(TIMES[1]) + rtk.process.log_snr(TIMES[2])) / 2
    )
    assert EXACT.at(middle) == pytest.approx(sum(EXACT.noise_share[1:3]) / 2, rel=1e-12)


def test_kernels_of_a_gaussian_are_exact() -> None:
    """Whatever the segments: the law at the end is that of the start carried by the true kernels.

    The kernel of ``N(M, V)`` multiplies the deviation from the mean by
    ``e^-(t_hi - t_lo) V_lo / V_hi`` and adds the variance that is then missing.
    """
    law, spent = sample_law(
        gaussian(M, V).score, 1, AnalyticDDPM(EXACT), 5, segments=TIMES, denoise=False
    )
    assert spent == 5
    mean, variance = -math.exp(-TIMES[0]) * M, 1.0
    widths = [math.exp(-2 * t) * V + 1 - math.exp(-2 * t) for t in TIMES]
    for k in range(5):
        factor = math.exp(TIMES[k + 1] - TIMES[k]) * widths[k + 1] / widths[k]
        mean *= factor
        variance = widths[k + 1] + factor**2 * (variance - widths[k])
    assert law.mean[0] == pytest.approx(math.exp(-TIMES[-1]) * M + mean, rel=1e-10)
    assert law.variance[0] == pytest.approx(variance, rel=1e-10)


def test_law_on_a_skewed_mixture() -> None:
    """n = 8192 with few segments: better than DDPM, whose variance is too small."""
    target = skewed()
    grid = segments.log_snr(30, 5.0, 0.001)
    data = target.sample(20_000, generator=torch.Generator().manual_seed(1))
    sampler = AnalyticDDPM(second_moments(target.score, data, grid))
    result = rtk.sample(target.score, 2, 8192, sampler, 31, 11, segments=grid)
    assert result.nfe == 31
    assert_moments(result.samples, *mixture_moments(target), 0.02)
    plain = rtk.sample(target.score, 2, 8192, "ddpm", 31, 11, segments=grid)
    with pytest.raises(AssertionError):
        assert_moments(plain.samples, *mixture_moments(target), 0.1)


def test_step_to_zero_is_the_estimate() -> None:
    result, ddpm = (
        rtk.sample(gaussian(M, V).score, 1, 9, method, 5, 3, dtype=DOUBLE, segments=(0.2, 0.0))
        for method in (AnalyticDDPM(EXACT), "ddpm")
    )
    torch.testing.assert_close(result.samples, ddpm.samples)


def test_bad_input() -> None:
    score, data = gaussian(M, V).score, torch.zeros(4, 1)
    with pytest.raises(TypeError, match="moments must be those of second_moments"):
        AnalyticDDPM(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="data must be a tensor of float32 or float64, got list"):
        second_moments(score, [[0.0]], TIMES)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"shape \(n, \*shape\), got \(4,\)"):
        second_moments(score, data[:, 0], TIMES)
    with pytest.raises(ValueError, match="the last of times must be positive"):
        second_moments(score, data, (1.0, 0.0))
    with pytest.raises(ValueError, match=r"cover the times from 4 to 0.05, got 5"):
        rtk.sample(score, 1, 3, AnalyticDDPM(EXACT), nfe=5)
