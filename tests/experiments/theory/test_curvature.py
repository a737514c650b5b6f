"""Curvature of mixtures: spectra, the search for the Lipschitz constant, and its analytic bound."""

import math

import pytest
import torch

import rtk
from experiments.theory import curvature, two_modes
from rtk import targets


def test_spectrum_of_one_gaussian() -> None:
    gaussian = rtk.GaussianMixture([1.0], [[0.0, 0.0]], [[0.5, 2.0]])
    x = torch.zeros(3, 2, dtype=torch.float64)
    low, high = curvature.spectrum(gaussian, x, 0.0)
    assert low.tolist() == pytest.approx([0.5] * 3)
    assert high.tolist() == pytest.approx([2.0] * 3)


@pytest.mark.parametrize("points", [100, 1000])
def test_the_ascent_finds_the_supremum_whatever_the_samples(points: int) -> None:
    """On `chessboard` it is approached far out, halfway between two outer modes that are 0.5 apart.

    ``L = 0.5^2 / (4 v^2) - 1 / v`` in the limit; the ascent comes within 0.2 % of it.
    """
    mixture = targets.chessboard()
    samples = mixture.sample(points, 0.0, torch.Generator().manual_seed(1), torch.float64)
    points_searched = curvature.search_points(mixture, samples, 0.0)
    supremum = 0.25**2 / 0.007**2 - 1 / 0.007
    assert curvature.lipschitz_constant(mixture, samples, 0.0) == pytest.approx(supremum, rel=2e-3)
    assert len(points_searched) == points + 28 * curvature.POINTS_PER_PAIR + curvature.ASCENTS


@pytest.mark.parametrize("target", ["circle", "chessboard", "spiral"])
def test_the_analytic_bound_holds(target: str) -> None:
    mixture = targets.mixture(target)
    samples = mixture.sample(500, 0.0, torch.Generator().manual_seed(0), torch.float64)
    constant = curvature.lipschitz_constant(mixture, samples, 0.0)
    assert constant <= curvature.lipschitz_bound(mixture, 0.0) * (1 + 1e-9)


def test_the_analytic_bound_is_for_equal_components() -> None:
    assert math.isnan(curvature.lipschitz_bound(targets.mixture("separated"), 0.0))


@pytest.mark.parametrize("mode", [0.1, 1.0, 2.0])
def test_the_analytic_bound_is_attained_by_two_modes(mode: float) -> None:
    bound = curvature.lipschitz_bound(two_modes.target(mode), 0.0)
    assert bound == pytest.approx(two_modes.lipschitz(mode))
