"""Errors beyond those of exact samples, the unit of every comparison of samplers."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEAST = 0.1
"""The smallest excess, in floors. What lies closer to the floor cannot be told from it."""


def excess(error: ArrayLike, floor: ArrayLike) -> NDArray[np.float64]:
    """``max(error - floor, 0.1 floor)``.

    Args:
        error: errors of samplers.
        floor: the error that as many exact samples have on average; positive.

    Raises:
        ValueError: for a floor that is not positive.
    """
    error, floor = np.asarray(error, dtype=np.float64), np.asarray(floor, dtype=np.float64)
    if not (floor > 0.0).all():
        raise ValueError(f"the floor must be positive, got {floor}")
    return np.maximum(error - floor, LEAST * floor)
