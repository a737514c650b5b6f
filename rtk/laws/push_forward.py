"""Laws on a grid in one dimension under maps, with or without Gaussian noise behind them.

A law is a vector of the probabilities of equal cells, as in `rtk.laws.grid`.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from rtk.laws.grid import COARSEST, Array, Grid


def edges(grid: Grid) -> Array:
    """The ends of the cells, shape (cells + 1,)."""
    return np.linspace(grid.low, grid.high, grid.cells + 1)


def push_forward(law: Array, start: Grid, images: Array, grid: Grid) -> Array:
    """The law of ``f(x)`` for an increasing ``f``.

    The probability of ``f(x) < y`` is that of ``x < f^-1(y)``. The inverse is interpolated by
    monotone cubics and the distribution function of ``x`` by cubics, so that the error is of third
    order in the spacing.

    Args:
        law: of ``x``, shape (n,), on the grid ``start``.
        images: ``f`` at the ends of the cells of ``x``, shape (n + 1,).
        grid: of ``f(x)``. What falls beyond it is counted in the cells at its ends.

    Raises:
        ValueError: if the images do not increase.
    """
    if not (np.diff(images) > 0.0).all():
        raise ValueError("the map is not increasing, so that its law is not known from its ends")
    inside = edges(grid)[1:-1].clip(images[0], images[-1])
    place = (PchipInterpolator(images, edges(start))(inside) - start.low) / start.spacing
    left, weights = cubic(place, start.cells)
    total = np.concatenate([[0.0], law.cumsum()])
    below = sum(weight * total[left + step] for step, weight in enumerate(weights, start=-1))
    return np.diff(np.concatenate([[0.0], below, [total[-1]]]))


def cubic(place: Array, last: int) -> tuple[NDArray[np.intp], tuple[Array, ...]]:
    """Interpolation at ``place`` between values at 0, 1 ... ``last``.

    Returns:
        ``k``, the value to the left of each place or nearly so, and the weights of the values at
        ``k - 1, k, k + 1, k + 2``.
    """
    left = np.floor(place).astype(int).clip(1, last - 2)
    f = place - left
    return left, (
        -f * (f - 1.0) * (f - 2.0) / 6.0,
        (f + 1.0) * (f - 1.0) * (f - 2.0) / 2.0,
        -(f + 1.0) * f * (f - 2.0) / 2.0,
        (f + 1.0) * f * (f - 1.0) / 6.0,
    )


def blurred(masses: Array, points: Array, grid: Grid, deviation: float) -> Array:
    """The law of ``point + N(0, deviation^2)``, for points that carry probabilities.

    Each mass is shared among the four centres around its point with the weights of cubic
    interpolation, which leaves an error of fourth order in the spacing. Then the trapezoid rule
    gives the convolution.

    Args:
        masses: shape (..., n).
        points: of the same shape.
        grid: of the law. Points beyond it are moved to its ends.
        deviation: standard deviation of the noise; at least the spacing over `COARSEST`.

    Returns:
        shape (..., cells), one law for each vector of masses.
    """
    if grid.spacing > COARSEST * deviation:
        raise ValueError(
            f"the grid is too coarse for noise of the deviation {deviation:.3g}: cells are "
            f"{grid.spacing:.3g} wide, expected at most {COARSEST * deviation:.3g}"
        )
    rows = masses.reshape(-1, masses.shape[-1])
    place = ((points - grid.centres[0]) / grid.spacing).clip(0.0, grid.cells - 1.0)
    left, weights = cubic(place.reshape(rows.shape), grid.cells - 1)
    first = grid.cells * np.arange(len(rows))[:, np.newaxis]
    shared = np.zeros(len(rows) * grid.cells)
    for step, weight in enumerate(weights, start=-1):
        index = (first + left + step).ravel()
        shared += np.bincount(index, (weight * rows).ravel(), len(shared))
    away = grid.centres - grid.centres[:, np.newaxis]
    density = np.exp(-0.5 * (away / deviation) ** 2) / (np.sqrt(2.0 * np.pi) * deviation)
    laws: Array = shared.reshape(len(rows), grid.cells) @ (grid.spacing * density)
    return laws.reshape(*masses.shape[:-1], grid.cells)
