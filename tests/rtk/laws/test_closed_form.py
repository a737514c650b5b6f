"""Closed forms for long chains against the laws that are read off the samplers."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

import rtk
from rtk import segments
from rtk.laws import closed_form as gaussian_steps
from rtk.laws.affine import sample_law
from rtk.laws.closed_form import Steps, law, repeated, starts, then
from rtk.laws.gaussian import Gaussian
from rtk.sampler import make_sampler
from rtk.samplers.dpm_solver import DPMSolverPP2M
from tests.oracles import DOUBLE

TARGET = Gaussian([1.0, -0.3, 0.5], [0.25, 0.6, 1.5])
MIXTURE = rtk.GaussianMixture(
    torch.ones(1), torch.tensor(TARGET.mean).unsqueeze(0), torch.tensor(TARGET.variance[np.newaxis])
)
TIMES = segments.power(8, 3.0, 0.0, 2.0)
STARTS = {"gaussian": gaussian_steps.gaussian_start, "ddpm": gaussian_steps.ddpm}


def samplers_law(method: str, **options: Any) -> Gaussian:
    found, _ = sample_law(MIXTURE.score, 3, make_sampler(method, options), 60, segments=TIMES)
    return found


def check_same(actual: Gaussian, expected: Gaussian) -> None:
    np.testing.assert_allclose(actual.mean, expected.mean, rtol=1e-11)
    np.testing.assert_allclose(actual.variance, expected.variance, rtol=1e-11)


@pytest.mark.parametrize("chunk", [2048, 3])
@pytest.mark.parametrize("method", gaussian_steps.PLAIN_STEPS)
def test_steps_are_those_of_the_samplers(
    method: str, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaussian_steps, "CHUNK", chunk)
    check_same(law(gaussian_steps.PLAIN_STEPS[method], TARGET, TIMES), samplers_law(method))


@pytest.mark.parametrize("method", gaussian_steps.RTK_STEPS)
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("step_size", [0.01, 0.6])
@pytest.mark.parametrize("count", [1, 6])
def test_inner_chains_are_those_of_the_samplers(
    method: str, start: str, step_size: float, count: int
) -> None:
    options = {"warm_start": start, "step_size": step_size, "data_variance": 0.25}
    expected = samplers_law(method, inner_steps=count, **options)
    step = partial(
        gaussian_steps.RTK_STEPS[method], step_size=step_size, steps=count, start=STARTS[start]
    )
    check_same(law(step, TARGET, TIMES), expected)


@pytest.mark.parametrize("step", gaussian_steps.RTK_STEPS.values())
def test_a_number_of_steps_for_each_segment(step: Callable[..., Steps]) -> None:
    counts = [5, 1, 8, 2, 2, 9, 4, 3]
    together = step(TARGET, TIMES, 0.3, counts)
    for k, count in enumerate(counts):
        alone = step(TARGET, TIMES[k : k + 2], 0.3, count)
        for part, row in zip(together, alone, strict=True):
            np.testing.assert_allclose(part[k], row[0], rtol=1e-12)


@pytest.mark.parametrize("step", gaussian_steps.RTK_STEPS.values())
def test_very_many_steps_forget_the_start(step: Callable[..., Steps]) -> None:
    """As 1000 steps do, and with the exact kernel's mean."""
    many = step(TARGET, TIMES, 0.3, 1000)
    found = step(TARGET, TIMES, 0.3, 2**40, start=gaussian_steps.ddpm)
    np.testing.assert_allclose(found.variance, many.variance, rtol=1e-10)
    np.testing.assert_allclose(
        found.slope, gaussian_steps.exact_kernel(TARGET, TIMES).slope, rtol=1e-12
    )


# The last segment of the second grid is so long that the solver takes a first-order step.
@pytest.mark.parametrize("times", [segments.log_snr(7, 4.0, 0.01), segments.uniform(7, 4.0, 1e-4)])
def test_multistep_solver(times: segments.Times) -> None:
    expected, _ = sample_law(MIXTURE.score, 3, DPMSolverPP2M(), 8, segments=times)
    check_same(gaussian_steps.dpm_solver(TARGET, times), expected)


def test_exact_kernel() -> None:
    x = np.array([0.4, -1.0, 2.0])
    kernel = MIXTURE.reverse_transition(torch.tensor(x, dtype=DOUBLE).unsqueeze(0), 0.9, 0.2)
    actual = then(gaussian_steps.exact_kernel(TARGET, (0.9, 0.2)), x)
    np.testing.assert_allclose(actual.mean, kernel.mean()[0].numpy(), rtol=1e-12)
    np.testing.assert_allclose(actual.variance, kernel.variances.numpy().ravel(), rtol=1e-12)


@pytest.mark.parametrize("step", gaussian_steps.RTK_STEPS.values())
def test_small_steps_and_long_chains_sample_the_kernel(step: Callable[..., Steps]) -> None:
    """To the order of the step, also where the step is far below rounding of 1 + step."""
    exact = gaussian_steps.exact_kernel(TARGET, TIMES)
    for step_size in (1e-3, 1e-6):
        found = step(TARGET, TIMES, step_size, round(150 / step_size))
        for part, truth in zip(found, exact, strict=True):
            np.testing.assert_allclose(part, truth, rtol=3 * step_size)


def test_starts() -> None:
    """Row k is the law over the times from k on."""
    means, variances = starts(gaussian_steps.ddpm(TARGET, TIMES))
    for k in (0, 3, 7):
        expected = law(gaussian_steps.ddpm, TARGET, TIMES[k:])
        np.testing.assert_allclose(means[k], expected.mean, rtol=1e-12)
        np.testing.assert_allclose(variances[k], expected.variance, rtol=1e-12)


def test_repeated() -> None:
    """Different numbers of times at once."""
    excess, noise = np.array([[-0.1, 0.3], [-0.2, -0.4]]), np.array([[0.2, 0.1], [0.1, 0.5]])
    counts = np.array([0, 1, 6, 13])
    found_excess, found_noise = repeated(excess[..., None], noise[..., None], counts)
    matrix, covariance = np.eye(2) + excess, np.zeros((2, 2))
    for step in range(14):
        for k in np.flatnonzero(counts == step):
            power = np.linalg.matrix_power(matrix, step)
            np.testing.assert_allclose(np.eye(2) + found_excess[..., k], power, atol=1e-14)
            np.testing.assert_allclose(found_noise[..., k], covariance, rtol=1e-12)
        covariance = matrix @ covariance @ matrix.T + noise


def test_refuses_steps_that_diverge() -> None:
    with pytest.raises(ValueError, match="diverge"):
        gaussian_steps.rtk_ula(TARGET, TIMES, 2.0, 10)
