"""A1: accuracies of all methods on the paper's mixtures, and errors of their mode weights.

The numbers count in how many cases one method is ahead of another. A case is a target at one number
of score evaluations (NFE). A method is ahead if it is better by more than two standard errors of
the difference. The share of the grid is the part of the distance between RTK-MALA and DDPM that
DDPM makes up on a grid uniform in log-SNR.
"""

from typing import Any

import numpy as np
import pandas as pd

from figures import job, style
from figures.analysis.frames import where

ACCURACY = "halved_marginal_accuracy"
WEIGHTS = "mode_weight_tv"
RTK = [
    "rtk-ula",
    "rtk-uld",
    "rtk-mala-taylor",
    "rtk-mala-trapezoid",
    "rtk-mala",
]

SEGMENTS = 5
"""The segments of the paper's protocol."""


def ahead(cells: pd.DataFrame, errors: pd.DataFrame, first: str, second: str) -> pd.Series:
    """Whether the method ``first`` is ahead of ``second``, for each case (a row)."""
    error = np.hypot(errors[first], errors[second])
    return cells[first] - cells[second] > 2.0 * error


def behind_at_equal_steps(accuracy: pd.DataFrame) -> float:
    """By how much RTK-MALA with Taylor's energies is at most behind, at equal inner steps.

    In each of the segments the first score evaluation is for both alike. Then an inner step takes
    one with exact energies and two with Taylor's. So those have as many inner steps at the first
    number of score evaluations that is at least twice as large, less the segments, or a few more.
    """
    exact, taylor = (accuracy[name].unstack() for name in ("rtk-mala", "rtk-mala-taylor"))
    budgets = np.array(exact.columns)
    return max(
        float((exact[nfe] - taylor[enough[0]]).max())
        for nfe in budgets
        if len(enough := budgets[budgets >= 2 * nfe - SEGMENTS])
    )


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """The numbers that the article quotes and that the verdicts on claims rest on."""
    table = frame.pivot_table(
        index=["metric", "target", "nfe_asked"],
        columns="method",
        values=["value", "standard_error"],
    )
    value, error = table["value"], table["standard_error"]
    accuracy, accuracy_error = value.loc[ACCURACY], error.loc[ACCURACY]
    weights = value.loc[WEIGHTS]
    most = accuracy.index.get_level_values("nfe_asked").max()
    last, last_error = accuracy.xs(most, level=1), accuracy_error.xs(most, level=1)
    result: dict[str, float] = {
        "cells": len(accuracy),
        "targets": len(last),
        "nfe_least": accuracy.index.get_level_values("nfe_asked").min(),
        "nfe_most": most,
        "mala_above_ddpm": ahead(accuracy, accuracy_error, "rtk-mala", "ddpm").sum(),
        "uld_above_ddpm": ahead(accuracy, accuracy_error, "rtk-uld", "ddpm").sum(),
        "taylor_above_ddpm": ahead(accuracy, accuracy_error, "rtk-mala-taylor", "ddpm").sum(),
        "rtk_above_dpm_solver": np.any(
            [ahead(accuracy, accuracy_error, method, "dpm++2m") for method in RTK], axis=0
        ).sum(),
        "dpm_solver_above_all_rtk": np.all(
            [ahead(accuracy, accuracy_error, "dpm++2m", method) for method in RTK], axis=0
        ).sum(),
        "mala_above_uld_at_most": ahead(last, last_error, "rtk-mala", "rtk-uld").sum(),
        "uld_above_ula_at_most": ahead(last, last_error, "rtk-uld", "rtk-ula").sum(),
        "taylor_behind_mala_largest": (accuracy["rtk-mala"] - accuracy["rtk-mala-taylor"]).max(),
        "taylor_behind_mala_at_equal_steps": behind_at_equal_steps(accuracy),
        "taylor_mode_weights_over_mala_largest": (
            weights["rtk-mala-taylor"] / weights["rtk-mala"]
        ).max(),
        "dpm_solver_mode_weights_largest": weights["dpm++2m"].max(),
    }
    for target, part in weights.groupby("target"):
        result[f"rtk_mode_weights_largest_{target}"] = part[RTK].to_numpy().max()
        result[f"rtk_mode_weights_least_{target}"] = part[RTK].to_numpy().min()
    for target, method in last.stack().index:
        name = f"accuracy_{style.identifier(method)}_{target}"
        result[f"{name}_most"] = last.loc[target, method]
        result[f"{name}_least"] = accuracy.loc[target, method].iloc[0]
    gap = accuracy["rtk-mala"] - accuracy["ddpm"]
    share = (accuracy["ddpm-log-snr"] - accuracy["ddpm"]) / gap
    result["grid_share_least"], result["grid_share_largest"] = share.min(), share.max()
    result["mala_above_ddpm_log_snr"] = ahead(
        accuracy, accuracy_error, "rtk-mala", "ddpm-log-snr"
    ).sum()
    result["ddpm_log_snr_above_mala"] = ahead(
        accuracy, accuracy_error, "ddpm-log-snr", "rtk-mala"
    ).sum()
    return result


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per method; for each target the accuracy at the smallest and the largest NFE, and the
    total variation of the mode weights at the largest."""
    least, most = frame["nfe_asked"].min(), frame["nfe_asked"].max()
    labels = {method: look.label for method, look in style.METHODS.items()}
    # The columns are mappings. A frame made of series would sort the methods by name.
    columns: dict[str, dict[Any, str]] = {"method": labels}
    for target in frame["target"].unique():
        for name, metric, nfe in (
            (f"{target}, NFE {least}", ACCURACY, least),
            (f"{target}, NFE {most}", ACCURACY, most),
            (f"{target}, weights", WEIGHTS, most),
        ):
            cell = where(frame, target=target, metric=metric, nfe_asked=nfe)
            columns[name] = cell.set_index("method")["value"].map("{:.3f}".format).to_dict()
    return pd.DataFrame(columns).dropna(subset=[*columns][1:], how="all")


if __name__ == "__main__":
    job.table(table, numbers)
