"""B7: the Cheeger constant and the spectral gap of truncated kernels, with their proved bounds."""

import pandas as pd

from figures import job
from figures.analysis import fit
from figures.analysis.frames import where

CASE = ["target", "dimension", "truncation"]


def steepest(frame: pd.DataFrame, metric: str) -> fit.Line:
    """The fit whose exponent of the dimension is the most negative, over targets and radii."""
    part = where(frame[frame["dimension"] > 1], metric=metric)
    lines = [
        fit.power_law(group["dimension"], group["value"])
        for _, group in part.groupby(["target", "truncation"])
    ]
    return min(lines, key=lambda line: line.slope)


def infimum(frame: pd.DataFrame, metric: str) -> fit.Line:
    """The exponent of the dimension for the smallest value over targets and radii."""
    part = where(frame[frame["dimension"] > 1], metric=metric)
    least = part.groupby("dimension")["value"].min()
    return fit.power_law(least.index, least)


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """The numbers that the article quotes."""
    result = frame.pivot_table(index=CASE, columns="metric", values="value")
    errors = frame.pivot_table(index=CASE, columns="metric", values="standard_error")
    values = {
        "exact_1d_over_root_l_min": result["exact"].min(),
        "exact_1d_error_largest": errors["exact"].max(),
        "lower_over_root_l_min": result["lower"].min(),
        "upper_over_root_l_min": result["upper"].min(),
        "upper_over_root_l_max": result["upper"].max(),
        "infimum_dimension_power": infimum(frame, "upper").slope,
        "infimum_gap_dimension_power": infimum(frame, "gap").slope,
        "gap_over_l_min": result["gap"].min(),
        "gap_error_largest": (errors["gap"] / result["gap"]).max(),
        "smallest_bound_violation": (result["upper"] / result["lower"]).min(),
        "smallest_gap_violation": (result["gap"] / result["gap_lower"]).min(),
        "largest_bound_ratio": (result["upper"] / result["lower"]).max(),
        "dimension_largest": result.index.get_level_values("dimension").max(),
    }
    values |= steepest(frame, "upper").numbers("half_space_dimension_power")
    return values | steepest(frame, "gap").numbers("gap_dimension_power")


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per target and dimension, for three dimensions: the smallest values over radii."""
    dimensions = sorted(frame["dimension"].unique())
    shown = frame[frame["dimension"].isin((dimensions[0], dimensions[len(dimensions) // 2], 50))]
    least = shown.groupby(["target", "dimension", "metric"])["value"].min().unstack().reset_index()
    columns = {
        "target": "target",
        "dimension": "dimension d",
        "lower": "h, lower bound",
        "upper": "h, upper bound",
        "gap_lower": "gap, lower bound",
        "gap": "gap, computed",
    }
    least["target"] = least["target"].str.replace("gaussian", "Gaussian")
    return least[[*columns]].rename(columns=columns)


if __name__ == "__main__":
    job.table(table, numbers)
