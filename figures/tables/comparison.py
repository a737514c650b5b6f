"""A2, A3: mean errors of the tuned samplers, and the outcomes of their comparison.

A cell is a target at one number of score evaluations (NFE).
"""

import numpy as np
import pandas as pd
from scipy.stats import gmean

from figures import job, style
from figures.analysis.comparison import (
    BETTER,
    METRICS,
    WORSE,
    at_the_floor,
    best_rival_ratio,
    duels,
    excesses,
    judged,
    median_interval,
    methods_of,
    open_cells,
)
from figures.analysis.frames import where


def table(frame: pd.DataFrame, floor: pd.DataFrame) -> pd.DataFrame:
    """Geometric mean over the mixtures of the error of the modes; a row per method."""
    rows = where(frame, metric="mode_error", batch=0)
    means = rows.pivot_table("value", "method", "nfe_asked", aggfunc=gmean)
    means.loc["exact"] = gmean(where(floor, metric="mode_error")["value"])
    means = means.loc[["exact", *methods_of(rows)]].add_prefix("NFE ").reset_index()
    return means.assign(method=[style.look(method).label for method in means["method"]])


def against_best_rival(frame: pd.DataFrame, floor: pd.DataFrame) -> dict[str, float]:
    """For each method how often it is clearly better, or worse, than all others of a cell."""
    cells = excesses(frame, floor)
    result: dict[str, float] = {}
    for method in methods_of(frame):
        ratio, name = best_rival_ratio(cells, method), style.identifier(method)
        low, high = median_interval(ratio)
        result |= {
            f"best_rival_better_{name}": float((ratio <= BETTER).mean()),
            f"best_rival_worse_{name}": float((ratio > WORSE).mean()),
            f"best_rival_median_{name}": float(ratio.median()),
            f"best_rival_median_low_{name}": low,
            f"best_rival_median_high_{name}": high,
            f"best_rival_largest_{name}": float(ratio.max()),
        }
        if method in style.CALIBRATED:
            settled = ~open_cells(frame, floor, method).loc[ratio.index]
            ratio = ratio[~settled]
            # With few chains every cell may be settled; then the others are none, and even.
            result |= {
                f"open_cells_{name}": len(ratio),
                f"open_better_{name}": float((ratio <= BETTER).sum() / max(1, len(ratio))),
                f"open_worse_{name}": float((ratio > WORSE).sum() / max(1, len(ratio))),
                f"open_median_{name}": float(ratio.median()) if len(ratio) else 1.0,
            }
    return result


def numbers(frame: pd.DataFrame, floor: pd.DataFrame) -> dict[str, float]:
    """The numbers that the article quotes.

    A name without a metric at its end is about the metric that each target is judged by.
    """
    rows, level = judged(frame), judged(floor)
    result: dict[str, float] = {
        "cells": rows.groupby(["target", "nfe_asked"]).ngroups,
        "targets": rows["target"].nunique(),
        "methods": rows["method"].nunique(),
        "nfe_least": rows["nfe_asked"].min(),
        "nfe_most": rows["nfe_asked"].max(),
        "runs_with_failures": int((where(rows, batch=0)["nonfinite"] > 0).sum()),
    }
    result |= against_best_rival(rows, level)
    for metric in METRICS:
        found = against_best_rival(where(frame, metric=metric), where(floor, metric=metric))
        result |= {f"{name}_{metric}": value for name, value in found.items()}
    modes, modes_floor = (where(part, metric="mode_error") for part in (frame, floor))
    for method in methods_of(frame):
        name = f"at_floor_10_{style.identifier(method)}"
        if 10 in {*where(modes, method=method)["nfe_asked"]}:
            result[name] = at_the_floor(modes, modes_floor, method, 10)
        rows_spent = where(frame, method=method)["calibration_rows"]
        result[f"rows_{style.identifier(method)}"] = float(rows_spent.max())
    for (first, second), outcome in duels(rows, level).items():
        pair = f"{style.identifier(first)}_over_{style.identifier(second)}"
        result |= {f"{name}_{pair}": value for name, value in outcome._asdict().items()}
    return {name: float(np.float64(value)) for name, value in result.items()}


if __name__ == "__main__":
    job.table(table, numbers)
