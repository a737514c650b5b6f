"""Laws of maps on a grid, against densities in closed form."""

import numpy as np
import pytest
from scipy.stats import norm

from rtk.laws.grid import Array, Grid, tv
from rtk.laws.push_forward import blurred, edges, push_forward

GRID = Grid(-8.0, 8.0, 400)


def normal(mean: float, deviation: float, grid: Grid = GRID) -> Array:
    """The probabilities of the cells, from the distribution function."""
    return np.diff(norm.cdf(edges(grid), mean, deviation))


def test_law_of_an_affine_map() -> None:
    """``0.5 + 0.7 x`` is normal; the error of the interpolation is of third order or better."""
    errors = []
    for cells in (100, 200):
        grid = Grid(-8.0, 8.0, cells)
        found = push_forward(normal(0.3, 1.0, grid), grid, 0.5 + 0.7 * edges(grid), grid)
        errors.append(tv(found, normal(0.71, 0.7, grid)))
    assert errors[0] < 2e-3
    assert errors[1] < errors[0] / 7.0


def test_law_of_a_cubic_map_on_another_grid() -> None:
    """``P(x + x^3 / 10 < y) = P(x < root)``, with the root of the increasing cubic by numpy."""
    other = Grid(-20.0, 20.0, 300)
    found = push_forward(normal(0.0, 1.0), GRID, edges(GRID) + 0.1 * edges(GRID) ** 3, other)

    def inverse(y: float) -> float:
        roots = np.roots([0.1, 0.0, 1.0, -y])
        return float(roots[np.abs(roots.imag).argmin()].real)

    exact = np.diff(norm.cdf([inverse(y) for y in edges(other)]))
    assert tv(found, exact) < 1e-4
    assert found.sum() == pytest.approx(1.0, abs=1e-12)


def test_what_leaves_the_grid_is_counted_at_its_ends() -> None:
    narrow = Grid(-1.0, 1.0, 50)
    found = push_forward(normal(0.0, 1.0), GRID, edges(GRID), narrow)
    assert found.sum() == pytest.approx(1.0, abs=1e-12)
    assert found[0] == pytest.approx(norm.cdf(-1.0 + narrow.spacing), abs=1e-4)


def test_a_map_that_turns_is_refused() -> None:
    with pytest.raises(ValueError, match="not increasing"):
        push_forward(normal(0.0, 1.0), GRID, np.abs(edges(GRID)), GRID)


def test_noise_behind_a_map() -> None:
    """``0.5 + 0.7 x + 0.1 xi`` is normal with the sum of the variances.

    The error, of which shifts by fractions of a cell are part, is of fourth order.
    """
    errors = []
    for cells in (300, 600):
        grid = Grid(-8.0, 8.0, cells)
        law = grid.law(-0.5 * (grid.centres - 0.3) ** 2)
        found = blurred(law, 0.5 + 0.7 * grid.centres, grid, 0.1)
        exact = grid.law(-0.5 * (grid.centres - 0.71) ** 2 / (0.49 + 0.01))
        errors.append(tv(found, exact))
    assert errors[0] < 1e-4
    assert errors[1] < errors[0] / 10.0


def test_every_row_is_blurred_on_its_own() -> None:
    masses = np.stack([normal(0.0, 1.0), 0.25 * normal(1.0, 0.5)])
    points = np.stack([GRID.centres, GRID.centres - 0.37])
    together = blurred(masses, points, GRID, 0.2)
    for row in range(2):
        np.testing.assert_allclose(
            together[row], blurred(masses[row], points[row], GRID, 0.2), atol=1e-15
        )
    assert together.sum(1) == pytest.approx([1.0, 0.25], abs=1e-9)


def test_noise_that_the_grid_cannot_resolve_is_refused() -> None:
    with pytest.raises(ValueError, match="too coarse"):
        blurred(normal(0.0, 1.0), GRID.centres, GRID, 0.01)
