"""Laws of RTK's unadjusted samplers on a grid against affine maps and against `rtk.sample`."""

import itertools
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

import rtk
from rtk.laws import affine, closed_form, product, reverse_transition
from rtk.laws import gaussian as gaussian_law
from rtk.laws.gaussian import Gaussian
from rtk.laws.grid import Grid, start_law
from rtk.laws.reverse_transition import Unadjusted, Widths, resampled
from rtk.samplers.reverse_transition import RTKLM, RTKULA, RTKULD
from tests.oracles import DOUBLE, gaussian
from tests.rtk.laws.cases import SKEWED, assert_samples, functions

EDGE = 8.0
TIMES = (1.2, 0.7, 0.3, 0.1, 0.0)
COMMON: dict[str, Any] = {"warm_start": "gaussian", "data_variance": 0.3, "inner_steps": 6}
SAMPLERS: dict[str, Unadjusted] = {
    "rtk-ula": RTKULA(step_size=0.3, **COMMON),
    "rtk-lm": RTKLM(step_size=0.5, **COMMON),
    "rtk-uld": RTKULD(step_size=0.4, friction=1.5, **COMMON),
}
NFE = 6 * (len(TIMES) - 1)


@pytest.mark.parametrize("inner_steps", [1, 6])
@pytest.mark.parametrize("method", SAMPLERS)
def test_gaussian(method: str, inner_steps: int) -> None:
    """The affine propagation of the same samplers, to 1e-7."""
    target, sampler = gaussian(0.7, 0.5), replace(SAMPLERS[method], inner_steps=inner_steps)
    law, grid = reverse_transition.sample_law(target.score, sampler, TIMES, EDGE)
    nfe = inner_steps * (len(TIMES) - 1)
    exact, _ = affine.sample_law(target.score, 1, sampler, nfe, segments=TIMES)
    assert np.abs(law - start_law(exact, grid)).sum() <= 1e-7


@pytest.mark.parametrize("method", closed_form.RTK_STEPS)
def test_closed_form(method: str) -> None:
    """The closed form, to 1e-7, and the TV in d = 64, to 1e-5 of itself."""
    target, exact = gaussian(0.7, 0.5), Gaussian([0.7], [0.5])
    sampler = replace(SAMPLERS[method], data_variance=0.5)
    if isinstance(sampler, RTKULD):
        sampler = replace(sampler, friction=closed_form.FRICTION)
    law, grid = reverse_transition.sample_law(target.score, sampler, TIMES, EDGE)
    step = partial(
        closed_form.RTK_STEPS[method], step_size=sampler.step_size, steps=sampler.inner_steps
    )
    ends = closed_form.law(step, exact, TIMES)
    assert np.abs(law - start_law(ends, grid)).sum() <= 1e-7
    tv = product.tv(law, start_law(exact, grid), 64)
    plain = gaussian_law.tv(ends.power(64), exact.power(64))
    assert tv == pytest.approx(plain, rel=1e-5)


@pytest.mark.parametrize("method", SAMPLERS)
def test_skewed(method: str) -> None:
    """Means of four functions of n = 200 000 samples, to 5 standard errors of the mean."""
    law, grid = reverse_transition.sample_law(SKEWED.score, SAMPLERS[method], TIMES, EDGE)
    result = rtk.sample(
        SKEWED.score, 1, 200_000, SAMPLERS[method], NFE, segments=TIMES, seed=0, dtype=DOUBLE
    )
    assert_samples(result.samples.squeeze(1).numpy(), law, grid)


@pytest.mark.parametrize("method", SAMPLERS)
def test_product(method: str) -> None:
    """In two dimensions the means of products of functions, n = 200 000, to 5 standard errors."""
    weights, means, variances = (
        torch.as_tensor(each, dtype=DOUBLE).flatten()
        for each in (SKEWED.weights, SKEWED.means, SKEWED.covariances)
    )
    pairs = torch.tensor(list(itertools.product(range(2), repeat=2)))
    both = rtk.GaussianMixture(weights[pairs].prod(1), means[pairs], variances[pairs])
    law, grid = reverse_transition.sample_law(SKEWED.score, SAMPLERS[method], TIMES, EDGE)
    result = rtk.sample(
        both.score, 2, 200_000, SAMPLERS[method], NFE, segments=TIMES, seed=1, dtype=DOUBLE
    )
    first, second = (functions(z) for z in result.samples.numpy().T)
    expected = functions(grid.centres) @ law
    values = (first[:, np.newaxis] * second).reshape(16, -1)
    error = values.std(1) / values.shape[1] ** 0.5
    apart = np.abs(values.mean(1) - np.outer(expected, expected).ravel())
    assert (apart <= 5.0 * error).all()


@pytest.mark.parametrize("method", SAMPLERS)
def test_finer_grid(method: str) -> None:
    """Narrower cells of z, x and v give the same means of the functions, to 1e-6."""
    means = []
    for factor in (1.0, 0.7):
        law, grid = reverse_transition.sample_law(
            SKEWED.score, SAMPLERS[method], TIMES, EDGE, Widths().scaled(factor)
        )
        means.append(functions(grid.centres) @ law)
    assert np.abs(means[0] - means[1]).max() <= 1e-6


def test_resampled() -> None:
    """The density of ``N(0.3, 0.4)`` between the centres, to 1e-10."""
    grid, points = Grid(-6.0, 6.0, 60), np.linspace(-2.0, 2.0, 7)
    law = start_law(Gaussian([0.3], [0.4]), grid)
    density = np.exp(-((points - 0.3) ** 2) / 0.8) / np.sqrt(0.8 * np.pi)
    assert resampled(law, grid, points) == pytest.approx(density, abs=1e-10)


@pytest.mark.parametrize(
    ("sampler", "message"),
    [
        (RTKULA(warm_start="gaussian"), "inner steps"),
        (RTKULD(inner_steps=2, integrator="UBU"), "exponential"),
        (RTKULA(inner_steps=2, data_variance=0.3, warm_start="ddpm"), "does not resolve"),
    ],
)
def test_what_has_no_such_law(sampler: Unadjusted, message: str) -> None:
    """No number of steps, another integrator, and a start that ends in a single point."""
    with pytest.raises(ValueError, match=message):
        reverse_transition.sample_law(SKEWED.score, sampler, TIMES, EDGE)


def test_times_that_end_above_zero() -> None:
    """There the samples would need a denoising step."""
    with pytest.raises(ValueError, match="end at 0"):
        reverse_transition.sample_law(SKEWED.score, SAMPLERS["rtk-ula"], TIMES[:-1], EDGE)


def test_grid_that_is_too_narrow() -> None:
    """The samples reach its edges."""
    with pytest.raises(ArithmeticError, match="too narrow"):
        reverse_transition.sample_law(SKEWED.score, SAMPLERS["rtk-ula"], TIMES, 2.0)
