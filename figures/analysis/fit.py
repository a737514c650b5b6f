"""Rates as slopes: straight lines through measurements, with confidence intervals."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats


class Line(NamedTuple):
    """``y ~ intercept + slope x``, the 95 % interval of the slope, and ``r^2``.

    The interval is Student's, from the scatter about the line: for noise-free measurements it tells
    how far they are from a line, not how uncertain they are.
    """

    slope: float
    low: float
    high: float
    intercept: float
    r_squared: float

    def numbers(self, name: str) -> dict[str, float]:
        """The slope under ``name``, and the ends of its interval under that with _low and _high."""
        return {name: self.slope, f"{name}_low": self.low, f"{name}_high": self.high}


def line(x: ArrayLike, y: ArrayLike) -> Line:
    """Least squares through three or more points; ValueError for fewer or ones not finite."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 3:
        raise ValueError(f"expected three or more points, got shapes {x.shape} and {y.shape}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("expected finite points")
    found = stats.linregress(x, y)
    reach = float(stats.t.ppf(0.975, len(x) - 2) * found.stderr)
    slope = float(found.slope)
    return Line(slope, slope - reach, slope + reach, float(found.intercept), found.rvalue**2)


def power_law(x: ArrayLike, y: ArrayLike) -> Line:
    """``y ~ exp(intercept) x^slope``: `line` through the logarithms; needs positive values."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if not ((x > 0).all() and (y > 0).all()):
        raise ValueError("a power law needs positive values")
    return line(np.log(x), np.log(y))
