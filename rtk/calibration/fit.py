"""The coefficients of the steps, by least squares on the pilot's trajectories."""

import numpy as np

from rtk.calibration.moments import Array, Moments

RIDGE = 1e-5
"""Weight of the ridge penalty, relative to the diagonal of the normal equations."""


def coefficients(moments: Moments, start: int, end: int, known: list[int]) -> tuple[Array, float]:
    """``k`` that minimises ``E |T - sum_j k_j r_j|^2`` for the change from one level to another.

    Args:
        moments: of the pilot.
        start, end: indices of the levels.
        known: indices of the levels whose residuals are known, shape (h,).

    Returns:
        the coefficients (h,), and the mean square per coordinate that is left.
    """
    gram = moments.residuals[np.ix_(known, known)]
    mixed = moments.mixed[end, start, known]
    scale = np.sqrt(np.maximum(np.diag(gram), 1e-300))
    normal = gram / np.outer(scale, scale) + RIDGE * np.eye(len(known))
    k = np.linalg.solve(normal, mixed / scale) / scale
    left = moments.changes[end, start] - 2.0 * k @ mixed + k @ gram @ k
    return k, max(float(left), 0.0)
