"""Rates of growth: straight lines and power laws through measurements, with intervals."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats


class Line(NamedTuple):
    """The line ``y = intercept + slope x``, the 95 % interval of its slope, and ``r^2``.

    The interval is that of Student's t for the scatter about the line. If the measurements have no
    noise, it shows how far they are from a line, not how uncertain they are.
    """

    slope: float
    low: float
    high: float
    intercept: float
    r_squared: float

    def numbers(self, name: str) -> dict[str, float]:
        """The slope and the ends of its interval, as ``name``, ``name_low`` and ``name_high``."""
        return {name: self.slope, f"{name}_low": self.low, f"{name}_high": self.high}

    def power(self, x: ArrayLike) -> NDArray[np.float64]:
        """The power law ``exp(intercept) x^slope``, if the line is one that `power_law` fitted."""
        return np.asarray(np.exp(self.intercept) * np.asarray(x, dtype=float) ** self.slope)


def line(x: ArrayLike, y: ArrayLike) -> Line:
    """The line of least squares through three or more points.

    Args:
        x: abscissas, of shape (n,).
        y: ordinates, of shape (n,).

    Raises:
        ValueError: if there are fewer than three points, or if one is not finite.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 3:
        raise ValueError(f"expected three or more points, got shapes {x.shape} and {y.shape}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("expected finite points")
    fitted = stats.linregress(x, y)
    half_width = float(stats.t.ppf(0.975, len(x) - 2) * fitted.stderr)
    slope = float(fitted.slope)
    return Line(
        slope, slope - half_width, slope + half_width, float(fitted.intercept), fitted.rvalue**2
    )


def power_law(x: ArrayLike, y: ArrayLike) -> Line:
    """The power law ``y = exp(intercept) x^slope``: `line` through the logarithms of both.

    Raises:
        ValueError: if a value is not positive, and as `line` does.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if not ((x > 0).all() and (y > 0).all()):
        raise ValueError("a power law needs positive values")
    return line(np.log(x), np.log(y))
