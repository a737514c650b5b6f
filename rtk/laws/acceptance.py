"""How often MALA accepts on a product of kernels, in any dimension, without Monte Carlo noise.

In d dimensions a proposal is accepted with probability ``min(1, exp(-sum_i Delta_i))``, one term of
`rtk.mcmc.mala` for each coordinate. At stationarity, with the law P of a point and its proposal
and the law Q of the same pair exchanged,

    E min(1, exp(-sum_i Delta_i)) = int min(P, Q) = 1 - TV(P, Q),

since ``Q = exp(-Delta) P``. On a product of kernels both laws are products, so `rtk.laws.product`
has the acceptance in any dimension by Fourier inversion.
"""

from dataclasses import replace

import numpy as np

from rtk.energy import Exact
from rtk.kernel import Point, ReverseTransition
from rtk.laws import product
from rtk.laws.gaussian import Gaussian
from rtk.laws.grid import Array, Grid, start_law
from rtk.mcmc.mala import proposal_ratio

NOISE = Grid(-6.5, 6.5, 40)
"""Grid of the normal draw of a proposal."""
BINS = 4000
"""Cells of the logarithm of the ratio Q / P."""
UNLIKELY = 1e-14
"""Points of less probability are left out."""
LOWEST = -300.0
"""Smaller logarithms of the ratio are raised to this, so that P / Q is finite."""


def expected_acceptance(
    kernel: ReverseTransition, masses: Array, grid: Grid, step_size: float, dimension: int
) -> float:
    """The mean acceptance of a step from the kernel itself, on ``dimension`` equal coordinates.

    Each coordinate has a state x of its own, drawn from ``masses``.

    Args:
        kernel: one chain in one dimension for each state x, shape (m, 1); it has a log_prob.
        masses: probabilities of these states, shape (m,).
        grid: of z, whose cells resolve the kernels.
        step_size: ``tau``.
        dimension: number of coordinates.

    Returns:
        The acceptance, with an error below 2e-6 in many dimensions and of up to 1e-4 in one or two,
        where the kinks of TV cost h^2.

    Raises:
        ValueError: for a kernel without log_prob.
    """
    p, q = move_laws(kernel, masses, grid, step_size)
    return 1.0 - product.tv(p, q, dimension, tolerance=1e-5)


def move_laws(
    kernel: ReverseTransition, masses: Array, grid: Grid, step_size: float
) -> tuple[Array, Array]:
    """P and Q of one coordinate, as probabilities of the cells of ``log(Q / P)``.

    The integral over a state x, a point z of its kernel and the normal draw is a trapezoid sum.
    Points with nearly the same ratio share one of `BINS` equal cells, which lowers the total
    variation by a term of second order in the width of a cell.

    Returns:
        Two vectors of at most `BINS` probabilities each.
    """
    if kernel.log_prob is None:
        raise ValueError("the acceptance needs the kernel's log_prob")
    m, n, k = len(kernel.x), grid.cells, NOISE.cells
    z = grid.points.repeat(m, 1)
    here_kernel = replace(kernel, x=kernel.x.repeat_interleave(n, 0))
    here = here_kernel.at(z)
    assert here.log_prob is not None
    potential = here_kernel.tilt_difference(0.0 * z, z) - here.log_prob
    rows = np.stack([grid.law(-row) for row in potential.numpy().reshape(m, n)])
    law = (masses[:, np.newaxis] * rows).ravel()
    weights = np.outer(law, start_law(Gaussian([0.0], [1.0]), NOISE)).ravel()
    at = np.flatnonzero(weights > UNLIKELY)
    start, draw = at // k, NOISE.points[at % k]
    here = Point(z[start], here.gradient[start], here.log_prob[start])
    kernels = replace(kernel, x=here_kernel.x[start])
    there = kernels.at(here.z - step_size * here.gradient + (2.0 * step_size) ** 0.5 * draw)
    delta = Exact()(kernels, here, there) + proposal_ratio(here, there, step_size)
    return _gathered(weights[at], np.maximum(-delta.numpy(), LOWEST))


def _gathered(p: Array, ratio: Array) -> tuple[Array, Array]:
    """The masses p, and ``p exp(ratio)``, by cells of the ratio; empty cells are left out."""
    width = (ratio.max() - ratio.min()) / (BINS - 1)
    cell = np.rint((ratio - ratio.min()) / width).astype(int)
    totals: Array = np.stack([np.bincount(cell, mass, BINS) for mass in (p, p * np.exp(ratio))])
    totals = totals[:, totals[0] > 0.0]
    totals /= totals.sum(1, keepdims=True)
    return totals[0], totals[1]
