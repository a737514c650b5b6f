"""B10: errors of the variants of the calibrated solver, and the cost of a calibration."""

import pandas as pd

from figures import job
from figures.analysis.calibrated_solver import NAMES, VARIANTS, errors
from figures.analysis.frames import where

STAGES = ("pilot", "base", "consistency")
"""Stages of a calibration that evaluate the score, before a solver is asked for."""
RIVAL_NFE = 40
"""Score evaluations per sample with which a calibration has to break even."""
LABELS = {"mode_error": "error", "distance": "distance"}


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """Errors by variant and number of score evaluations, rows, seconds, break-even, and memory."""
    found = {
        f"{LABELS[row['metric']]}_{NAMES[row['settings']]}_nfe{row['nfe_asked']}": row["value"]
        for row in errors(frame).to_dict("records")
    }
    cost = where(frame, method="calibrated").groupby(["settings", "nfe_asked", "metric"])["value"]
    mean, largest = cost.mean(), cost.max()
    for stage in STAGES:
        found[f"rows_{stage}"] = mean[stage, 0, "rows"]
    rows = sum(mean[stage, 0, "rows"] for stage in STAGES)
    seconds = sum(mean[stage, 0, "seconds"] for stage in (*STAGES, "moments"))
    found |= {"rows_calibration": rows, "seconds_calibration": seconds}
    for nfe in sorted(where(frame, settings="selection")["nfe_asked"].unique()):
        found[f"rows_selection_nfe{nfe}"] = selection = mean["selection", nfe, "rows"]
        found[f"rows_selection_largest_nfe{nfe}"] = largest["selection", nfe, "rows"]
        found[f"seconds_selection_nfe{nfe}"] = mean["selection", nfe, "seconds"]
        if nfe < RIVAL_NFE:
            found[f"break_even_nfe{nfe}"] = (rows + selection) / (RIVAL_NFE - nfe)
    return found | memory(frame) | nodes(frame)


def memory(frame: pd.DataFrame) -> dict[str, float]:
    """Peak and formula in MB, seconds, and score evaluations, by dimension."""
    names = {"peak": "memory", "formula": "memory_formula", "seconds": "seconds", "rows": "rows"}
    return {
        f"{names[row['metric']]}_d{row['dimension']}": row["value"]
        for row in where(frame, settings="memory").to_dict("records")
    }


def nodes(frame: pd.DataFrame) -> dict[str, float]:
    """The highest and the lowest noise level of a score over the targets, by number of scores."""
    levels = where(frame, metric="sigma", method="calibrated").groupby("nfe_asked")["value"]
    return {
        f"{name}_node_nfe{nfe}": value
        for name, values in (("highest", levels.max()), ("lowest", levels.min()))
        for nfe, value in values.items()
    }


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per variant, with both errors for each number of score evaluations."""
    means = errors(frame)
    budgets = sorted(means["nfe_asked"].unique())
    rows = []
    for variant, label in VARIANTS.items():
        row = {"variant": label}
        for metric, name in LABELS.items():
            for nfe in budgets:
                entry = where(means, settings=variant, metric=metric, nfe_asked=nfe).iloc[0]
                # The error of the logarithm, as a factor.
                factor = entry["high"] / entry["value"]
                row[f"{name}, NFE {nfe}"] = f"{entry['value']:.2g} ×/÷ {factor:.2f}"
        rows.append(row)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    job.table(table, numbers)
