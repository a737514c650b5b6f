"""B1: what the inner chain costs on segments of any length."""

import numpy as np
import pandas as pd

from rtk import segments

TITLES = {"circle": "circle", "mild": "six modes, overlapping", "separated": "six modes, apart"}
"""The targets in ten dimensions in print, by the name that each has in results."""


def values(frame: pd.DataFrame, metric: str) -> pd.Series:
    """The values of a metric for one target, by the length of the segment over ``eta*``."""
    by_ratio: pd.Series = frame[frame["metric"] == metric].set_index("ratio")["value"].sort_index()
    return by_ratio


def path_cost(frame: pd.DataFrame, metric: str) -> pd.Series:
    """Inner steps for one independent draw, times the number of segments of the whole path.

    The path of length ``T = 5`` has ``max(1, T / eta)`` segments of length ``eta``: a segment that
    is longer than the path is the whole path.

    Args:
        frame: the rows of one target.
        metric: the metric that holds the inner steps per independent draw.

    Returns:
        The costs by the length of the segment over ``eta*``.
    """
    eta = values(frame, "eta")
    return values(frame, metric) * np.maximum(1.0, segments.T_START / eta)
