"""The exact law of MALA on ``N(0, I)`` in any dimension, as a chain of the radius on a grid."""

import numpy as np
import torch
from scipy.special import gammaln, hyp0f1, ive
from scipy.stats import chi

from rtk.energy import Exact
from rtk.kernel import ReverseTransition
from rtk.laws.grid import Array, Grid, acceptance, check_spacing, complete, on_grid
from rtk.targets.gaussian_mixture import GaussianMixture


def mala_matrix(grid: Grid, dimension: int, step_size: float) -> Array:
    """MALA on ``N(0, I)`` in ``dimension`` dimensions, as a chain of the radius ``r = |z|``.

    From a law that knows no direction the radius is a Markov chain. Its proposal is the noncentral
    chi law of ``|(1 - tau) z + (2 tau)^(1/2) xi|``; with ``a = |1 - tau| r``, ``s^2 = 2 tau`` and
    ``n = d/2 - 1``::

        q(r' | r) = (r' / s^2) (r' / a)^n exp(-(r'^2 + a^2) / (2 s^2)) I_n(r' a / s^2),

    and the acceptance depends on the radii alone, so it is that of one dimension.

    Args:
        grid: of radii, ``low >= 0``; TV between such laws is TV between those of the radius.
    """
    if grid.low < 0.0 or step_size == 1.0:
        raise ValueError(f"need low >= 0 and step_size not 1, got {grid} and {step_size}")
    normal = GaussianMixture(torch.ones(1), torch.zeros(1, 1), 1.0)
    origin = torch.zeros(1, 1, dtype=torch.float64)
    line = ReverseTransition(normal.score, origin, 40.0, 0.0, normal.log_prob)
    radius = grid.centres
    drifted = abs(1.0 - step_size) * radius[:, np.newaxis]
    variance, order = 2.0 * step_size, 0.5 * dimension - 1.0
    log_bessel = _log_ive(order, radius * drifted / variance)
    proposals = (grid.spacing * radius / variance) * np.exp(
        order * np.log(radius / drifted) - (radius - drifted) ** 2 / (2.0 * variance) + log_bessel
    )
    check_spacing(grid, step_size)
    kernels, points = on_grid(line, grid, with_log_prob=True)
    return complete(proposals * acceptance(kernels, points, step_size, Exact()))


def law(grid: Grid, dimension: int, variance: float = 1.0) -> Array:
    """Law of the radius under ``N(0, variance I)``."""
    return grid.law(chi.logpdf(grid.centres / variance**0.5, dimension))


def _log_ive(order: float, x: Array) -> Array:
    """``log(e^-x I_order(x))``, also where the Bessel function itself underflows.

    There ``I_n(x) = (x/2)^n 0F1(n + 1; x^2 / 4) / Gamma(n + 1)``, whose 0F1 does not.
    """
    bessel = ive(order, x)
    small = bessel < 1e-290
    y = x[small]
    log_bessel: Array = np.log(np.where(small, 1.0, bessel))
    log_bessel[small] = (
        order * np.log(0.5 * y) - gammaln(order + 1.0) + np.log(hyp0f1(order + 1.0, y**2 / 4)) - y
    )
    return log_bessel
