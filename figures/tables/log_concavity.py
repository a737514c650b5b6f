"""B1: Lipschitz constants, lengths of segments, and the spectra of the kernels' Hessians."""

import pandas as pd

from figures import job
from figures.analysis.frames import where

MULTIPLE = 10.0
"""The longer segments in the table are this many times as long as those of the theory."""
LAST_SHOWN = 1.0
"""The table leaves out later times, at which ``p_t`` is almost Gaussian."""


def at(frame: pd.DataFrame, metric: str, ratio: float | None = None) -> pd.Series:
    """The values of a metric by target and time.

    Args:
        frame: the rows of all targets.
        metric: the name of the metric.
        ratio: the length of the segment over ``eta*``, for a metric that depends on it.
    """
    rows = (
        where(frame, metric=metric) if ratio is None else where(frame, metric=metric, ratio=ratio)
    )
    values: pd.Series = rows.set_index(["target", "t_lo"])["value"]
    return values


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per target and time, up to the time `LAST_SHOWN`."""
    columns = {
        "Lipschitz constant L": at(frame, "lipschitz"),
        "analytic bound on L": at(frame, "lipschitz_bound"),
        "η*": at(frame, "eta_star"),
        "smallest eigenvalue / L at η*": at(frame, "smallest", 1.0),
        "largest eigenvalue / L at η*": at(frame, "largest", 1.0),
        "not convex at 10 η*": at(frame, "not_convex", MULTIPLE),
    }
    rows = pd.DataFrame(columns).reset_index()
    rows = rows[rows["t_lo"] <= LAST_SHOWN]
    return rows.rename(columns={"t_lo": "time t"})


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """The numbers that the article quotes."""
    smallest = where(frame, metric="smallest")
    result = {
        "smallest_at_eta_star": at(frame, "smallest", 1.0).min(),
        "largest_at_eta_star": at(frame, "largest", 1.0).max(),
        "smallest_with_outside_bound": at(frame, "smallest_outside", 1.0).min(),
        "largest_with_outside_bound": at(frame, "largest_outside", 1.0).max(),
        "bound_ratio_largest": (at(frame, "lipschitz") / at(frame, "lipschitz_bound")).max(),
        "first_failing_ratio": smallest.loc[smallest["value"] <= 0, "ratio"].min(),
        "not_convex_at_10_largest": at(frame, "not_convex", MULTIPLE).max(),
        "eta_star_smallest": at(frame, "eta_star").min(),
        "lipschitz_largest": at(frame, "lipschitz").max(),
    }
    paper = where(frame, metric="paper_not_convex", t_lo=0.0)
    for row in paper.itertuples():
        result[f"not_convex_at_paper_segments_{row.target}"] = row.value
        result[f"not_convex_at_paper_segments_{row.target}_se"] = row.standard_error
        result[f"paper_ratio_{row.target}"] = row.ratio
    # The bounds are attained, so rounding errors would decide on which side of one a number falls.
    return {name: round(float(number), 9) for name, number in result.items()}


if __name__ == "__main__":
    job.table(table, numbers)
