"""Searches for the least number of steps, and grids of times for millions of steps."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rtk import process, segments
from rtk.segments import Times

Array = NDArray[np.float64]


def least(is_enough: Callable[[int], bool], start: int = 1, tolerance: float = 0.0) -> int:
    """The least number that is enough, by doubling and then bisection.

    Args:
        is_enough: whether a number is enough; if it is, so must be every larger one.
        start: the smallest number that is tried, at least 1.
        tolerance: by which part of itself the result may exceed the least number.
    """
    low = high = start
    while not is_enough(high):
        low, high = high, 2 * high
    while high - low > 1 and (high - low) / high > tolerance:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def log_snr_grid(t_start: float, t_end: float, count: int) -> Array:
    """Times of ``count`` steps of equal length in log-SNR and of a last one from ``t_end`` to 0.

    This is `rtk.segments.log_snr` as an array, for millions of steps. Shape (count + 2,).
    """
    ends = process.log_snr(t_start), process.log_snr(t_end)
    return np.append(0.5 * np.log1p(np.exp(-2.0 * np.linspace(*ends, count + 1))), 0.0)


def corrected_times(t_start: float, lipschitz: float) -> Times:
    """Ends of the equal segments of DPUM, at most ``1 / lipschitz`` long, down to 0."""
    return segments.uniform(math.ceil(t_start * lipschitz), t_start)


def quadratic_grid(t_start: float, count: int) -> Array:
    """Times ``t_start (1 - k / count)^2`` of the steps k = 0, ..., count, down to 0."""
    times: Array = t_start * np.linspace(1.0, 0.0, count + 1) ** 2
    return times
