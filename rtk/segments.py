"""Segments: the times, from noisy to clean, at which a sampler cuts the reverse path.

A grid is a decreasing tuple of OU times, and two consecutive times bound one segment (paper,
Algorithm 1). The functions here make grids of ``count`` segments from ``t_start`` to ``t_end``.
"""

import math
import operator
from collections.abc import Iterable, Sequence

import numpy as np

from rtk import process
from rtk.checks import check_count, check_number, check_positive

T_START = 5.0
T_END = 1e-4

LATEST = 300.0
"""Latest time of a segment: ``exp(2t)`` overflows soon after. At 20 no data are left in float64."""

Times = tuple[float, ...]


def uniform(count: int, t_start: float = T_START, t_end: float = 0.0) -> Times:
    """``count`` segments of equal length in t, the paper's choice."""
    check_ends(t_start, t_end)
    return _times(np.linspace(t_start, t_end, check_count("count", count) + 1))


def log_snr(count: int, t_start: float = T_START, t_end: float = T_END) -> Times:
    """``count`` segments of equal length in ``log(a_t / s_t)``; needs ``t_end > 0``."""
    check_ends(t_start, t_end)
    if t_end == 0:
        raise ValueError(f"a grid uniform in log-SNR needs t_end > 0, got {t_end}")
    grid = np.linspace(
        process.log_snr(t_start), process.log_snr(t_end), check_count("count", count) + 1
    )
    inner = [process.time_from_log_snr(value) for value in grid[1:-1]]
    return _times([t_start, *inner, t_end])


def power(
    count: int, t_start: float = T_START, t_end: float = T_END, exponent: float = 3.0
) -> Times:
    """``count`` segments between ``t_end + (t_start - t_end) u^exponent``, u uniform on [0, 1]."""
    check_ends(t_start, t_end)
    grid = np.linspace(1.0, 0.0, check_count("count", count) + 1)
    return _times(t_end + (t_start - t_end) * grid ** check_positive("exponent", exponent))


def karras(
    count: int, t_start: float = T_START, t_end: float = T_END, exponent: float = 7.0
) -> Times:
    """``count`` segments between which ``(s_t / a_t)^(1 / exponent)`` falls by equal amounts.

    The grid of EDM (Karras et al. 2022, arXiv 2206.00364, eq. 5), in its noise level
    ``s_t / a_t = (exp(2t) - 1)^(1/2)``.
    """
    check_ends(t_start, t_end)
    check_positive("exponent", exponent)
    roots = np.linspace(
        math.expm1(2.0 * t_start) ** (0.5 / exponent),
        math.expm1(2.0 * t_end) ** (0.5 / exponent),
        check_count("count", count) + 1,
    )
    inner = [0.5 * math.log1p(root ** (2.0 * exponent)) for root in roots[1:-1]]
    return _times([t_start, *inner, t_end])


def from_lipschitz(lipschitz: float, t_start: float = T_START, t_end: float = 0.0) -> Times:
    """The theory's segments, at most ``eta* = log(1 + 1/(2L)) / 2`` long (paper, RTK framework).

    If all scores are ``L``-Lipschitz, each kernel then satisfies ``L I <= hess g <= 3L I``.
    """
    check_ends(t_start, t_end)
    return uniform(math.ceil((t_start - t_end) / critical_length(lipschitz)), t_start, t_end)


def critical_length(lipschitz: float) -> float:
    """``eta* = log(1 + 1/(2L)) / 2``, for which ``1 / (e^2eta* - 1) = 2L``."""
    return 0.5 * math.log1p(0.5 / check_positive("lipschitz", lipschitz))


def check(times: Iterable[float]) -> Times:
    """The times as a tuple of floats; an error unless they decrease and end at 0 or above."""
    if isinstance(times, str) or not isinstance(times, Iterable):
        raise TypeError(f"segments must be a number or decreasing times, got {times!r}")
    return _check_order(tuple(check_number("each time of segments", t) for t in times))


def _check_order(grid: Times) -> Times:
    falling = all(map(operator.gt, grid, grid[1:]))
    if len(grid) < 2 or not falling or not (grid[-1] >= 0.0 and grid[0] <= LATEST):
        raise ValueError(
            f"segments must be two or more decreasing times >= 0, the first at most {LATEST:g}, "
            f"got {grid}"
        )
    return grid


def check_ends(t_hi: float, t_lo: float) -> None:
    """An error unless ``t_hi`` and ``t_lo`` can be the ends of one segment, or of a grid."""
    if not 0.0 <= check_number("t_lo", t_lo) < check_number("t_hi", t_hi) <= LATEST:
        raise ValueError(
            f"need 0 <= t_lo < t_hi, got t_lo={t_lo} and t_hi={t_hi}; in a grid they are t_end and "
            f"t_start, and no time is above {LATEST:g}"
        )


def _times(grid: Sequence[float] | np.ndarray) -> Times:
    return _check_order(tuple(map(float, grid)))
