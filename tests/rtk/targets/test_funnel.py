"""Neal's funnel against its textbook integral, closed forms and laws of its samples."""

import math
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from scipy import stats

from rtk.targets import Funnel
from tests.oracles import DOUBLE, assert_law, assert_moments
from tests.rtk.targets.oracles import TIMES, assert_integral, assert_normalised, noised_samples


def funnel_density(x: list[Any], a: float, s2: float) -> Any:
    def joint(v: Any) -> Any:
        rest = mpmath.mpf(1)
        for value in x[1:]:
            rest *= mpmath.npdf(value, 0, mpmath.sqrt(a**2 * mpmath.exp(v) + s2))
        return mpmath.npdf(v, 0, 3) * mpmath.npdf(x[0], a * v, mpmath.sqrt(s2)) * rest

    centre = x[0] / a
    near = [centre + k * math.sqrt(s2) / a for k in (-12, -4, 0, 4, 12)]
    return mpmath.quad(joint, near)


@pytest.mark.parametrize("t", TIMES)
def test_against_mpmath(t: float) -> None:
    assert_integral(Funnel(3), funnel_density, [-1.2, 0.7, -0.9], t)


@pytest.mark.parametrize("t", [0.0, 0.2])
def test_log_prob_is_normalised(t: float) -> None:
    assert_normalised(Funnel(2, 0.5), t)


def test_time_zero() -> None:
    x = noised_samples(Funnel(), 20, 0.0)
    v, others = x[:, :1], x[:, 1:]
    deviation = (0.5 * v).exp().numpy()
    first = -v / 9 - 4.5 + 0.5 * others.square().sum(1, keepdim=True) * (-v).exp()
    torch.testing.assert_close(Funnel().score(x, 0.0), torch.cat((first, -others * (-v).exp()), 1))
    expected = stats.norm(0, 3).logpdf(v[:, 0]) + stats.norm(0, deviation).logpdf(others).sum(1)
    np.testing.assert_allclose(Funnel().log_prob(x, 0.0), expected, rtol=1e-12)


def test_law_of_samples() -> None:
    """Chi-square over 60 bins of 6000 draws, at 5 sigma."""
    x = Funnel().sample(6000, 0.0, torch.Generator().manual_seed(0), DOUBLE)
    assert_law(x[:, 0], stats.norm(0, 3).cdf)
    assert_law(x[:, 1:].square().sum(1) * (-x[:, 0]).exp(), stats.chi2(9).cdf)


@pytest.mark.parametrize("t", [0.3, 1.5])
def test_moments_of_noised_samples(t: float) -> None:
    """``Var x_1 = a^2 scale^2 + s^2`` and ``Var x_i = a^2 e^(scale^2 / 2) + s^2``, n = 100 000."""
    x = Funnel(4, 0.5).sample(100_000, t, torch.Generator().manual_seed(1), DOUBLE)
    a2, s2 = math.exp(-2 * t), -math.expm1(-2 * t)
    variances = [a2 * 0.25 + s2, *[a2 * math.exp(0.125) + s2] * 3]
    assert_moments(x, np.zeros(4), np.diag(variances))


def test_parameters_are_checked() -> None:
    with pytest.raises(ValueError, match="dimension must be at least 2, got 1"):
        Funnel(1)
    with pytest.raises(ValueError, match="scale must be positive and finite, got 0"):
        Funnel(scale=0.0)
