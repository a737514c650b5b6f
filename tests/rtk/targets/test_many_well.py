"""Double wells against their textbook integral, closed forms and laws of their samples."""

import math
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from scipy import integrate, stats

from rtk.targets import ManyWell
from tests.oracles import DOUBLE, assert_average, assert_law, assert_moments, cdf_on_grid
from tests.rtk.targets.oracles import TIMES, assert_integral, assert_normalised, noised_samples


def well_density(x: list[Any], a: float, s2: float) -> Any:
    def mass(y: Any) -> Any:
        return mpmath.exp(6 * y**2 - y**4 + y / 2)

    ends = [-5, -1.7, 0, 1.7, 5]
    total = mpmath.quad(mass, ends)
    centre = x[0] / a
    near = sorted([*ends, centre - 0.1, centre, centre + 0.1])
    s = mpmath.sqrt(s2)
    return mpmath.quad(lambda y: mass(y) * mpmath.npdf(x[0], a * y, s), near) / total


@pytest.mark.parametrize("t", TIMES)
def test_against_mpmath(t: float) -> None:
    assert_integral(ManyWell(1, 1), well_density, [0.4], t)


@pytest.mark.parametrize("t", [0.0, 0.2])
def test_log_prob_is_normalised(t: float) -> None:
    assert_normalised(ManyWell(1, 1), t)


def test_time_zero() -> None:
    x = noised_samples(ManyWell(), 20, 0.0)
    wells, normals = x[:, :4], x[:, 4:]
    slope = torch.cat((-4 * wells**3 + 12 * wells + 0.5, -normals), 1)
    torch.testing.assert_close(ManyWell().score(x, 0.0), slope)
    mass, _ = integrate.quad(lambda y: np.exp(6 * y**2 - y**4 + y / 2), -4, 4, points=[-1.7, 1.7])
    wells_log_prob = (6 * wells**2 - wells**4 + wells / 2 - math.log(mass)).sum(1)
    expected = wells_log_prob.numpy() + stats.norm.logpdf(normals).sum(1)
    np.testing.assert_allclose(ManyWell().log_prob(x, 0.0), expected, rtol=1e-10)


def test_deepest_well() -> None:
    slope = 4 * ManyWell.DEEPEST**3 - 12 * ManyWell.DEEPEST - 0.5
    assert abs(slope) < 1e-8


GRID = np.linspace(-4.0, 4.0, 40_001)
WELL = np.exp(6 * GRID**2 - GRID**4 + GRID / 2)


def test_law_of_samples() -> None:
    """Chi-square over 60 bins of 6000 draws, at 5 sigma."""
    x = ManyWell().sample(6000, 0.0, torch.Generator().manual_seed(0), DOUBLE)
    for i in range(4):
        assert_law(x[:, i], cdf_on_grid(WELL, GRID))
    assert_law(x[:, 4], stats.norm.cdf)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_shares_of_the_wells_in_every_dtype(dtype: torch.dtype) -> None:
    """The mass of the well on the right, n = 200 000."""
    x = ManyWell(1, 1).sample(200_000, 0.0, torch.Generator().manual_seed(2), dtype)
    assert_average((x > 0).double(), WELL[GRID > 0].sum() / WELL.sum())


@pytest.mark.parametrize("t", [0.3, 1.5])
def test_moments_of_noised_samples(t: float) -> None:
    """Two wells and a normal, n = 100 000; the moments of a well are sums over a fine grid."""
    x = ManyWell(3, 2).sample(100_000, t, torch.Generator().manual_seed(1), DOUBLE)
    a, s2 = math.exp(-t), -math.expm1(-2 * t)
    mean = (WELL * GRID).sum() / WELL.sum()
    variance = a**2 * ((WELL * GRID**2).sum() / WELL.sum() - mean**2) + s2
    assert_moments(x, np.array([a * mean, a * mean, 0.0]), np.diag([variance, variance, 1.0]))


def test_parameters_are_checked() -> None:
    with pytest.raises(ValueError, match="dimension must be at least 4, got 3"):
        ManyWell(3, 4)
