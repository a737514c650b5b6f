"""B1: the curvature of the learned score of MNIST, and the segments that the theory allows."""

import numpy as np
import pandas as pd

from figures import job
from figures.analysis.frames import where


def segments_theory(t: pd.Series, eta_star: pd.Series) -> float:
    """The number of segments ``int dt / eta*(t)``, by the trapezoid rule in ``log t``.

    Args:
        t: increasing times.
        eta_star: the length of a segment that the theory allows at each of them.
    """
    return float(np.trapezoid(t / eta_star, np.log(t)))


def by_time(frame: pd.DataFrame) -> pd.DataFrame:
    """The values with times in rows and metrics in columns."""
    return frame.pivot_table(index="t", columns="metric", values="value").reset_index()


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per time."""
    columns = {
        "t": "time t",
        "smallest": "smallest eigenvalue",
        "largest": "largest eigenvalue",
        "lipschitz": "Lipschitz constant L",
        "eta_star": "η*",
        "antisymmetric": "antisymmetric part, relative",
    }
    return by_time(frame)[[*columns]].rename(columns=columns)


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """The numbers that the article quotes."""
    result = by_time(frame)
    skew = where(frame, metric="antisymmetric")
    worst = skew.iloc[skew["value"].argmax()]
    residuals = where(frame, metric="lipschitz")["standard_error"].to_numpy()
    return {
        "lipschitz_largest": result["lipschitz"].max(),
        "lipschitz_smallest": result["lipschitz"].min(),
        "eta_star_smallest": result["eta_star"].min(),
        "eta_star_largest": result["eta_star"].max(),
        "segments_theory": segments_theory(result["t"], result["eta_star"]),
        # What the constant segment of the smallest time would ask for.
        "segments_constant": (result["t"].max() - result["t"].min()) / result["eta_star"].min(),
        "largest_eigenvalue": result["largest"].max(),
        "antisymmetric_largest": worst["value"],
        "antisymmetric_largest_se": worst["standard_error"],
        "residual_largest": (residuals / result["lipschitz"].to_numpy()).max(),
    }


if __name__ == "__main__":
    job.table(table, numbers)
