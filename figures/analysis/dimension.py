"""B4: score evaluations against the dimension at one accuracy, and how fast they grow."""

import pandas as pd

from figures.analysis import fit

EPS = 0.01
"""The total variation that all samplers are asked for."""


def costs(frame: pd.DataFrame, eps: float = EPS) -> dict[tuple[str, str], pd.DataFrame]:
    """The rows of whole chains at one accuracy, by sampler and rule for the step size.

    RTK-MALA also ran on one segment from two starts; of those only the warm start belongs to a
    whole chain.
    """
    rows = frame[
        (frame["metric"] == "nfe") & (frame["eps"] == eps) & frame["start"].isin(["", "warm"])
    ]
    groups = rows.sort_values("dimension", kind="stable").groupby(["method", "rule"], sort=False)
    return {(str(method), str(rule)): group for (method, rule), group in groups}


def exponent(rows: pd.DataFrame) -> fit.Line:
    """The fit of ``p`` in ``cost ~ d^p``; the cost is the column ``value``."""
    return fit.power_law(rows["dimension"], rows["value"])
