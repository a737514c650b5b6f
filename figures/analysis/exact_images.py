"""C2: what counts as right in samples of a mixture of images.

A method is right at a number of score evaluations (NFE) if the radii of its samples are off by no
more than one exact sample's radius scatters, and if its classes are those of exact samples as far
as their number can tell.
"""

import numpy as np
import pandas as pd

from figures.analysis.frames import where

METRICS = {
    "radius_w1": "error of the radius, $W_1$",
    "class_tv": "TV of the classes",
    "frechet_distance": "Fréchet distance",
}
"""The measures of the figure, and the labels of their axes."""


def scatter_of_radius(dimension: int) -> float:
    """The standard deviation ``sqrt(2 / d)`` of the radius of an exact sample."""
    return float(np.sqrt(2.0 / dimension))


def floor_of(frame: pd.DataFrame, target: str, metric: str) -> float:
    """The value of exact samples."""
    rows = where(frame, target=target, metric=metric, part="exact")
    return float(rows["value"].item())


def right(rows: pd.DataFrame, frame: pd.DataFrame, target: str) -> pd.Series:
    """Whether each run is right, by the place of its rows in a table with one row per run.

    Args:
        rows: of one part of one target, with unique indices once pivoted by method, NFE, segments
            and settings.
        frame: the whole table, with the rows of exact samples.
        target: the target.
    """
    keys = ["method", "nfe_asked", "segments", "settings"]
    value = rows.pivot(index=keys, columns="metric", values="value")
    error = rows.pivot(index=keys, columns="metric", values="standard_error")
    exact = where(frame, target=target, metric="class_tv", part="exact")
    width = 2.0 * np.hypot(error["class_tv"], exact["standard_error"].item())
    seen = scatter_of_radius(int(rows["dimension"].iloc[0]))
    return (value["radius_w1"] <= seen) & (value["class_tv"] <= exact["value"].item() + width)


def first_right(frame: pd.DataFrame, target: str) -> dict[str, float]:
    """For each method the least NFE at which it is right on the target, or 0 if there is none."""
    rows = where(frame, target=target, part="methods")
    runs = right(rows, frame, target).reset_index(name="right")
    reached = runs[runs["right"]].groupby("method")["nfe_asked"].min()
    return {method: float(reached.get(method, 0)) for method in rows["method"].unique()}
