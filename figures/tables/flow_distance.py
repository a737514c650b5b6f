"""C4: distances of samples from the probability flow's own solution.

The numbers count at how many cells the calibrated flow is nearer than another method. A cell is a
data set with a number of score evaluations. Nearer means by more than two standard errors of the
difference, as if the errors were independent: those of samplers with the same noise are not, and
rather have the same sign.
"""

import pandas as pd

from figures import job, style
from figures.analysis.significance import below_best

OURS = "calibrated"
QUOTED = (5, 10)
"""Numbers of score evaluations whose distances the article quotes."""


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per data set and method, a column for each number of score evaluations.

    The flow's solution with half as many steps is a row of each data set, too.
    """
    frame = frame.copy()
    frame["text"] = [
        f"{value:.3f} ± {error:.3f}"
        for value, error in zip(frame["value"], frame["standard_error"], strict=True)
    ]
    exact = frame["method"] == "exact"
    budgets = sorted(frame.loc[~exact, "nfe_asked"].unique())
    rows = []
    for target in frame["target"].unique():
        for method in style.METHODS:
            own = frame[(frame["target"] == target) & (frame["method"] == method)]
            if own.empty:
                continue
            texts = own.set_index("nfe_asked")["text"]
            row = {"data": target, "method": style.look(method).label}
            if method == "exact":
                row["method"] = "the flow with half the steps"
                texts = pd.Series(texts.item(), index=budgets)
            rows.append(row | {f"NFE {nfe}": texts[nfe] for nfe in budgets})
    return pd.DataFrame(rows)


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """The numbers that the article quotes; those of one data set end with its name."""
    samplers = frame[frame["method"] != "exact"]
    cells = ["target", "nfe_asked"]
    value = samplers.pivot(index=cells, columns="method", values="value")
    error = samplers.pivot(index=cells, columns="method", values="standard_error")
    rivals = [name for name in value.columns if name != OURS]
    gap = below_best(OURS, value, error, rivals)
    ratio = value[OURS] / value[rivals].min(axis=1)
    found = {
        "cells": float(len(value)),
        "nearer": float((gap > 2.0).sum()),
        "farther": float((gap < -2.0).sum()),
        "ratio_median": float(ratio.median()),
        "ratio_largest": float(ratio.max()),
    }
    quoted = samplers[samplers["nfe_asked"].isin(QUOTED)]
    columns = (quoted[name] for name in ("method", "nfe_asked", "target", "value"))
    for method, nfe, target, each in zip(*columns, strict=True):
        found[f"{style.identifier(method)}_{nfe}_{target}"] = float(each)
    exact = frame[frame["method"] == "exact"].set_index("target")["value"]
    return found | {f"solution_{target}": float(value) for target, value in exact.items()}


if __name__ == "__main__":
    job.table(table, numbers)
