"""B3: curves of score evaluations against accuracy, and the exponents that are fitted to them."""

import pandas as pd

from figures.analysis import fit
from figures.analysis.frames import where

PREFIXES = {
    "rtk-mala": "mala",
    "rtk-uld": "uld",
    "rtk-ula": "ula",
    "ddpm": "ddpm",
    "ddim": "ddim",
    "dpm++2m": "dpm_solver",
    "dpum": "dpum",
}
"""The samplers of the study, and how the names of their numbers begin."""


def curve(frame: pd.DataFrame, study: str, method: str) -> pd.DataFrame:
    """The rows of one sampler in one part of the study, smallest ``eps`` first.

    In the part "rule" the column ``eps`` of the result is the total variation that was reached, and
    the column ``asked`` is the one that was asked for. In the other parts ``eps`` is the total
    variation asked for, and ``nfe`` the smallest number of score evaluations that reaches it.
    """
    rows = where(frame, study=study, method=method, metric="tv")
    if study == "rule":
        rows = rows.assign(asked=rows["eps"], eps=rows["value"])
    return rows.sort_values("eps")


def smallest_decades(rows: pd.DataFrame, decades: float = 3.0) -> pd.DataFrame:
    """The rows whose ``eps`` lies in the given number of decades above the smallest one."""
    return rows[rows["eps"] <= 10.0**decades * rows["eps"].min() * 1.001]


def exponent(rows: pd.DataFrame) -> fit.Line:
    """The fit of ``p`` in ``NFE ~ (1 / eps)^p`` over the smallest three decades of ``eps``."""
    fitted = smallest_decades(rows)
    return fit.power_law(1.0 / fitted["eps"], fitted["nfe"])
