"""Distances between products against closed forms, plain quadrature and simulation."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from rtk.laws import gaussian, product
from rtk.laws.gaussian import Gaussian
from rtk.laws.grid import Grid

Array = NDArray[np.float64]
GRID = Grid(-12.0, 12.0, 2400)
DIMENSIONS = (1, 2, 3, 16, 256, 4096)
# Mean and variance of a law that is compared with N(0, 1).
OTHERS = ((0.3, 1.0), (0.02, 1.03), (0.0, 2.0), (1e-5, 1.0 + 1e-5))


def normal(mean: float, variance: float) -> Array:
    """The cells of ``N(mean, variance)``."""
    return GRID.law(-((GRID.centres - mean) ** 2) / (2.0 * variance))


def mixture(weight: float, shift: float, variance: float) -> Array:
    """The cells of a skewed law: ``w N(-1/2, v) + (1 - w) N(6/5 + shift, 4/5)``."""
    parts = zip((weight, 1.0 - weight), (-0.5, 1.2 + shift), (variance, 0.8), strict=True)
    density = sum(w * stats.norm.pdf(GRID.centres, m, v**0.5) for w, m, v in parts)
    return GRID.law(np.log(density))


SKEWED = mixture(0.7, 0.0, 0.3)
NEAR = (mixture(0.7, 0.1, 0.33), mixture(0.75, 0.0, 0.3), mixture(0.7, 0.002, 0.3))


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_distances_of_gaussians(other: tuple[float, float], dimension: int) -> None:
    """The closed forms of `rtk.laws.gaussian` to 1e-6; the kink costs h^2 in one dimension."""
    p, q = normal(0.0, 1.0), normal(*other)
    m, v = other
    exact = Gaussian([0.0], [1.0]).power(dimension), Gaussian([m], [v]).power(dimension)
    tv = product.tv(p, q, dimension)
    assert tv == pytest.approx(gaussian.tv(*exact), rel=2e-5 if dimension == 1 else 1e-6)
    assert product.kl(p, q, dimension) == pytest.approx(gaussian.kl(*exact), rel=1e-6)
    # H^2 = 1 - rho^d, with the affinity rho of two Gaussians.
    rho = (2.0 * v**0.5 / (1.0 + v)) ** 0.5 * np.exp(-(m**2) / (4.0 * (1.0 + v)))
    hellinger = product.hellinger(p, q, dimension)
    assert hellinger**2 == pytest.approx(-np.expm1(dimension * np.log(rho)), rel=1e-5)


@pytest.mark.parametrize("other", NEAR)
def test_tv_in_two_dimensions(other: Array) -> None:
    """All cells of the plane; the cutoff leaves a relative error below 1e-4."""
    plain = 0.5 * np.abs(np.outer(SKEWED, SKEWED) - np.outer(other, other)).sum()
    assert product.tv(SKEWED, other, 2) == pytest.approx(plain, rel=1e-4)


@pytest.mark.parametrize("dimension", [8, 64])
def test_tv_by_simulation(dimension: int) -> None:
    """``TV = E_P max(0, 1 - q/p)`` over n = 200 000 draws, to 5 standard errors of the mean."""
    n, other = 200_000, NEAR[0]
    draws = np.random.default_rng(0).choice(GRID.cells, (n, dimension), p=SKEWED)
    ratio = (np.log(other) - np.log(SKEWED))[draws].sum(1)
    short = np.maximum(0.0, -np.expm1(ratio))
    error = short.std() / n**0.5
    assert abs(product.tv(SKEWED, other, dimension) - short.mean()) <= 5.0 * error


@pytest.mark.parametrize("dimension", DIMENSIONS)
@pytest.mark.parametrize("other", NEAR)
def test_inequalities(other: Array, dimension: int) -> None:
    """``H^2 <= TV <= H (2 - H^2)^(1/2)`` and ``TV <= (KL / 2)^(1/2)``."""
    tv = product.tv(SKEWED, other, dimension)
    h = product.hellinger(SKEWED, other, dimension)
    assert h**2 <= tv * (1.0 + 1e-8) <= h * (2.0 - h**2) ** 0.5 * (1.0 + 2e-8)
    assert tv <= (0.5 * product.kl(SKEWED, other, dimension)) ** 0.5


def test_cells_that_one_law_does_not_reach() -> None:
    """Two uniform laws of which a quarter is shared: ``TV = 1 - 4^-d``, from cell counts."""
    p, q = np.r_[np.full(4, 0.25), np.zeros(3)], np.r_[np.zeros(3), np.full(4, 0.25)]
    assert product.tv(p, q, 1) == pytest.approx(0.75)
    assert product.hellinger(p, q, 3) ** 2 == pytest.approx(1.0 - 4.0**-3)
    assert product.kl(p, q, 1) == np.inf


def test_equal_laws() -> None:
    """No distance, and no division by the scale of a ratio that is zero."""
    for distance in (product.tv, product.kl, product.hellinger):
        assert distance(SKEWED, SKEWED, 16) == 0.0


@pytest.mark.parametrize(
    ("p", "q", "dimension", "message"),
    [
        (np.ones(1), np.full(2, 0.5), 1, "one length"),
        (np.array([1.5, -0.5]), np.full(2, 0.5), 1, "probabilities"),
        (np.full(2, 0.6), np.full(2, 0.5), 1, "probabilities"),
        (np.full(2, 0.5), np.full(2, 0.5), 0, "dimension"),
    ],
)
def test_wrong_arguments(p: Array, q: Array, dimension: int, message: str) -> None:
    """Each is named."""
    for distance in (product.tv, product.kl, product.hellinger):
        with pytest.raises(ValueError, match=message):
            distance(p, q, dimension)


def test_ratio_without_a_scale() -> None:
    """Where both laws are positive their ratio is one, so that nothing gives the cutoff."""
    p, q = np.array([0.5, 0.5, 0.0]), np.array([0.0, 0.5, 0.5])
    with pytest.raises(ArithmeticError, match="ratio"):
        product.tv(p, q, 2)
