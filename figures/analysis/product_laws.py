"""Score evaluations for a total variation, and local exponents, on products of one law."""

import math

import numpy as np
import pandas as pd

from figures.analysis import fit
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
    """Local exponents of one sampler's cost on one shape.

    With ``TV ~ cost^-p d^q`` the cost of a TV of eps is ``eps^(-1/p) d^(q/p)``. The order p is that
    between the two largest costs in the smallest dimension, and q that between the two largest
    dimensions whose TV is below `SMALL` at the largest cost. There are two costs: score evaluations
    and, without the logarithm in the length of an inner chain, the inverse of the step. Steps of
    solvers are all of one length, so that the two agree.

    Returns:
        ``eps``, the exponent ``1 / p``, ``dimension``, the exponent ``q / p``, the same for the
        inverse step as ``step_eps`` and ``step_dimension``, and ``last``, the larger of the two
        dimensions.
    """
    rows = rows.sort_values(["nfe", "dimension"])
    finest = where(rows, dimension=rows["dimension"].min())
    largest = where(rows, nfe=rows["nfe"].max())
    small = largest[largest["value"] < SMALL]
    growth = last_slope(small["dimension"], small["value"])
    order = -last_slope(finest["nfe"], finest["value"])
    by_step = order
    if finest["step_size"].notna().all():
        by_step = -last_slope(1.0 / finest["step_size"], finest["value"])
    return {
        "eps": 1.0 / order,
        "dimension": growth / order,
        "step_eps": 1.0 / by_step,
        "step_dimension": growth / by_step,
        "last": float(small["dimension"].iloc[-1]),
    }


def metropolis_exponents(rows: pd.DataFrame) -> dict[str, float]:
    """Local exponents of RTK-MALA on one shape.

    Returns:
        ``eps``, the exponent of 1/TV in one dimension between the two largest numbers of score
        evaluations, ``dimension``, that of the inverse of the accepted step between the two largest
        dimensions ``last``, and ``geometric``, the share of the variance of log TV that a line in
        the inner steps explains.
    """
    chains = where(rows, metric="tv").sort_values("nfe")
    steps = where(rows, metric="step_size").sort_values("dimension")
    return {
        "eps": -1.0 / last_slope(chains["nfe"], chains["value"]),
        "dimension": -last_slope(steps["dimension"], steps["value"]),
        "last": float(steps["dimension"].iloc[-1]),
        "geometric": fit.line(chains["inner_steps"], np.log(chains["value"])).r_squared,
    }


def last_slope(x: pd.Series, y: pd.Series) -> float:
    """The slope of ``log y`` against ``log x`` between the last two rows; NaN for a single one."""
    if len(x) < 2:
        return math.nan
    return float(np.diff(np.log(y))[-1] / np.diff(np.log(x))[-1])
