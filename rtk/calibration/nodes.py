"""Where to spend the scores: noise levels by dynamic programming.

A plan goes from level 0 with the flow of the base alone to its first node, then from node to
node, and from the last one to ``sigma = 0``. A step ``current -> next`` that knows the residual of
the node before, too, leaves the mean square ``q(before, current, next)`` unexplained. The plan
minimises the sum of ``(sigma_next^2 + w)^(-beta) q`` over its steps.
"""

import numpy as np

from rtk.calibration.fit import RIDGE
from rtk.calibration.moments import Array, Moments


def choose(moments: Moments, counts: list[int], width: float, beta: float) -> dict[int, list[int]]:
    """For each number of nodes the indices of the levels of the best plan.

    Args:
        moments: of the pilot.
        counts: the numbers of nodes, each at least 1 and at most the number of levels less one.
        width: ``w``, the variance at which errors are no longer weighted more.
        beta: the exponent of the weight.
    """
    levels = len(moments.sigmas) - 1
    weight = (moments.sigmas**2 + width) ** -beta
    cost = weight * two_residuals(moments)
    # best[j][before, current]: cost of reaching the j-th node, current, by way of before.
    first = start(moments) * weight[:levels]
    single = weight[:, None] * one_residual(moments)
    reach = np.full((levels, levels), np.inf)
    allowed = np.triu(np.ones((levels, levels), bool), 1)
    allowed[0] = False
    reach[allowed] = (first[:, None] + single[:levels].T)[allowed]
    ends = {1: (float("inf"), [0])}
    single_end = first[1:] + single[levels, 1:]
    ends[1] = (float(single_end.min()), [1 + int(single_end.argmin())])
    plans: dict[int, list[int]] = {}
    back: list[np.ndarray] = []
    for count in range(1, max(counts) + 1):
        if count == 1:
            plans[1] = ends[1][1]
            continue
        final = reach + cost[:, :, levels]
        if count in counts:
            plans[count] = _trace(final, back)
        through = reach[:, :, None] + cost[:, :, :levels]
        back.append(through.argmin(0))
        reach = through.min(0)
    return {count: plans[count] for count in counts}


def _trace(final: Array, back: list[np.ndarray]) -> list[int]:
    before, current = np.unravel_index(final.argmin(), final.shape)
    nodes = [int(current), int(before)]
    for table in reversed(back):
        nodes.append(int(table[nodes[-1], nodes[-2]]))
    return nodes[::-1]


def start(moments: Moments) -> Array:
    """Mean square left at each level by the base's flow from level 0 and the level's residual."""
    levels = len(moments.residuals)
    mixed = np.array([moments.mixed[k, 0, k] for k in range(levels)])
    square = np.maximum(np.diag(moments.residuals), 1e-300)
    return np.maximum(moments.changes[:levels, 0] - mixed**2 / square, 0.0)


def one_residual(moments: Moments) -> Array:
    """Mean square left at [next, current] if only the residual of current is known."""
    mixed = np.einsum("kii->ki", moments.mixed)
    square = np.maximum(np.diag(moments.residuals), 1e-300)
    return np.maximum(moments.changes - mixed**2 / square, 0.0)


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
