"""Student's t against its textbook integral, scipy and laws of its samples."""

import math
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from scipy import stats

from rtk.targets import StudentT
from tests.oracles import DOUBLE, assert_law, assert_moments
from tests.rtk.targets.oracles import TIMES, assert_integral, assert_normalised, noised_samples


def student_density(x: list[Any], a: float, s2: float) -> Any:
    square = sum(value**2 for value in x)

    def joint(scale: Any) -> Any:
        prior = 1.5**1.5 / mpmath.gamma(1.5) * scale**-2.5 * mpmath.exp(-1.5 / scale)
        spread = a**2 * scale + s2
        normal = (2 * mpmath.pi * spread) ** (-len(x) / 2) * mpmath.exp(-square / spread / 2)
        return prior * normal

    return mpmath.quad(joint, [0, 0.3, 1, 3, 10, 100, mpmath.inf])


@pytest.mark.parametrize("t", TIMES)
def test_against_mpmath(t: float) -> None:
    assert_integral(StudentT(2), student_density, [1.4, -2.5], t)


@pytest.mark.parametrize("t", [0.0, 0.2])
def test_log_prob_is_normalised(t: float) -> None:
    assert_normalised(StudentT(1), t)


def test_time_zero() -> None:
    x = noised_samples(StudentT(), 20, 0.0)
    expected = -13 * x / (3 + x.square().sum(1, keepdim=True))
    torch.testing.assert_close(StudentT().score(x, 0.0), expected)
    density = stats.multivariate_t(np.zeros(10), np.eye(10), 3).logpdf(x.numpy())
    np.testing.assert_allclose(StudentT().log_prob(x, 0.0), density, rtol=1e-12)


def test_law_of_samples() -> None:
    """Chi-square over 60 bins of 6000 draws, at 5 sigma."""
    x = StudentT().sample(6000, 0.0, torch.Generator().manual_seed(0), DOUBLE)
    assert_law(x.square().mean(1), stats.f(10, 3).cdf)


@pytest.mark.parametrize("t", [0.3, 1.5])
def test_moments_of_noised_samples(t: float) -> None:
    """The covariance is ``(a^2 nu / (nu - 2) + s^2) I``; nu = 12 and n = 100 000."""
    x = StudentT(3, 12).sample(100_000, t, torch.Generator().manual_seed(1), DOUBLE)
    variance = math.exp(-2 * t) * 12 / 10 - math.expm1(-2 * t)
    assert_moments(x, np.zeros(3), variance * np.eye(3))


def test_parameters_are_checked() -> None:
    with pytest.raises(ValueError, match="nu must be at least 1, got 0"):
        StudentT(nu=0)
    with pytest.raises(TypeError, match="nu must be a whole number, got"):
        StudentT(nu=2.5)  # type: ignore[arg-type]
