"""B7: bounds of the Cheeger constant, gaps, and their exponents in the dimension."""

import pandas as pd

from experiments.workflow import job, results
from figures.analysis import fit

CASE = ["target", "dimension", "truncation"]


def steepest(frame: pd.DataFrame, metric: str) -> fit.Line:
    """The most negative exponent in d over targets and truncations, with its own interval."""
    part = frame[(frame["metric"] == metric) & (frame["dimension"] > 1)]
    lines = [
        fit.power_law(group["dimension"], group["value"])
        for _, group in part.groupby(["target", "truncation"])
    ]
    return min(lines, key=lambda line: line.slope)


def infimum(frame: pd.DataFrame, metric: str) -> fit.Line:
    """The exponent in d of the least value over targets and truncations."""
    part = frame[(frame["metric"] == metric) & (frame["dimension"] > 1)]
    least = part.groupby("dimension")["value"].min()
    return fit.power_law(least.index, least)


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """What the report quotes."""
    found = frame.pivot_table(index=CASE, columns="metric", values="value")
    errors = frame.pivot_table(index=CASE, columns="metric", values="standard_error")
    space, gap = steepest(frame, "upper"), steepest(frame, "gap")
    return {
        "exact_1d_over_root_l_min": found["exact"].min(),
        "exact_1d_error_largest": errors["exact"].max(),
        "lower_over_root_l_min": found["lower"].min(),
        "upper_over_root_l_min": found["upper"].min(),
        "upper_over_root_l_max": found["upper"].max(),
        "half_space_dimension_power": space.slope,
        "half_space_dimension_power_low": space.low,
        "half_space_dimension_power_high": space.high,
        "infimum_dimension_power": infimum(frame, "upper").slope,
        "infimum_gap_dimension_power": infimum(frame, "gap").slope,
        "gap_over_l_min": found["gap"].min(),
        "gap_error_largest": (errors["gap"] / found["gap"]).max(),
        "gap_dimension_power": gap.slope,
        "gap_dimension_power_low": gap.low,
        "gap_dimension_power_high": gap.high,
        "smallest_bound_violation": (found["upper"] / found["lower"]).min(),
        "smallest_gap_violation": (found["gap"] / found["gap_lower"]).min(),
        "largest_bound_ratio": (found["upper"] / found["lower"]).max(),
        "dimension_largest": found.index.get_level_values("dimension").max(),
    }


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


def main() -> None:
    snakemake = job.start()
    frame = results.read(snakemake.input.results)
    results.write_csv(table(frame), snakemake.output.table)
    results.write_numbers(numbers(frame), snakemake.output.numbers)


if __name__ == "__main__":
    main()
