"""B7: bounds of the Cheeger constant, gaps, and their exponents in the dimension."""

import pandas as pd

from figures import job
from figures.analysis import fit
from figures.analysis.frames import where

CASE = ["target", "dimension", "truncation"]


def steepest(frame: pd.DataFrame, metric: str) -> fit.Line:
    """The most negative exponent in d over targets and truncations, with its own interval."""
    part = where(frame[frame["dimension"] > 1], metric=metric)
    lines = [
        fit.power_law(group["dimension"], group["value"])
        for _, group in part.groupby(["target", "truncation"])
    ]
    return min(lines, key=lambda line: line.slope)


def infimum(frame: pd.DataFrame, metric: str) -> fit.Line:
    """The exponent in d of the least value over targets and truncations."""
    part = where(frame[frame["dimension"] > 1], metric=metric)
    least = part.groupby("dimension")["value"].min()
    return fit.power_law(least.index, least)


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """What the report quotes."""
    found = frame.pivot_table(index=CASE, columns="metric", values="value")
    errors = frame.pivot_table(index=CASE, columns="metric", values="standard_error")
    values = {
        "exact_1d_over_root_l_min": found["exact"].min(),
        "exact_1d_error_largest": errors["exact"].max(),
        "lower_over_root_l_min": found["lower"].min(),
        "upper_over_root_l_min": found["upper"].min(),
        "upper_over_root_l_max": found["upper"].max(),
        "infimum_dimension_power": infimum(frame, "upper").slope,
        "infimum_gap_dimension_power": infimum(frame, "gap").slope,
        "gap_over_l_min": found["gap"].min(),
        "gap_error_largest": (errors["gap"] / found["gap"]).max(),
        "smallest_bound_violation": (found["upper"] / found["lower"]).min(),
        "smallest_gap_violation": (found["gap"] / found["gap_lower"]).min(),
        "largest_bound_ratio": (found["upper"] / found["lower"]).max(),
        "dimension_largest": found.index.get_level_values("dimension").max(),
    }
    values |= steepest(frame, "upper").numbers("half_space_dimension_power")
    return values | steepest(frame, "gap").numbers("gap_dimension_power")


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per target and dimension of a few: the least over truncations."""
    dimensions = sorted(frame["dimension"].unique())
    shown = frame[frame["dimension"].isin((dimensions[0], dimensions[len(dimensions) // 2], 50))]
    least = shown.groupby(["target", "dimension", "metric"])["value"].min().unstack().reset_index()
    columns = {
        "target": "target",
        "dimension": "d",
        "lower": "h, proved",
        "upper": "h, at most",
        "gap_lower": "gap, proved",
        "gap": "gap",
    }
    return least[[*columns]].rename(columns=columns)


if __name__ == "__main__":
    job.table(table, numbers)
