"""DPM-Solver-v3: statistics in closed form and by autograd, laws on Gaussians, orders by an ODE."""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from torch import Tensor
from torch.autograd.functional import jvp

import rtk
from rtk import DPMSolverV3, process, segments
from rtk.laws.affine import sample_law
from rtk.noise import ChainNoise
from rtk.samplers.dpm_solver_v3 import Statistics, fit
from rtk.schedules import optimised
from tests.oracles import (
    DOUBLE,
    Array,
    CountingScore,
    LineKernel,
    assert_average,
    gaussian,
    mixture_of,
    skewed,
)

M, V = 0.8, 0.3
T_HI, T_LO = 4.0, 0.01
GAUSSIAN = gaussian(M, V)
LINE = mixture_of([0.3, 0.7], [[-1.2], [0.9]], [0.15, 0.4])


def draws(target: rtk.GaussianMixture, n: int) -> Tensor:
    return target.sample(n, generator=torch.Generator().manual_seed(1), dtype=DOUBLE)


@cache
def fitted(target: rtk.GaussianMixture, n: int, levels: int) -> Statistics:
    return fit(target.score, draws(target, n), levels=levels, t_start=T_HI, t_end=T_LO, seed=2)


def functions(
    linear: Callable[[Tensor], Tensor],
    rate: Callable[[Tensor], Tensor],
    bias: Callable[[Tensor], Tensor],
    levels: int = 4001,
) -> Statistics:
    """Statistics that are given functions of lambda, for one coordinate."""
    ends = process.log_snr(T_HI), process.log_snr(T_LO)
    lam = torch.linspace(*ends, levels, dtype=DOUBLE)
    tables = [function(lam).unsqueeze(1) for function in (linear, rate, bias)]
    return Statistics(lam, tables[0], tables[1], tables[2], evaluations=0)


def gaussian_linear(lam: Tensor, variance: float | Tensor = V) -> Tensor:
    """``l`` of a Gaussian: ``s eps`` has the slope ``s^2 / (a^2 v + s^2)``."""
    a2 = torch.sigmoid(2 * lam)
    return (1 - a2) / (a2 * variance + 1 - a2)


def gaussian_bias(lam: Tensor, mean: float | Tensor = M, variance: float | Tensor = V) -> Tensor:
    """``b = -m dl/dlambda``, as ``f = -l m`` whatever x is."""
    a2 = torch.sigmoid(2 * lam)
    return mean * 2 * variance * a2 * (1 - a2) / (a2 * variance + 1 - a2) ** 2


def zero(lam: Tensor) -> Tensor:
    return torch.zeros_like(lam)


def one(lam: Tensor) -> Tensor:
    return torch.ones_like(lam)


def from_the_middle_on(lam: Tensor) -> Tensor:
    return torch.sigmoid(4.0 * (lam + 1.0))


# Those of N(M, V) with large errors, which vanish at the start: the first segments have lower
# orders, and their errors would hide the order of the others.
ARBITRARY = functions(
    lambda lam: gaussian_linear(lam) + 0.4 * from_the_middle_on(lam),
    lambda lam: 0.5 * lam.cos() * from_the_middle_on(lam),
    lambda lam: gaussian_bias(lam) + (lam.sin() - 0.3) * from_the_middle_on(lam),
)

# What is estimated.


def test_statistics_of_a_gaussian() -> None:
    means, variances = torch.tensor([0.8, -0.5]).double(), torch.tensor([[0.3, 1.2]]).double()
    statistics = fitted(mixture_of([1.0], [means.tolist()], variances), 50, 401)
    lam = statistics.log_snr.unsqueeze(1)
    exact = gaussian_linear(lam, variances), gaussian_bias(lam, means, variances)
    torch.testing.assert_close(statistics.linear, exact[0], rtol=0.0, atol=1e-9)
    assert torch.equal(statistics.rate, torch.zeros_like(statistics.rate))
    # A difference quotient of l at a distance of 0.015.
    torch.testing.assert_close(statistics.bias, exact[1], rtol=0.0, atol=2e-4)


def test_linear_coefficient_is_the_fisher_information() -> None:
    """n = 4096, 5 sigma: ``E (log p_t)'' = -E ((log p_t)')^2``, so ``l = s^2 E score^2``."""
    statistics = fitted(LINE, 4096, 9)
    for lam, linear in zip(statistics.log_snr.tolist(), statistics.linear, strict=True):
        t = process.time_from_log_snr(lam)
        x = LINE.sample(4096, t, torch.Generator().manual_seed(3), DOUBLE)
        information = process.variance(t) * LINE.score(x, t).square()
        curvature = 5.0 * float(information.std()) / 64
        assert_average(information, linear.numpy(), bias=curvature)


def line_score(x: Tensor, t: Tensor) -> Tensor:
    """The score of `LINE` with a time that can be differentiated."""
    a2 = torch.exp(-2 * t)
    variances = a2 * LINE.covariances + 1 - a2
    away = a2.sqrt() * LINE.means[:, 0] - x
    logits = LINE.weights.log() - away**2 / (2 * variances) - variances.log() / 2
    return (torch.softmax(logits, 1) * away / variances).sum(1, keepdim=True)


def test_rate_and_bias_by_automatic_differentiation() -> None:
    """Least squares by numpy on ``f`` and its derivative along the ODE, at the same draws."""
    levels = 1001
    statistics = fitted(LINE, 300, levels)
    noise = ChainNoise(2, 300, (1,), dtype=DOUBLE).normal()
    spacing = float(statistics.log_snr[1] - statistics.log_snr[0])
    slopes = np.gradient(statistics.linear[:, 0].numpy(), spacing, edge_order=2)
    for k in (0, 300, 500, 700, levels - 1):
        lam = statistics.log_snr[k]

        def f(x: Tensor, lam: Tensor, at: int = k) -> Tensor:
            a2 = torch.sigmoid(2 * lam)
            linear = statistics.linear[at] + float(slopes[at]) * (lam - statistics.log_snr[at])
            score = line_score(x, -a2.log() / 2)
            return (-(1 - a2) * score - linear * x) / a2.sqrt()

        a2 = torch.sigmoid(2 * lam)
        x = a2.sqrt() * draws(LINE, 300) + (1 - a2).sqrt() * noise
        velocity = (1 - a2) * (x + line_score(x, -a2.log() / 2))
        value, derivative = jvp(f, (x, lam), (velocity, torch.ones_like(lam)))
        rate, bias = np.polyfit(value[:, 0].numpy(), derivative[:, 0].numpy(), 1)
        # At the ends the difference quotients in lambda are one-sided.
        tolerance = 1e-5 if 0 < k < levels - 1 else 1e-3
        assert float(statistics.rate[k]) == pytest.approx(rate, rel=tolerance, abs=tolerance)
        assert float(statistics.bias[k]) == pytest.approx(bias, rel=tolerance, abs=tolerance)


def test_off_diagonal_curvature_averages_out() -> None:
    """n = 20 000, 5 sigma: only the diagonal of the precision of a correlated Gaussian is left."""
    covariance = torch.tensor([[[0.5, 0.35], [0.35, 0.4]]], dtype=DOUBLE)
    statistics = fitted(mixture_of([1.0], [[0.0, 0.0]], covariance), 20_000, 3)
    for lam, linear in zip(statistics.log_snr, statistics.linear, strict=True):
        a2 = torch.sigmoid(2 * lam)
        precision = torch.linalg.inv(a2 * covariance[0] + (1 - a2) * torch.eye(2).double())
        error = float((1 - a2) * precision[0, 1].abs()) / math.sqrt(20_000)
        expected = (1 - a2) * precision.diagonal()
        assert float((linear - expected).abs().max()) < 5.0 * error + 1e-9


def test_single_precision_agrees_with_double() -> None:
    data = draws(skewed(), 200)
    single, double = (
        fit(skewed().score, x, levels=20, t_start=T_HI, t_end=T_LO) for x in (data.float(), data)
    )
    assert single.linear.dtype == single.bias.dtype == DOUBLE
    torch.testing.assert_close(single.linear, double.linear, rtol=0.0, atol=2e-3)
    late = slice(8, None)
    torch.testing.assert_close(single.rate[late], double.rate[late], rtol=0.02, atol=0.05)
    torch.testing.assert_close(single.bias[late], double.bias[late], rtol=0.02, atol=0.05)


def test_cost_is_five_rows_per_level_and_row_and_within_the_range() -> None:
    score = CountingScore(skewed().score)
    statistics = fit(score, draws(skewed(), 30), levels=7, t_start=T_HI, t_end=T_LO)
    assert statistics.evaluations == score.rows == 5 * 7 * 30
    assert min(score.times) > T_LO * (1 - 1e-9)
    assert max(score.times) < T_HI * (1 + 1e-9)


# What is solved.


def flow(t_hi: float, t_lo: float) -> tuple[float, float]:
    """Mean and variance at ``t_lo`` of the exact flow on ``N(M, V)`` from ``N(0, 1)``."""
    spread = [math.exp(-2 * t) * V + 1 - math.exp(-2 * t) for t in (t_hi, t_lo)]
    ratio = math.sqrt(spread[1] / spread[0])
    return math.exp(-t_lo) * M - ratio * math.exp(-t_hi) * M, ratio**2


def law_errors(sampler: DPMSolverV3, count: int) -> Array:
    """Errors of the mean and of the standard deviation on ``N(M, V)``."""
    times = segments.log_snr(count, T_HI, T_LO)
    law, nfe = sample_law(GAUSSIAN.score, 1, sampler, nfe=count, segments=times, denoise=False)
    assert nfe == count
    mean, variance = flow(T_HI, T_LO)
    return np.array([law.mean[0] - mean, math.sqrt(law.variance[0] / variance) - 1])


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_exact_on_a_gaussian_with_its_own_statistics(count: int, order: int) -> None:
    """Whatever the number of segments, up to the trapezoid rule on 257 points."""
    statistics = fitted(GAUSSIAN, 50, 2001)
    assert np.abs(law_errors(DPMSolverV3(statistics, order), count)).max() < 1e-4


ORDERS = [(1, True), (2, False), (2, True), (3, False), (3, True)]


@pytest.mark.parametrize(("order", "corrector"), ORDERS)
def test_order_on_a_gaussian_with_any_statistics(order: int, corrector: bool) -> None:
    """Wrong statistics change the constant, never the order."""
    sampler = DPMSolverV3(ARBITRARY, order, corrector=corrector)
    errors = [float(np.linalg.norm(law_errors(sampler, count))) for count in (320, 640)]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.25), errors


def mixture_errors(sampler: DPMSolverV3, counts: list[int]) -> list[float]:
    """Largest distance to the ODE of `LINE`, solved in t by scipy with a score of its own."""
    start = torch.linspace(-2.0, 2.0, 21, dtype=DOUBLE)[:, None]
    weights, means = LINE.weights.tolist(), LINE.means[:, 0].tolist()

    def velocity(t: float, x: Array) -> Array:
        kernel = LineKernel(weights, means, LINE.covariances.tolist(), 0.0, t + 50.0, t)
        return -x + kernel.gradient(x)

    exact = solve_ivp(
        velocity, (T_HI, T_LO), start[:, 0].numpy(), method="DOP853", rtol=1e-11, atol=1e-11
    ).y[:, -1]
    errors = []
    for count in counts:
        result = rtk.sample(
            LINE.score,
            1,
            len(start),
            sampler,
            nfe=count,
            dtype=DOUBLE,
            x_init=start,
            segments=segments.log_snr(count, T_HI, T_LO),
            denoise=False,
        )
        assert result.nfe == count
        errors.append(float(np.abs(result.samples[:, 0].numpy() - exact).max()))
    return errors


@pytest.mark.parametrize(("order", "corrector"), ORDERS)
def test_order_on_a_mixture(order: int, corrector: bool) -> None:
    counts = [40, 80, 160]
    sampler = DPMSolverV3(fitted(LINE, 1024, 1001), order, corrector=corrector)
    errors = mixture_errors(sampler, counts)
    slopes = -np.diff(np.log(errors)) / np.diff(np.log(counts))
    assert slopes.min() > order - 0.3, errors
    if not corrector:
        assert slopes.max() < order + 0.6, errors


def test_few_steps_are_better_than_dpm_solver() -> None:
    """What the statistics are for: lower errors than without any (those of data prediction)."""
    fitted_to_it = fitted(LINE, 1024, 401)
    without = functions(one, zero, zero)
    for order in (1, 2, 3):
        ours, theirs = (
            mixture_errors(DPMSolverV3(statistics, order), [10, 20])
            for statistics in (fitted_to_it, without)
        )
        assert all(a < 0.8 * b for a, b in zip(ours, theirs, strict=True)), (order, ours, theirs)


def chains(method: Any, times: segments.Times) -> Tensor:
    return rtk.sample(
        LINE.score, 1, 50, method, nfe=len(times), dtype=DOUBLE, segments=times, denoise=False
    ).samples


@pytest.mark.parametrize("corrector", [False, True])
@pytest.mark.parametrize("linear", [0.0, 1.0])
def test_first_order_without_statistics_is_ddim(linear: float, corrector: bool) -> None:
    """With ``l = 1`` and ``r = 0`` D is kept constant, with ``l = 0`` and ``r = -1`` eps is."""
    statistics = functions(lambda lam: linear * one(lam), lambda lam: (linear - 1) * one(lam), zero)
    times = segments.log_snr(6, T_HI, T_LO)
    ours = chains(DPMSolverV3(statistics, 1, corrector=corrector), times)
    torch.testing.assert_close(ours, chains("ddim", times), rtol=0.0, atol=2e-4)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_predictor_weights_without_statistics(order: int) -> None:
    """With data prediction they are those of `rtk.schedules.optimised`, derived by quadrature."""
    times = (4.0, 2.2, 1.0, 0.6, 0.2, 0.05, 0.03, 0.01)
    count = len(times) - 3
    unit = {t: torch.eye(count, dtype=DOUBLE)[[k]].mT for k, t in enumerate(times[:count])}

    def score(x: Tensor, t: float) -> Tensor:
        return (process.alpha(t) * unit[t] - x) / process.variance(t)

    sampler = DPMSolverV3(functions(one, zero, zero), order, corrector=False)
    x = torch.zeros(count, 1, dtype=DOUBLE)
    grid = times[: count + 1]
    ends = rtk.sample(
        score, 1, count, sampler, nfe=count, dtype=DOUBLE, segments=grid, x_init=x, denoise=False
    ).samples
    # Two segments more, as the weights there have lower orders on the last ones.
    lam = np.array([process.log_snr(t) for t in times])
    weights = optimised.solver_weights(lam, order)[:count, :count].sum(0)
    np.testing.assert_allclose(ends[:, 0] / process.sigma(grid[-1]), weights, rtol=2e-4, atol=2e-4)


def test_pseudo_order_has_another_weight_of_the_second_difference() -> None:
    """By hand with data prediction: ``(lambda - l_0)^2`` for ``(lambda - l_0)(lambda - l_1)``."""
    times = (1.0, 0.6, 0.2, 0.05)
    start = ChainNoise(0, 50, (1,), dtype=DOUBLE).normal()
    states: list[Tensor] = []

    def run(order: int, pseudo: bool) -> Tensor:
        sampler = DPMSolverV3(functions(one, zero, zero), order, pseudo=pseudo, corrector=False)
        states.clear()
        return rtk.sample(
            LINE.score,
            1,
            50,
            sampler,
            nfe=3,
            dtype=DOUBLE,
            segments=times,
            x_init=start,
            denoise=False,
            callback=lambda x, t, chains: states.append(x),
        ).samples

    assert torch.equal(run(2, True), run(2, False))
    pseudo, full = run(3, True), run(3, False)
    lam = [process.log_snr(t) for t in times]
    known = [
        process.denoise(x, LINE.score(x, t), t)
        for x, t in zip((start, *states[:2]), times[:3], strict=True)
    ]
    slopes = [(known[j + 1] - known[j]) / (lam[j + 1] - lam[j]) for j in (0, 1)]
    second = (slopes[1] - slopes[0]) / (lam[2] - lam[0])
    u = np.linspace(0.0, lam[3] - lam[2], 20_001)
    weight = np.trapezoid(np.exp(lam[2] + u) * u * (lam[1] - lam[2]), u)
    expected = process.sigma(times[3]) * float(weight) * second
    assert float(expected.abs().max()) > 0.01
    torch.testing.assert_close(pseudo - full, expected, rtol=1e-3, atol=1e-6)


def interpolated(start: float, other: float, end: float) -> Array:
    """Integrals of ``e^lambda`` from start to end times the lines that are 1 at start, at other."""
    u = np.linspace(start, end, 20_001)
    slope = (u - start) / (other - start)
    return np.array([np.trapezoid(np.exp(u) * line, u) for line in (1 - slope, slope)])


@pytest.mark.parametrize("corrector", [False, True])
def test_corrector_puts_the_new_value_in_the_place_of_the_oldest(corrector: bool) -> None:
    """Three segments of order 2 by hand with data prediction. ``f = -D`` stays when x moves."""
    times = (1.0, 0.5, 0.2, 0.1)
    lam, sigma = [process.log_snr(t) for t in times], [process.sigma(t) for t in times]
    start = torch.linspace(-1.0, 1.0, 5, dtype=DOUBLE)[:, None]

    def estimate(x: Tensor, k: int) -> Tensor:
        return process.denoise(x, LINE.score(x, times[k]), times[k])

    y = start / sigma[0]
    before = estimate(start, 0)
    y = y + (math.exp(lam[1]) - math.exp(lam[0])) * before
    now = estimate(sigma[1] * y, 1)
    own, other = interpolated(lam[1], lam[0], lam[2])
    predicted = y + own * now + other * before
    new = estimate(sigma[2] * predicted, 2)
    own, other = interpolated(lam[1], lam[2], lam[2])
    y = y + own * now + other * new if corrector else predicted
    own, other = interpolated(lam[2], lam[1], lam[3])
    y = y + own * new + other * now
    sampler = DPMSolverV3(functions(one, zero, zero), 2, corrector=corrector)
    ends = rtk.sample(
        LINE.score,
        1,
        5,
        sampler,
        nfe=3,
        dtype=DOUBLE,
        segments=times,
        x_init=start,
        denoise=False,
    ).samples
    torch.testing.assert_close(ends, sigma[3] * y, rtol=0.0, atol=2e-5)


# What is refused, and the rest of the contract.


def test_default_grid_ends_where_the_statistics_do() -> None:
    statistics = fit(skewed().score, draws(skewed(), 200), levels=40, t_end=0.02)
    result = rtk.sample(skewed().score, 2, 10, DPMSolverV3(statistics), nfe=6)
    assert result.nfe == 6
    assert result.samples.dtype == torch.float32
    assert [s.t_lo for s in result.diagnostics.segments][-2] == pytest.approx(0.02)


def test_chains_do_not_depend_on_chunks() -> None:
    sampler = DPMSolverV3(fit(skewed().score, draws(skewed(), 200), levels=40))
    parts = [
        rtk.sample(skewed().score, 2, 10, sampler, nfe=6, dtype=DOUBLE, chunk=chunk).samples
        for chunk in (3, 10)
    ]
    torch.testing.assert_close(*parts, rtol=1e-12, atol=1e-12)


def test_bad_data() -> None:
    score, data = skewed().score, draws(skewed(), 10)
    with pytest.raises(TypeError, match="data must be a tensor of float32 or float64, got list"):
        fit(score, data.tolist())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"got torch.float16"):
        fit(score, data.half())
    with pytest.raises(ValueError, match=r"two or more rows and shape \(n, \*shape\), got \(2,\)"):
        fit(score, data[0])
    with pytest.raises(ValueError, match="levels must be at least 3"):
        fit(score, data, levels=2)
    with pytest.raises(ValueError, match="t_end must be positive"):
        fit(score, data, t_end=0.0)
    with pytest.raises(ValueError, match="need 0 <= t_lo < t_hi"):
        fit(score, data, t_start=0.1, t_end=0.2)


def test_bad_use() -> None:
    statistics = fit(skewed().score, draws(skewed(), 10), levels=5, t_start=T_HI, t_end=T_LO)
    with pytest.raises(TypeError, match="statistics must be those of fit"):
        DPMSolverV3("statistics")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"order must be one of \(1, 2, 3\), got 4"):
        DPMSolverV3(statistics, 4)
    sampler = DPMSolverV3(statistics)
    for times in ((T_HI, 1.0, 0.0), (T_HI, 1.0, T_LO / 2), (2 * T_HI, 1.0, T_LO)):
        with pytest.raises(ValueError, match=r"the statistics cover the times from 4 to 0.01, got"):
            rtk.sample(skewed().score, 2, 3, sampler, nfe=5, segments=times)
    with pytest.raises(ValueError, match=r"data of shape \(2,\), got samples of \(1,\)"):
        rtk.sample(LINE.score, 1, 3, sampler, nfe=5, segments=(T_HI, T_LO))
