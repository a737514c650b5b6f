"""A2: tuned samplers under errors of the score, and calibrated RTK against its rivals there.

A cell is a target with one kind and size of error at one number of score evaluations (NFE).
"""

import pandas as pd

from experiments.comparison.excess import excess
from figures import job, style
from figures.analysis.comparison import BETTER, in_floors, methods_of
from figures.analysis.frames import where

DETERMINISTIC = ("ddim", "dpm++2m", "unipc-3")
STOCHASTIC = ("ddpm", "dpm++2m-sde", "er-sde", "rtk-uld")
CASE = ["method", "error", "size"]
CELL = ["target", "error", "size", "nfe_asked"]


def cells(frame: pd.DataFrame, floor: pd.DataFrame) -> pd.DataFrame:
    """``max(J - F, 0.1 F)``, one row per cell and one column per method."""
    rows = where(frame, metric="mode_error", batch=0)
    level = where(floor, metric="mode_error").set_index("target")["value"]
    rows = rows.assign(value=excess(rows["value"], rows["target"].map(level)))
    return rows.pivot(index=CELL, columns="method", values="value")


def table(frame: pd.DataFrame, floor: pd.DataFrame) -> pd.DataFrame:
    """Geometric means over targets and NFE of the error in floors; a row per method."""
    rows = in_floors(frame, floor, CASE)
    case = (rows["error"] + rows["size"].map(lambda size: f" {size:g}")).str.replace(
        "none 0", "exact score"
    )
    means = rows.assign(case=case).pivot(index="method", columns="case", values="value")
    means = means.loc[methods_of(frame)].round(2).reset_index()
    return means.assign(method=[style.look(method).label for method in means["method"]])


def numbers(frame: pd.DataFrame, floor: pd.DataFrame) -> dict[str, float]:
    """How calibrated RTK does against the best rivals of each cell, with errors and without."""
    values = cells(frame, floor)
    result = {
        f"{style.identifier(row['method'])}_floors_{row['error']}_{100 * row['size']:.0f}": row[
            "value"
        ]
        for row in in_floors(frame, floor, CASE).to_dict("records")
    }
    sizes = values.index.get_level_values("size")
    for name, part in {
        "exact": values[sizes == 0.0],
        **{f"size_{100 * size:.0f}": values[sizes == size] for size in {*sizes} - {0.0}},
        "wrong": values[sizes > 0.0],
    }.items():
        for method in ("calibrated", "rtk"):
            if method not in part:
                continue
            key = f"{method}_{name}"
            calm = part[method] / part[[m for m in DETERMINISTIC if m in part]].min(axis=1)
            noisy = part[method] / part[[m for m in STOCHASTIC if m in part]].min(axis=1)
            result[f"cells_{name}"] = len(part)
            result[f"{key}_over_deterministic_median"] = float(calm.median())
            result[f"{key}_better_than_deterministic"] = float((calm <= BETTER).mean())
            result[f"{key}_over_stochastic_median"] = float(noisy.median())
            result[f"{key}_not_worse_than_stochastic"] = float((noisy <= 1.0).mean())
            result[f"{key}_both"] = float(((calm <= BETTER) & (noisy <= 1.0)).mean())
        if {"rtk", "calibrated"} <= {*part}:
            ratio = part["rtk"] / part["calibrated"]
            result[f"rtk_over_calibrated_{name}_median"] = float(ratio.median())
    return result


if __name__ == "__main__":
    job.table(table, numbers)
