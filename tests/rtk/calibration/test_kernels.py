"""Hops of the fitted reverse transition kernels: flow below the next level, then forward noise."""

import math
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor

import rtk
from rtk import process
from rtk.calibration import base, kernels, pilot
from rtk.calibration.kernels import Levels
from rtk.calibration.model import Model
from rtk.calibration.pilot import Pilot
from rtk.gaussian_base import GaussianBase
from rtk.samplers.calibrated import Calibrated
from tests.oracles import DOUBLE, Array, assert_moments, mixture_moments, skewed
from tests.rtk.calibration.cases import (
    flow,
    generator,
    model_of,
    rotated,
    skewed_base,
    skewed_pilot,
    two_modes,
)


def root_mean_square(x: Tensor) -> float:
    return float(x.square().mean().sqrt())


@pytest.mark.parametrize("to", [3.0, 0.05])
def test_the_accurate_flow_is_of_third_order(to: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half the step, an eighth of the error or less; 6e-4 at the step in use."""
    model, y, sigma = model_of(skewed().score, 2), skewed_pilot().y[6], skewed_pilot().sigmas[6]
    exact = flow(skewed().score, y, sigma, to)
    errors = []
    for longest in (kernels.LONGEST, kernels.LONGEST / 2, kernels.LONGEST / 4):
        monkeypatch.setattr(kernels, "LONGEST", longest)
        found = kernels.accurate(model, skewed_base(), y, sigma, to)
        errors.append(root_mean_square(found - exact))
    assert errors[0] < 1e-3
    assert math.log2(errors[0] / errors[2]) / 2 > 2.5, errors


def test_an_accurate_flow_takes_the_residual_that_is_known() -> None:
    model, y, sigma = model_of(skewed().score, 2), skewed_pilot().y[9], skewed_pilot().sigmas[9]
    whole = kernels.accurate(model, skewed_base(), y, sigma, 0.3)
    spent = model.score.evaluations
    residual = skewed_base().residual(skewed_pilot().denoised[9], y, sigma)
    again = kernels.accurate(model, skewed_base(), y, sigma, 0.3, residual)
    torch.testing.assert_close(again, whole)
    assert model.score.evaluations == 2 * spent - len(y)
    assert kernels.accurate(model, skewed_base(), y, sigma, sigma) is y


@pytest.mark.parametrize("to", [0.0, 0.015])
def test_the_last_part_of_the_way(to: float) -> None:
    """From a noise of 0.03, a tenth of the narrowest mode: to 1 per cent of the way."""
    model, y = model_of(skewed().score, 2), skewed().sample(200, 0.0, generator(), dtype=DOUBLE)
    exact = flow(skewed().score, y, 0.03, to)
    found = kernels.last_part(model, skewed_base(), y, 0.03, to)
    assert root_mean_square(found - exact) < 0.01 * root_mean_square(y - exact)


# The law of a hop on the line, without Monte Carlo noise.

ENDS = [(2.0, 1.0), (1.0, 0.5), (0.6, 0.4)]


def density(y: Array, sigma: float) -> Array:
    """The density of ``x_0 + sigma xi`` for the two modes, from its definition."""
    target = two_modes()
    variances = target.covariances.numpy() + sigma**2
    away = y[:, None] - target.means.numpy()[:, 0]
    bumps = np.exp(-(away**2) / (2.0 * variances)) / np.sqrt(2.0 * np.pi * variances)
    return np.asarray(bumps @ target.weights.numpy())


def law_of_a_hop(points: Array, ends: Array, sigma: float, z: Array, width: float) -> Array:
    """The density at z of ``ends + width xi`` if the points have the density at ``sigma``."""
    bumps = np.exp(-((z[:, None] - ends) ** 2) / (2.0 * width**2)) / math.sqrt(2.0 * math.pi)
    return np.asarray(bumps @ density(points, sigma) * (points[1] - points[0]) / width)


@pytest.mark.parametrize("tau", [0.5, 1.0, 3.0])
@pytest.mark.parametrize(("sigma", "after"), ENDS)
def test_a_hop_carries_the_law_along(sigma: float, after: float, tau: float) -> None:
    """Exact flow and noise to 1e-9 in total variation, those of the fit to 1e-3."""
    target = two_modes()
    model, _, the_base = line()
    below = after * (after / sigma) ** tau
    points = np.linspace(-8.0 * sigma - 3.0, 8.0 * sigma + 3.0, 4001)
    column = torch.from_numpy(points[:, None])
    z = np.linspace(-8.0, 8.0, 801)
    ends = {
        1e-9: flow(target.score, column, sigma, below),
        1e-3: kernels.accurate(model, the_base, column, sigma, below),
    }
    for bound, end in ends.items():
        width = math.sqrt(after**2 - below**2)
        law = law_of_a_hop(points, end.numpy()[:, 0], sigma, z, width)
        tv = 0.5 * np.abs(law - density(z, after)).sum() * (z[1] - z[0])
        assert tv < bound, tv


# The fitted sampler.


@cache
def line() -> tuple[Model, Pilot, GaussianBase]:
    """The two modes with their pilot and base."""
    model = model_of(two_modes().score, 1)
    run = pilot.run(model, 5.0, generator())
    return model, run, base.fit(model, run, generator())


def fitted(levels: Levels) -> Calibrated:
    """On the two modes."""
    model, run, the_base = line()
    return kernels.fit(model, the_base, 5.0, levels, run.sigmas[-1], run.y[0], generator(1))


def geometric(count: int, tau: float, history: int) -> Levels:
    sigmas = 3.0 * (0.03 / 3.0) ** np.linspace(0.0, 1.0, count)
    return Levels(tuple(float(sigma) for sigma in sigmas), tau, history)


@pytest.mark.parametrize("history", [1, 2])
def test_the_steps_of_a_fit(history: int) -> None:
    tau, count = 0.8, 6
    levels = geometric(count, tau, history)
    steps = fitted(levels).steps
    assert [step.t_hi for step in steps] == [
        process.time_from_noise_level(sigma) for sigma in levels.sigmas
    ]
    assert [step.t_lo for step in steps] == [*(step.t_hi for step in steps[1:]), 0.0]
    for k, step in enumerate(steps):
        assert len(step.predictor) == min(history, k + 1)
        assert len(step.corrector) == min(history + 1, k + 1)
    for here, after, step in zip(levels.sigmas, levels.sigmas[1:], steps, strict=False):
        wanted = max(after * (after / here) ** tau, min(after, line()[1].sigmas[-1]))
        assert step.sigma_below == pytest.approx(wanted)
    assert steps[-1].sigma_below == 0.0


def test_the_chains_of_a_fit_have_the_law_of_every_level() -> None:
    """Mean squares of 20 000 chains at the nodes to 5 standard errors, and 1 % for the start."""
    _, run, the_base = line()
    levels, n = Levels((3.0, 1.2, 0.5, 0.2), 1.0, 2), 20_000
    times = {process.time_from_noise_level(sigma): sigma for sigma in levels.sigmas}
    squares: dict[float, list[Tensor]] = {sigma: [] for sigma in levels.sigmas}

    def score(x: Tensor, t: float) -> Tensor:
        if t in times:
            squares[times[t]].append((math.exp(t) * x).square())
        return two_modes().score(x, t)

    start = run.sigmas[0] * torch.randn(n, 1, generator=generator(4), dtype=DOUBLE)
    kernels.fit(model_of(score, 1), the_base, 5.0, levels, run.sigmas[-1], start, generator(1))
    mean, covariance = mixture_moments(two_modes())
    for sigma in levels.sigmas:
        expected = float(mean[0] ** 2 + covariance[0, 0]) + sigma**2
        # The last n points at a level are the chains themselves.
        found = float(torch.cat(squares[sigma])[-n:].mean())
        assert found == pytest.approx(expected, rel=5.0 * math.sqrt(2.0 / n) + 0.01)


def test_levels_below_the_finest_one() -> None:
    """There residuals fall like ``sigma^2``: from 0.02 to 0.01 three eighths of one are left."""
    assert line()[1].sigmas[-1] > 0.03
    *_, step, last = fitted(Levels((2.0, 0.5, 0.1, 0.02, 0.01), 1.0, 1)).steps
    assert step.predictor[0] == pytest.approx(0.375, abs=0.01)
    assert last.predictor[0] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(("tau", "history"), [(0.5, 1), (1.0, 2), (2.0, 2)])
def test_the_law_converges_with_the_number_of_levels(tau: float, history: int) -> None:
    """Distance of the distribution functions at 3 to 24 levels, n = 100 000.

    Of exact samples it would be below 0.009 with a probability as that of 5 sigma.
    """
    n = 100_000
    grid = np.linspace(-6.0, 6.0, 4001)
    cdf = np.cumsum(density(grid, 0.0)) * (grid[1] - grid[0])
    distances = []
    for count in (3, 6, 12, 24):
        sampler = fitted(geometric(count, tau, history))
        drawn = rtk.sample(two_modes().score, 1, n, sampler, count, seed=2, dtype=DOUBLE)
        ranks = np.interp(np.sort(drawn.samples[:, 0].numpy()), grid, cdf)
        distances.append(float(np.abs(ranks - (np.arange(n) + 0.5) / n).max()))
    assert distances == sorted(distances, reverse=True), distances
    assert distances[0] > 0.02
    assert distances[-1] < 0.009


def test_a_gaussian_is_sampled_exactly_with_noise_in_every_hop() -> None:
    """n = 50 000 in rotated coordinates: means and covariances to 5 standard errors."""
    target = rotated()
    model = model_of(target.score, 4)
    run = pilot.run(model, 5.0, generator())
    the_base = base.fit(model, run, generator())
    levels = Levels((2.0, 1.0, 0.5, 0.2), 1.0, 2)
    sampler = kernels.fit(model, the_base, 5.0, levels, run.sigmas[-1], run.y[0], generator(1))
    drawn = rtk.sample(target.score, 4, 50_000, sampler, 4, seed=5, dtype=DOUBLE)
    assert_moments(drawn.samples, target.means[0].numpy(), target.covariances[0].numpy())


@pytest.mark.parametrize("nfe", [2, 3, 5, 8, 17, 80, 300])
@pytest.mark.parametrize("width", [0.01, 0.3])
def test_levels_decrease_for_every_number_of_scores(nfe: int, width: float) -> None:
    levels = kernels.levels(nfe, skewed_base(), 1.0, width)
    assert len(levels.sigmas) == nfe
    assert all(hi > lo > 0.0 for hi, lo in zip(levels.sigmas, levels.sigmas[1:], strict=False))
    assert levels.tau > 0.0
    assert levels.history >= 1


@pytest.mark.parametrize(("nfe", "height"), [(4, 1.0), (6, 1.0), (12, 2.0), (24, 4.0), (80, 4.0)])
def test_where_the_levels_begin(nfe: int, height: float) -> None:
    """At the widest direction, and if its narrowest part is seen, above that with more scores."""
    widest = math.sqrt(float(skewed_base().variances.max()))
    seen, unseen = (kernels.levels(nfe, skewed_base(), 1.0, width) for width in (0.3, 0.01))
    assert seen.sigmas[0] == pytest.approx(height * widest)
    assert seen.tau == 2.0
    assert seen.sigmas[-1] < 0.3
    assert unseen.sigmas[0] == pytest.approx(widest)
    assert 1.0 <= unseen.tau <= 6.0


@pytest.mark.parametrize(("dimension", "expected"), [(2, 64), (256, 64), (400, 40), (3072, 32)])
def test_a_fit_has_fewer_chains_in_high_dimensions(dimension: int, expected: int) -> None:
    assert kernels.chains(dimension) == expected
