"""B1: the Lipschitz constant, the theory's segment, and what becomes of the kernel's convexity."""

import pandas as pd

from figures import job
from figures.analysis.frames import where

MULTIPLE = 10.0
LAST_SHOWN = 1.0
"""Later times, where p_t is almost Gaussian, are left out of the table."""


def at(frame: pd.DataFrame, metric: str, ratio: float | None = None) -> pd.Series:
    """Values of a metric by target and time, at one ratio if it has several."""
    part = frame[frame["metric"] == metric]
    if ratio is not None:
        part = part[part["ratio"] == ratio]
    values: pd.Series = part.set_index(["target", "t_lo"])["value"]
    return values


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per target and time."""
    columns = {
        "L": at(frame, "lipschitz"),
        "analytic bound": at(frame, "lipschitz_bound"),
        "eta*": at(frame, "eta_star"),
        "smallest / L at eta*": at(frame, "smallest", 1.0),
        "largest / L at eta*": at(frame, "largest", 1.0),
        "not convex at 10 eta*": at(frame, "not_convex", MULTIPLE),
    }
    rows = pd.DataFrame(columns).reset_index()
    rows = rows[rows["t_lo"] <= LAST_SHOWN]
    return rows.rename(columns={"t_lo": "t"})


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """What the report quotes."""
    smallest = frame[frame["metric"] == "smallest"]
    found = {
        "smallest_at_eta_star": at(frame, "smallest", 1.0).min(),
        "largest_at_eta_star": at(frame, "largest", 1.0).max(),
        "bound_ratio_largest": (at(frame, "lipschitz") / at(frame, "lipschitz_bound")).max(),
        "first_failing_ratio": smallest.loc[smallest["value"] <= 0, "ratio"].min(),
        "not_convex_at_10_largest": at(frame, "not_convex", MULTIPLE).max(),
        "eta_star_smallest": at(frame, "eta_star").min(),
        "lipschitz_largest": at(frame, "lipschitz").max(),
    }
    paper = where(frame, metric="paper_not_convex", t_lo=0.0)
    for row in paper.itertuples():
        found[f"not_convex_at_paper_segments_{row.target}"] = row.value
        found[f"not_convex_at_paper_segments_{row.target}_se"] = row.standard_error
        found[f"paper_ratio_{row.target}"] = row.ratio
    # The bounds are attained, so that rounding alone would decide on which side a number falls.
    return {name: round(float(number), 9) for name, number in found.items()}


if __name__ == "__main__":
    job.table(table, numbers)
