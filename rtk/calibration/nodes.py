"""Where to spend the scores: noise levels by dynamic programming.

A plan goes from level 0 with the flow of the base alone to its first node, then from node to
node, and from the last one to ``sigma = 0``. A step ``current -> next`` that knows the residual of
the node before, too, leaves the mean square ``q(before, current, next)`` unexplained. The plan
minimises the sum of ``(sigma_next^2 + w)^(-beta) q`` over its steps.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rtk.calibration.fit import RIDGE
from rtk.calibration.moments import Array, Moments


def choose(moments: Moments, count: int, width: float, beta: float) -> list[int]:
    """The indices of the levels of the best plan.

    Args:
        moments: of the pilot.
        count: number of nodes, at least 1 and at most the number of levels less one.
        width: ``w``, the variance at which errors are no longer weighted more.
        beta: the exponent of the weight.
    """
    end = len(moments.residuals)
    weight = (moments.sigmas**2 + width) ** -beta
    first, second, later = (weight[: part.shape[-1]] * part for part in unexplained(moments))
    if count == 1:
        return [int((first + second[:, end]).argmin())]
    # At [current, before]: the cost of the best way to current as the node after before. The axis
    # that is searched comes last, which is fastest.
    reach = (first[:, None] + second[:, :end]).T
    between = np.ascontiguousarray(later[:, :, :end].transpose(1, 2, 0))
    back: list[NDArray[np.intp]] = []
    for _ in range(count - 2):
        through = between + reach[:, None, :]
        back.append(through.argmin(2))
        reach = through.min(2).T
    return _trace(reach.T + later[:, :, end], back)


def _trace(final: Array, back: list[NDArray[np.intp]]) -> list[int]:
    """The plan that ends at the smallest cost, from its last two nodes back to the first one."""
    before, current = np.unravel_index(final.argmin(), final.shape)
    nodes = [int(current), int(before)]
    for table in reversed(back):
        nodes.append(int(table[nodes[-1], nodes[-2]]))
    return nodes[::-1]


@lru_cache(maxsize=1)
def unexplained(moments: Moments) -> tuple[Array, Array, Array]:
    """`start`, `one_residual` and `two_residuals`, kept for the next plan with the same moments."""
    return start(moments), one_residual(moments), two_residuals(moments)


def start(moments: Moments) -> Array:
    """Mean square left at each level by the base's flow from level 0 and the level's residual."""
    levels = len(moments.residuals)
    mixed = np.array([moments.mixed[k, 0, k] for k in range(levels)])
    square = np.maximum(np.diag(moments.residuals), 1e-300)
    return np.maximum(moments.changes[:levels, 0] - mixed**2 / square, 0.0)


def one_residual(moments: Moments) -> Array:
    """Mean square left at [current, next], infinite unless the two are in order."""
    levels = len(moments.residuals)
    mixed = np.einsum("kii->ik", moments.mixed)
    square = np.maximum(np.diag(moments.residuals), 1e-300)
    left = moments.changes.T - mixed**2 / square[:, None]
    current, after = np.ogrid[:levels, : levels + 1]
    return np.where((current >= 1) & (current < after), np.maximum(left, 0.0), np.inf)


def two_residuals(moments: Moments) -> Array:
    """Mean square left at [before, current, next], infinite unless the three are in order."""
    levels = len(moments.residuals)
    square = np.maximum(np.diag(moments.residuals), 1e-300)
    scale = np.sqrt(square)
    cosine = moments.residuals / np.outer(scale, scale)
    # b[current, next]: <T, r_current>; p[before, current, next]: <T, r_before>, both scaled.
    b = np.einsum("kii->ik", moments.mixed) / scale[:, None]
    p = np.transpose(moments.mixed, (2, 1, 0)) / scale[:, None, None]
    ridge = 1.0 + RIDGE
    determinant = ridge**2 - cosine**2
    x = (ridge * b[None] - cosine[:, :, None] * p) / determinant[:, :, None]
    w = (ridge * p - cosine[:, :, None] * b[None]) / determinant[:, :, None]
    left = (
        moments.changes.T[None]
        - 2.0 * (x * b[None] + w * p)
        + x**2
        + w**2
        + 2.0 * cosine[:, :, None] * x * w
    )
    before, current, after = np.ogrid[:levels, :levels, : levels + 1]
    ordered = (before >= 1) & (before < current) & (current < after)
    return np.where(ordered, np.maximum(left, 0.0), np.inf)
