"""Closed forms for long chains against the laws that are read off the samplers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from oracles import DOUBLE, Array

import rtk
from experiments import gaussian_steps
from experiments.gaussian_steps import Step, Steps, law, repeated, starts, then
from rtk import segments
from rtk.gaussian_law import Gaussian, sample_law

TARGET = Gaussian([1.0, -0.3, 0.5], [0.25, 0.6, 1.5])
MIXTURE = rtk.GaussianMixture(
    torch.ones(1), torch.tensor(TARGET.mean).unsqueeze(0), torch.tensor(TARGET.variance[np.newaxis])
)
TIMES = segments.power(8, 3.0, 0.0, 2.0)


def inner(step: Callable[..., Steps]) -> Step:
    return lambda target, times: step(target, times, 0.3, 5)


@pytest.mark.parametrize(
    ("method", "step"),
    [
        ("ddpm", gaussian_steps.ddpm),
        ("ddim", gaussian_steps.ddim),
        ("rtk-ula", inner(gaussian_steps.rtk_ula)),
        ("rtk-uld", inner(gaussian_steps.rtk_uld)),
    ],
)
def test_steps_are_those_of_the_samplers(
    method: str, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {}
    if method.startswith("rtk"):
        options = {"step_size": 0.3, "inner_steps": 5, "warm_start": "gaussian"}
        options["data_variance"] = 0.25
    expected, _ = sample_law(MIXTURE.score, 3, method, 40, segments=TIMES, **options)
    for chunk in (2048, 3):
        monkeypatch.setattr(gaussian_steps, "CHUNK", chunk)
        actual = law(step, TARGET, TIMES)
        np.testing.assert_allclose(actual.mean, expected.mean, rtol=1e-12)
        np.testing.assert_allclose(actual.variance, expected.variance, rtol=1e-12)


def test_multistep_solver() -> None:
    times = segments.log_snr(7, 4.0, 0.01)
    expected, _ = sample_law(MIXTURE.score, 3, "dpm++2m", 8, segments=times)
    actual = gaussian_steps.dpmpp_2m(TARGET, times)
    np.testing.assert_allclose(actual.mean, expected.mean, rtol=1e-12)
    np.testing.assert_allclose(actual.variance, expected.variance, rtol=1e-12)


def test_exact_kernel() -> None:
    x = np.array([0.4, -1.0, 2.0])
    kernel = MIXTURE.reverse_transition(torch.tensor(x, dtype=DOUBLE).unsqueeze(0), 0.9, 0.2)
    actual = then(gaussian_steps.exact_kernel(TARGET, (0.9, 0.2)), x)
    np.testing.assert_allclose(actual.mean, kernel.mean()[0].numpy(), rtol=1e-12)
    np.testing.assert_allclose(actual.variance, kernel.variances.numpy().ravel(), rtol=1e-12)


@pytest.mark.parametrize("step", [gaussian_steps.rtk_ula, gaussian_steps.rtk_uld])
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


@pytest.mark.parametrize("steps", [1, 6, 13])
def test_repeated(steps: int) -> None:
    excess, noise = np.array([[-0.1, 0.3], [-0.2, -0.4]]), np.array([[0.2, 0.1], [0.1, 0.5]])
    matrix, covariance = np.eye(2) + excess, np.zeros((2, 2))
    for _ in range(steps):
        covariance = matrix @ covariance @ matrix.T + noise
    found: tuple[Array, Array] = repeated(excess[..., None], noise[..., None], steps)
    power = np.linalg.matrix_power(matrix, steps)
    np.testing.assert_allclose(np.eye(2) + found[0][..., 0], power, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(found[1][..., 0], covariance, rtol=1e-12)


def test_refuses_steps_that_diverge() -> None:
    with pytest.raises(ValueError, match="diverge"):
        gaussian_steps.rtk_ula(TARGET, TIMES, 2.0, 10)
