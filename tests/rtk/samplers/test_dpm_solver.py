"""The samplers without an inner chain, on a Gaussian, where every law is known in closed form."""

import itertools
import math

import numpy as np
import pytest
import torch

import rtk
from rtk import segments
from rtk.noise import ChainNoise
from tests.oracles import DOUBLE, Law, assert_moments, gaussian

M, V = 0.8, 0.3
TIMES = segments.log_snr(6, 5.0, 0.02)
CHAINS = 100_000


def signal(t: float) -> tuple[float, float]:
    """``a_t`` and ``s_t^2``."""
    return math.exp(-t), 1 - math.exp(-2 * t)


def half_log_snr(t: float) -> float:
    a, s2 = signal(t)
    return math.log(a) - 0.5 * math.log(s2)


def denoiser(t: float) -> tuple[float, float]:
    """Slope and intercept of ``E[x_0 | x_t = x]``, by Gaussian regression."""
    a, s2 = signal(t)
    slope = a * V / (a**2 * V + s2)
    return slope, M - slope * a * M


def ancestral(t_hi: float, t_lo: float) -> tuple[float, float, float]:
    """x_lo = (first) x + (second) x_0 + N(0, third): the product of two Gaussians in x_lo."""
    if t_lo == 0:
        return 0.0, 1.0, 0.0
    a_lo, s2_lo = signal(t_lo)
    e, step = signal(t_hi - t_lo)
    variance = 1 / (1 / s2_lo + e**2 / step)
    return variance * e / step, variance * a_lo / s2_lo, variance


def ordinary(t_hi: float, t_lo: float) -> tuple[float, float, float]:
    """The same for the probability-flow ODE, whose noise x - a x_0 is only rescaled."""
    (a_hi, s2_hi), (a_lo, s2_lo) = signal(t_hi), signal(t_lo)
    ratio = math.sqrt(s2_lo / s2_hi)
    return ratio, a_lo - ratio * a_hi, 0.0


def law_of(method: str, times: segments.Times, denoise: bool = False) -> Law:
    """Law of (x, D of the step before) pushed through all segments."""
    law = Law(np.zeros(2), np.diag([1.0, 0.0]))
    kernel = ancestral if method in ("ddpm", "dpm++2m-sde") else ordinary
    multistep = method.startswith("dpm++2m")
    ends = [*times, 0.0] if denoise else [*times]
    for k, (t_hi, t_lo) in enumerate(itertools.pairwise(ends)):
        closing = denoise and k == len(ends) - 2
        of_x, of_data, noise = (ancestral if closing else kernel)(t_hi, t_lo)
        slope, intercept = denoiser(t_hi)
        extra = 0.0
        if multistep and k > 0 and t_lo > 0:
            # D is continued linearly in log-SNR to the middle of the segment.
            past = half_log_snr(t_hi) - half_log_snr(ends[k - 1])
            extra = (half_log_snr(t_lo) - half_log_snr(t_hi)) / 2 / past
        law = law.push(
            [[of_x + of_data * (1 + extra) * slope, -of_data * extra], [slope, 0.0]],
            [of_data * (1 + extra) * intercept, intercept],
            np.diag([noise, 0.0]),
        )
    return law


METHODS = ["ddpm", "ddim", "dpm++2m", "dpm++2m-sde"]


@pytest.mark.parametrize("denoise", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_law_on_a_gaussian(method: str, denoise: bool) -> None:
    """n = 100 000 chains on 6 coarse segments, where each method is wrong in its own way."""
    result = rtk.sample(
        gaussian(M, V).score,
        1,
        CHAINS,
        method,
        nfe=6 + denoise,
        seed=5,
        dtype=DOUBLE,
        segments=TIMES,
        denoise=denoise,
    )
    law = law_of(method, TIMES, denoise)
    assert_moments(result.samples, law.mean[:1], law.covariance[:1, :1])


@pytest.mark.parametrize("method", METHODS)
def test_every_chain_on_a_gaussian(method: str) -> None:
    """One segment at a time, to rounding: a normal for the start, one more for the step."""
    for t_hi, t_lo in itertools.pairwise(TIMES):
        result = rtk.sample(
            gaussian(M, V).score,
            1,
            20,
            method,
            nfe=1,
            seed=2,
            dtype=DOUBLE,
            segments=(t_hi, t_lo),
            denoise=False,
        )
        noise = ChainNoise(2, 20, (1,), dtype=DOUBLE)
        x, xi = noise.normal(), noise.normal()
        kernel = ancestral if method in ("ddpm", "dpm++2m-sde") else ordinary
        of_x, of_data, variance = kernel(t_hi, t_lo)
        slope, intercept = denoiser(t_hi)
        expected = of_x * x + of_data * (slope * x + intercept) + math.sqrt(variance) * xi
        torch.testing.assert_close(result.samples, expected, rtol=1e-10, atol=1e-10)


def test_the_laws_differ() -> None:
    """On these segments no method's law could pass for another's at n = 100 000."""
    variances = [law_of(method, TIMES).covariance[0, 0] for method in METHODS]
    gaps = np.diff(np.sort(variances)) / max(variances)
    assert gaps.min() > 10 * math.sqrt(2 / CHAINS)


@pytest.mark.parametrize("method", METHODS)
def test_a_segment_to_zero_ends_in_the_data_estimate(method: str) -> None:
    grid = (5.0, 1.0, 0.3, 0.0)
    result = rtk.sample(gaussian(M, V).score, 1, CHAINS, method, nfe=3, dtype=DOUBLE, segments=grid)
    law = law_of(method, grid)
    assert result.nfe == 3
    assert_moments(result.samples, law.mean[:1], law.covariance[:1, :1])


def ode_error(method: str, count: int) -> float:
    """Distance to the exact flow ``x_t = a m + (V_t / V_T)^(1/2) (x_T - a_T m)`` at the end."""
    t_end = 0.01
    times = segments.log_snr(count, 5.0, t_end)
    result = rtk.sample(
        gaussian(M, V).score,
        1,
        50,
        method,
        nfe=count,
        seed=3,
        dtype=DOUBLE,
        segments=times,
        denoise=False,
    )
    start = ChainNoise(3, 50, (1,), dtype=DOUBLE).normal()
    (a_hi, s2_hi), (a_lo, s2_lo) = signal(5.0), signal(t_end)
    spread = math.sqrt((a_lo**2 * V + s2_lo) / (a_hi**2 * V + s2_hi))
    exact = a_lo * M + spread * (start - a_hi * M)
    return float((result.samples - exact).abs().max())


@pytest.mark.parametrize(("method", "order"), [("ddim", 1), ("dpm++2m", 2)])
def test_order_of_the_ode_solvers(method: str, order: int) -> None:
    counts = [80, 160, 320]
    errors = [ode_error(method, count) for count in counts]
    slopes = -np.diff(np.log(errors)) / np.diff(np.log(counts))
    np.testing.assert_allclose(slopes, order, atol=0.08)


@pytest.mark.parametrize("method", METHODS)
def test_the_laws_tend_to_that_of_the_data(method: str) -> None:
    """The laws above, hence the samplers, have the right limit: N(a m, a^2 v + s^2) at the end."""
    law = law_of(method, segments.log_snr(4000, 9.0, 0.02))
    a, s2 = signal(0.02)
    assert law.mean[0] == pytest.approx(a * M, abs=2e-3)
    assert law.covariance[0, 0] == pytest.approx(a**2 * V + s2, rel=5e-3)


@pytest.mark.parametrize(("one", "other"), [("ddim", "dpm++2m"), ("ddpm", "dpm++2m-sde")])
def test_the_first_step_has_no_history(one: str, other: str) -> None:
    """On a single segment the multistep solvers are the one-step ones, noise included."""
    ends = [
        rtk.sample(
            gaussian(M, V).score,
            1,
            100,
            method,
            nfe=1,
            dtype=DOUBLE,
            segments=(2.0, 0.3),
            denoise=False,
        ).samples
        for method in (one, other)
    ]
    torch.testing.assert_close(*ends)


def test_stochastic_option_is_the_sde_method() -> None:
    options = {"nfe": 8, "seed": 1, "segments": 7}
    score = gaussian(M, V).score
    named = rtk.sample(score, 1, 50, "dpm++2m-sde", **options)  # type: ignore[arg-type]
    chosen = rtk.sample(score, 1, 50, "dpm++2m", stochastic=True, **options)  # type: ignore[arg-type]
    assert torch.equal(named.samples, chosen.samples)
