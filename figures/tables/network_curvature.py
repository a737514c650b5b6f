"""B1: curvature of the learned score by time, and the number of segments the theory asks for."""

import numpy as np
import pandas as pd

from figures import job
from figures.analysis.frames import where


def segments_theory(t: pd.Series, eta_star: pd.Series) -> float:
    """``int dt / eta*(t)`` over the times given, by the trapezoid rule in log t."""
    return float(np.trapezoid(t / eta_star, np.log(t)))


def by_time(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per time, a column per metric."""
    return frame.pivot_table(index="t", columns="metric", values="value").reset_index()


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per time."""
    columns = {
        "t": "t",
        "smallest": "smallest eigenvalue",
        "largest": "largest eigenvalue",
        "lipschitz": "L",
        "eta_star": "eta*",
        "antisymmetric": "antisymmetric part",
    }
    return by_time(frame)[[*columns]].rename(columns=columns)


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """What the article quotes."""
    found = by_time(frame)
    skew = where(frame, metric="antisymmetric")
    worst = skew.iloc[skew["value"].argmax()]
    residuals = where(frame, metric="lipschitz")["standard_error"].to_numpy()
    return {
        "lipschitz_largest": found["lipschitz"].max(),
        "lipschitz_smallest": found["lipschitz"].min(),
        "eta_star_smallest": found["eta_star"].min(),
        "eta_star_largest": found["eta_star"].max(),
        "segments_theory": segments_theory(found["t"], found["eta_star"]),
        # What the constant segment of the smallest time would ask for.
        "segments_constant": (found["t"].max() - found["t"].min()) / found["eta_star"].min(),
        "largest_eigenvalue": found["largest"].max(),
        "antisymmetric_largest": worst["value"],
        "antisymmetric_largest_se": worst["standard_error"],
        "residual_largest": (residuals / found["lipschitz"].to_numpy()).max(),
    }


if __name__ == "__main__":
    job.table(table, numbers)
