"""The coefficients of the steps, by least squares on the pilot's trajectories."""

import numpy as np
import torch
from torch import Tensor

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
    k = solve(gram, mixed)
    left = moments.changes[end, start] - 2.0 * k @ mixed + k @ gram @ k
    return k, max(float(left), 0.0)


def regression(change: Tensor, residuals: list[Tensor]) -> tuple[float, ...]:
    """``k`` that minimises ``|change - sum_j k_j r_j|^2`` over all chains and coordinates.

    Args:
        change: shape (chains, d).
        residuals: the ``r_j``, of the same shape.
    """
    rows = torch.stack([residual.flatten() for residual in residuals])
    gram, mixed = (rows @ rows.T).numpy(), (rows @ change.flatten()).numpy()
    return tuple(float(k) for k in solve(gram, mixed))


def solve(gram: Array, mixed: Array) -> Array:
    """The solution of the normal equations, with a ridge relative to their diagonal."""
    scale = np.sqrt(np.maximum(np.diag(gram), 1e-300))
    normal = gram / np.outer(scale, scale) + RIDGE * np.eye(len(scale))
    return np.linalg.solve(normal, mixed / scale) / scale
