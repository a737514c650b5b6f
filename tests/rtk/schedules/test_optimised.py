"""Optimised time steps: weights by closed forms and by a run of DDIM, the minimum by variations."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, optimize
from torch import Tensor

import rtk
from rtk import DDIM, process, segments
from rtk.samplers.base import Problem, State
from rtk.schedules import optimised
from rtk.score import CountedScore
from tests.oracles import DOUBLE, Array, ScriptedNoise, skewed

GRIDS = [segments.log_snr, segments.uniform, segments.karras]


def half_log_snr(times: segments.Times) -> Array:
    """``log(a / s)`` from its definition."""
    return np.array([-t - 0.5 * math.log(1 - math.exp(-2 * t)) for t in times])


def uneven(count: int) -> Array:
    """Increasing values without any symmetry."""
    return np.sort(np.random.default_rng(count).uniform(-5.0, 4.0, count + 1))


def quadrature(polynomial: Array, start: float, length: float) -> float:
    """The integral of ``e^(start + u) polynomial(u)`` over u in (0, length)."""

    def integrand(u: float) -> float:
        return math.exp(start + u) * float(np.polyval(polynomial, u))

    return float(integrate.quad(integrand, 0.0, length, epsabs=1e-11, epsrel=1e-11)[0])


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("count", [1, 2, 3, 6, 9])
def test_weights_are_integrals_of_interpolations(count: int, order: int) -> None:
    """By adaptive quadrature of the polynomial that scipy fits through a unit vector."""
    lam = uneven(count)
    weights = optimised.solver_weights(lam, order)
    for i in range(count):
        own = min(order, i + 1, count - i)
        known = np.arange(i - own + 1, i + 1)
        assert set(np.nonzero(weights[i])[0]) <= set(known)
        for j in known:
            polynomial = np.polyfit(lam[known] - lam[i], (known == j).astype(float), own - 1)
            exact = quadrature(polynomial, lam[i], lam[i + 1] - lam[i])
            assert weights[i, j] == pytest.approx(exact, rel=1e-7, abs=1e-9)


def test_weights_of_order_one_are_those_of_ddim() -> None:
    """The repository's DDIM on unit vectors: chain j has the estimate 1 at time j, else 0."""
    times = (3.0, 1.7, 0.6, 0.25, 0.04)
    unit = {t: torch.eye(4, dtype=DOUBLE)[[k]].mT for k, t in enumerate(times[:-1])}

    def score(x: Tensor, t: float) -> Tensor:
        return (process.alpha(t) * unit[t] - x) / process.variance(t)

    problem = Problem(CountedScore(score))
    state = State(torch.zeros(4, 1, dtype=DOUBLE), times[0])
    for t_lo in times[1:]:
        state, _ = DDIM()(problem, state, t_lo, 1, ScriptedNoise(state.x))
    ends = state.x[:, 0].numpy() / process.sigma(times[-1])
    weights = optimised.solver_weights(half_log_snr(times), 1)
    np.testing.assert_allclose(weights.sum(0), ends, rtol=1e-10)


def test_weights_of_order_two_are_those_of_dpm_solver_to_second_order() -> None:
    """On short segments of equal length h: 3/2 and -1/2, each times ``e^lambda h (1 + O(h))``."""
    h = 1e-4
    weights = optimised.solver_weights(np.linspace(0.0, 6.0 * h, 7), 2)
    np.testing.assert_allclose(weights[3] / h, [0, 0, -0.5, 1.5, 0, 0], atol=1e-3)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8])
def test_error_estimate_of_order_three(count: int) -> None:
    """The sum over segments, written out with the moments of ``e^u`` in closed form."""
    lam = uneven(count)
    error = [process.variance(t) / process.alpha(t) for t in map(process.time_from_log_snr, lam)]
    alone, together = 0.0, np.zeros(count)
    for i in range(count):
        h, order = lam[i + 1] - lam[i], min(3, i + 1, count - i)
        moment = [math.exp(h) - 1]
        for k in (1, 2):
            moment.append(h**k * math.exp(h) - k * moment[-1])
        row = np.zeros(count)
        if order == 1:
            row[i] = moment[0]
        elif order == 2:
            before = lam[i] - lam[i - 1]
            row[i - 1], row[i] = -moment[1] / before, moment[0] + moment[1] / before
        else:
            p, q = lam[i] - lam[i - 1], lam[i] - lam[i - 2]
            row[i - 2] = (moment[2] + p * moment[1]) / (q * (q - p))
            row[i - 1] = -(moment[2] + q * moment[1]) / (p * (q - p))
            row[i] = (moment[2] + (p + q) * moment[1] + p * q * moment[0]) / (p * q)
        row *= math.exp(lam[i]) * np.array(error[:-1])
        if i < 3:
            alone += math.hypot(*row)
        else:
            together += row
    assert optimised.error_estimate(lam, 3) == pytest.approx(
        alone + np.abs(together).sum(), rel=1e-9
    )


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("count", [2, 5, 8, 12])
def test_schedule_is_better_than_the_common_grids(count: int, order: int) -> None:
    found = optimised.error_estimate(half_log_snr(optimised.schedule(count, order)), order)
    for grid in GRIDS:
        times = grid(count, segments.T_START, segments.T_END)
        assert found < optimised.error_estimate(half_log_snr(times), order), grid.__name__


@pytest.mark.parametrize(("count", "order"), [(2, 1), (5, 1), (12, 1), (4, 3), (5, 3), (6, 3)])
def test_gradient_vanishes_at_the_minimum(count: int, order: int) -> None:
    """Where the objective is smooth: the relative gradient, and variations of all sizes."""
    lam = half_log_snr(optimised.schedule(count, order))
    lowest = optimised.error_estimate(lam, order)

    def objective(inner: Array) -> float:
        return optimised.error_estimate(np.concatenate((lam[:1], inner, lam[-1:])), order)

    gradient = optimize.approx_fprime(lam[1:-1], objective, 1e-6)
    assert np.abs(gradient).max() < 1e-3 * lowest
    generator = np.random.default_rng(0)
    for size in (0.01, 0.03, 0.1):
        for _ in range(30):
            moved = lam[1:-1] + size * generator.standard_normal(count - 1)
            assert objective(moved) > lowest


def test_few_steps_of_order_one_by_scalar_search() -> None:
    """With two segments the minimum is that of a function of one number."""
    lam = half_log_snr((5.0, 1e-4))
    search = optimize.minimize_scalar(
        lambda value: optimised.error_estimate(np.array([lam[0], value, lam[1]]), 1),
        bounds=(lam[0], lam[1]),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert half_log_snr(optimised.schedule(2, 1))[1] == pytest.approx(search.x, abs=1e-4)


def test_schedule_serves_rtk_sample() -> None:
    times = optimised.schedule(6, t_start=4.0, t_end=0.01)
    assert (len(times), times[0], times[-1]) == (7, 4.0, 0.01)
    assert optimised.schedule(6, t_start=4.0, t_end=0.01) is times
    result = rtk.sample(skewed().score, 2, 10, "dpm++2m", nfe=7, segments=times)
    assert result.nfe == 7
    assert optimised.schedule(1) == (segments.T_START, segments.T_END)


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="count must be at least 1"):
        optimised.schedule(0)
    with pytest.raises(ValueError, match="order must be at least 1"):
        optimised.schedule(3, 0)
    with pytest.raises(ValueError, match="t_end must be positive"):
        optimised.schedule(3, t_end=0.0)
    with pytest.raises(ValueError, match="need 0 <= t_lo < t_hi"):
        optimised.schedule(3, t_start=0.1, t_end=0.2)
