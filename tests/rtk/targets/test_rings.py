"""Rings against their closed form in mpmath and laws of their samples."""

import math
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from scipy import stats

from rtk.targets import Rings
from tests.oracles import DOUBLE, Array, assert_law, assert_moments
from tests.rtk.targets.oracles import TIMES, assert_integral, assert_normalised


def rings_density(x: list[Any], a: float, s2: float) -> Any:
    spread = a**2 * 0.01 + s2
    square = sum(value**2 for value in x)
    radius = mpmath.sqrt(x[0] ** 2 + x[1] ** 2)
    ring = sum(
        weight
        * mpmath.exp(-(square + (a * rho) ** 2) / (2 * spread))
        * mpmath.besseli(0, radius * a * rho / spread)
        for rho, weight in ((1, mpmath.mpf("0.5")), (2, mpmath.mpf("0.3")), (3, mpmath.mpf("0.2")))
    )
    return ring * (2 * mpmath.pi * spread) ** (-mpmath.mpf(len(x)) / 2)


@pytest.mark.parametrize("t", TIMES)
def test_against_mpmath(t: float) -> None:
    assert_integral(Rings(3), rings_density, [0.9, -0.7, 0.2], t)


@pytest.mark.parametrize("t", [0.0, 0.2])
def test_log_prob_is_normalised(t: float) -> None:
    assert_normalised(Rings(2, (0.8, 1.6), (3.0, 1.0), 0.2), t)


def ring_cdf(r: Array) -> Array:
    """Distribution function of the distance from the origin: a mixture of Rice laws."""
    laws = [stats.rice(rho / 0.1, scale=0.1) for rho in (1.0, 2.0, 3.0)]
    return np.asarray(0.5 * laws[0].cdf(r) + 0.3 * laws[1].cdf(r) + 0.2 * laws[2].cdf(r))


def test_law_of_samples() -> None:
    """Chi-square over 60 bins of 6000 draws, at 5 sigma."""
    x = Rings().sample(6000, 0.0, torch.Generator().manual_seed(0), DOUBLE)
    assert_law(x[:, :2].norm(dim=1), ring_cdf)
    assert_law(torch.atan2(x[:, 1], x[:, 0]), stats.uniform(-np.pi, 2 * np.pi).cdf)
    assert_law(x[:, 5], stats.norm(0, 0.1).cdf)


@pytest.mark.parametrize("t", [0.3, 1.5])
def test_moments_of_noised_samples(t: float) -> None:
    """In the plane the variance is ``a^2 (E rho^2 / 2 + width^2) + s^2``; n = 100 000."""
    x = Rings(3, (1.0, 2.0), (0.75, 0.25), 0.2).sample(
        100_000, t, torch.Generator().manual_seed(1), DOUBLE
    )
    blur = math.exp(-2 * t) * 0.04 - math.expm1(-2 * t)
    plane = math.exp(-2 * t) * (0.75 + 4 * 0.25) / 2 + blur
    assert_moments(x, np.zeros(3), np.diag([plane, plane, blur]))


def test_parameters_are_checked() -> None:
    with pytest.raises(ValueError, match="as many positive radii as weights"):
        Rings(radii=(1.0, 2.0))
    with pytest.raises(ValueError, match="as many positive radii as weights"):
        Rings(radii=(1.0,), weights=(-1.0,))
    with pytest.raises(ValueError, match="width must be positive and finite, got -1"):
        Rings(width=-1.0)
