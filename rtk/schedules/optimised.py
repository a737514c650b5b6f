"""Optimised time steps: the schedule that minimises the estimated error of a multistep solver.

Xue et al. 2024, arXiv 2402.17376. No model is needed. With ``lambda = log(a / s)``, the solver
replaces the denoised estimate ``D`` on a segment by the polynomial through its values at the start
of the segment and at the times before::

    x_(i+1) / s_(i+1) = x_i / s_i + sum_j w_ij D_j,    w_ij = int_i^(i+1) e^lambda l_ij dlambda

with the Lagrange polynomials ``l_ij`` in lambda. On the segments at either end the order is lower:
it is 1 on the first and on the last, 2 on those next to them. At the end of N segments ``D_j`` has
the weight ``sum_i w_ij``. If the error of the score is at most 1 at all times, that of ``D`` is at
most ``d = s^2 / a`` (Tweedie's formula), and the error at the end, divided by ``s``, is bounded by
``sum_j d_j |sum_i w_ij|``. What is minimised keeps the first three segments (i < 3) apart, so that
no schedule can cancel their errors against those of other segments::

    sum_(i < 3) (sum_j (w_ij d_j)^2)^(1/2) + sum_j d_j |sum_(i >= 3) w_ij|

This objective, the order 3 and the start at a grid uniform in lambda are those of the authors'
code, whose notes advise that start for models of pixels. So is the method, a trust region with
linear constraints. The minimum found is a local one, and for many segments not the lowest.
"""

import warnings
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from rtk import process, segments
from rtk.checks import check_count, check_positive
from rtk.segments import T_END, T_START, Times

Array = NDArray[np.float64]

# Exact to rounding for every length of a segment that occurs.
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(24)

ALONE = 3
"""Segments at the start whose errors are kept apart."""

SHORTEST = 1e-3
"""Shortest segment, relative to one of a grid uniform in lambda."""


@cache
def schedule(count: int, order: int = 3, t_start: float = T_START, t_end: float = T_END) -> Times:
    """The optimised schedule of ``count`` segments for a multistep solver of an order.

    Args:
        count: number of segments, at least 1.
        order: the highest order of the solver in the objective, at least 1, which is that of DDIM.
        t_start, t_end: ends of the schedule as OU times, ``t_start > t_end > 0``.

    Raises:
        ValueError: for numbers out of range.
    """
    count, order = check_count("count", count), check_count("order", order)
    segments.check_ends(t_start, check_positive("t_end", t_end))
    start = segments.log_snr(count, t_start, t_end)
    return start if count == 1 else _descend(start, order)


def error_estimate(log_snr: Array, order: int = 3) -> float:
    """The objective above for N + 1 increasing values of ``lambda``."""
    start = log_snr[:-1]
    of_estimate = np.sqrt(1.0 + np.exp(-2.0 * start)) / (1.0 + np.exp(2.0 * start))
    errors = of_estimate * solver_weights(log_snr, order)
    alone = np.arange(len(errors)) < ALONE
    return float(np.linalg.norm(errors[alone], axis=1).sum() + np.abs(errors[~alone].sum(0)).sum())


def solver_weights(log_snr: Array, order: int) -> Array:
    """``w_ij``, shape (N, N): row i is a segment, column j the time at which segment j begins."""
    count = len(log_snr) - 1
    weights = np.zeros((count, count))
    position = np.arange(count)
    orders = np.minimum(order, np.minimum(position + 1, count - position))
    for own in np.unique(orders):
        (rows,) = np.nonzero(orders == own)
        known = rows[:, None] - np.arange(own)
        weights[rows[:, None], known] = _integrals(log_snr[known], log_snr[rows + 1])
    return weights


def _integrals(known: Array, end: Array) -> Array:
    """``int e^lambda l_m dlambda`` from ``known[:, 0]`` to ``end`` by Gauss-Legendre; (n, k).

    ``l_m`` is the Lagrange polynomial that is 1 at ``known[:, m]`` and 0 at the other k - 1 values.
    """
    half = 0.5 * (end - known[:, 0])[:, None]
    points = known[:, :1] + half * (1.0 + NODES)
    measure = half * NODE_WEIGHTS * np.exp(points)
    columns = []
    for m in range(known.shape[1]):
        own, others = known[:, m, None, None], np.delete(known, m, 1)[:, None]
        basis = ((points[:, :, None] - others) / (own - others)).prod(2)
        columns.append((measure * basis).sum(1))
    return np.stack(columns, 1)


def _descend(times: Times, order: int) -> Times:
    """The times that the trust-region method reaches from these, their ends fixed."""
    log_snr = np.array([process.log_snr(t) for t in times])
    first, last, count = log_snr[0], log_snr[-1], len(times) - 1

    def objective(inner: Array) -> float:
        return error_estimate(np.concatenate(([first], inner, [last])), order)

    lengths = np.eye(count, count - 1) - np.eye(count, count - 1, -1)
    shortest = np.full(count, SHORTEST * (last - first) / count)
    shortest[[0, -1]] += first, -last
    increasing = optimize.LinearConstraint(lengths, shortest, np.inf, keep_feasible=True)
    with warnings.catch_warnings():
        # The last steps are of the size of rounding and need not change the gradient.
        warnings.filterwarnings("ignore", "delta_grad == 0.0", UserWarning)
        inner = optimize.minimize(
            objective, log_snr[1:-1], method="trust-constr", constraints=[increasing]
        ).x
    return (times[0], *(process.time_from_log_snr(value) for value in inner), times[-1])
