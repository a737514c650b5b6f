"""C1: the published protocol on MNIST beside the tuned one, by Fréchet distance.

The numbers count at how many numbers of score evaluations an RTK sampler is ahead of DDPM in the
published protocol: by more than two standard errors of the difference.
"""

import pandas as pd

from figures import job, style
from figures.analysis.frames import where
from figures.analysis.significance import below_best

RIVAL = "ddpm"


def distances(frame: pd.DataFrame, column: str = "value") -> pd.DataFrame:
    """Fréchet distances, or another column of them: NFE in rows, methods in columns."""
    rows = where(frame, metric="frechet_distance")
    return rows.pivot(index="nfe_asked", columns="method", values=column)


def table(tuned: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """One row per protocol and method, a column for each number of score evaluations."""
    rows = []
    for protocol, frame in (("published", published), ("tuned", tuned)):
        value, error = distances(frame), distances(frame, "standard_error")
        for method in [name for name in style.METHODS if name in value.columns]:
            row = {"protocol": protocol, "method": style.look(method).label}
            cells = zip(value.index, value[method], error[method], strict=True)
            rows.append(row | {f"NFE {nfe}": f"{v:.1f} ± {e:.1f}" for nfe, v, e in cells})
    return pd.DataFrame(rows)


def numbers(tuned: pd.DataFrame, published: pd.DataFrame) -> dict[str, float]:
    """The numbers that the article quotes and that the verdicts on claims rest on."""
    value, error = distances(published), distances(published, "standard_error")
    found = {"cells": float(len(value))}
    for name, method in (("uld", "rtk-uld"), ("mala", "rtk-mala-trapezoid")):
        gap = below_best(method, value, error, [RIVAL])
        found[f"{name}_below_ddpm"] = float((gap > 2.0).sum())
        found[f"ddpm_below_{name}"] = float((gap < -2.0).sum())
    best = distances(tuned)
    for method in value.columns:
        name = style.identifier(str(method))
        found[f"{name}_most"] = float(value[method].iloc[-1])
        found[f"{name}_most_tuned"] = float(best[method].iloc[-1])
    return found


if __name__ == "__main__":
    job.table(table, numbers)
