"""Score evaluations for a total variation, and local exponents, on products of one law."""

import math

import numpy as np
import pandas as pd

from figures.analysis.frames import where

SMALL = 0.3
"""Largest TV at which the growth with the dimension is read: beyond it the TV nears one."""


def needed(rows: pd.DataFrame, eps: float) -> float:
    """Score evaluations to ``eps``, by interpolation between the logarithms of rows.

    NaN if the rows, which have one dimension, lie all above or all below ``eps``.
    """
    rows = rows.sort_values("value")
    if not rows["value"].iloc[0] <= eps <= rows["value"].iloc[-1]:
        return math.nan
    return float(np.exp(np.interp(np.log(eps), np.log(rows["value"]), np.log(rows["nfe"]))))


def exponents(rows: pd.DataFrame) -> dict[str, float]:
    """Local exponents of one solver's cost on one shape.

    With ``TV ~ NFE^-p d^q`` the cost of a TV of eps is ``eps^(-1/p) d^(q/p)``. The order p is that
    between the two largest NFE in the smallest dimension, and q that between the two largest
    dimensions whose TV is below `SMALL` at the largest NFE.

    Returns:
        ``eps``, the exponent ``1 / p``, ``dimension``, the exponent ``q / p``, and ``last``, the
        larger of the two dimensions.
    """
    finest = where(rows, dimension=rows["dimension"].min()).sort_values("nfe")
    order = -_slope(finest["nfe"], finest["value"])
    largest = where(rows, nfe=rows["nfe"].max()).sort_values("dimension")
    small = largest[largest["value"] < SMALL]
    growth = _slope(small["dimension"], small["value"])
    return {
        "eps": 1.0 / order,
        "dimension": growth / order,
        "last": float(small["dimension"].iloc[-1]),
    }


def _slope(x: pd.Series, y: pd.Series) -> float:
    """The slope of ``log y`` against ``log x`` between the last two rows."""
    return float(np.diff(np.log(y))[-1] / np.diff(np.log(x))[-1])
