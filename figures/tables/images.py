"""C1: Fréchet distances of generated images, for every sampler and number of score evaluations.

The numbers count at how many numbers of score evaluations one method is ahead of another. A method
is ahead if its distance is lower by more than two standard errors of the difference.
"""

import numpy as np
import pandas as pd

from figures import job, style
from figures.analysis.frames import where
from figures.analysis.significance import below_best

METRIC = "frechet_distance"
METRICS = {
    "frechet_distance": "low",
    "kernel_distance": "low",
    "background_noise": "low",
    "precision": "high",
    "recall": "high",
}
"""The metrics, and whether low or high values are good."""


def below(distances: pd.DataFrame, errors: pd.DataFrame, first: str, second: str) -> float:
    """At how many numbers of score evaluations the method ``first`` is ahead of ``second``."""
    error = np.hypot(errors[first], errors[second])
    return float((distances[second] - distances[first] > 2.0 * error).sum())


def beside_the_best(value: pd.DataFrame, error: pd.DataFrame) -> dict[str, float]:
    """At how many numbers of score evaluations a calibrated method is ahead of the best rival.

    And at how many it is behind. The best rival may be another one at each number.

    Args:
        value, error: distances and their standard errors, a row for each number of score
            evaluations, a column for each method.
    """
    rivals = [name for name in value.columns if name not in style.CALIBRATED]
    result: dict[str, float] = {}
    for method in [name for name in style.CALIBRATED if name in value.columns]:
        gap = below_best(method, value, error, rivals)
        result[f"{method}_ahead_of_all"] = float((gap > 2.0).sum())
        result[f"{method}_behind_any"] = float((gap < -2.0).sum())
    return result


def calibrated_numbers(frame: pd.DataFrame, floor: pd.DataFrame) -> dict[str, float]:
    """The calibrated samplers at 10 scores beside the best that any rival has at any number.

    The rival and its number of scores are chosen for each metric by itself, as an oracle would.
    """
    rivals = frame[~frame["method"].isin(style.CALIBRATED)]
    result: dict[str, float] = {}
    for metric, better in METRICS.items():
        values = rivals.loc[rivals["metric"] == metric, "value"]
        if values.empty:
            continue
        result[f"{metric}_rivals"] = float(values.min() if better == "low" else values.max())
        result[f"{metric}_floor"] = floor.loc[floor["metric"] == metric, "value"].item()
        ddpm = where(frame, metric=metric, method="ddpm").set_index("nfe_asked")["value"]
        for value in ddpm[ddpm.index <= 40].sort_index()[-1:]:
            result[f"{metric}_ddpm_40"] = value
        for method in style.CALIBRATED:
            rows = where(frame, metric=metric, method=method).set_index("nfe_asked")
            for nfe in [number for number in (5, 10) if number in rows.index]:
                result[f"{metric}_{method}_{nfe}"] = rows["value"].loc[nfe]
                result[f"{metric}_{method}_{nfe}_error"] = rows["standard_error"].loc[nfe]
    for method in style.CALIBRATED:
        rows = where(frame, method=method)
        result[f"rows_{method}"] = float(rows["calibration_rows"].max()) if len(rows) else 0.0
    return result


def numbers(frame: pd.DataFrame, floor: pd.DataFrame) -> dict[str, float]:
    """The numbers that the article quotes and that the verdicts on claims rest on."""
    calibrated = calibrated_numbers(frame, floor)
    copying = {
        f"copying_{name}": rows.loc[rows["metric"] == "copying", "value"].max()
        for name, rows in (("most", frame), ("floor", floor))
    }
    frame, floor = frame[frame["metric"] == METRIC], floor[floor["metric"] == METRIC]
    value = frame.pivot(index="nfe_asked", columns="method", values="value")
    error = frame.pivot(index="nfe_asked", columns="method", values="standard_error")
    uld, mala, ddpm, multistep = "rtk-uld", "rtk-mala-trapezoid", "ddpm", "dpm++2m"
    result = {
        "cells": float(len(value)),
        "uld_below_ddpm": below(value, error, uld, ddpm),
        "mala_below_ddpm": below(value, error, mala, ddpm),
        "ddpm_below_uld": below(value, error, ddpm, uld),
        "ddpm_below_mala": below(value, error, ddpm, mala),
        "uld_below_dpm_solver": below(value, error, uld, multistep),
        "mala_below_dpm_solver": below(value, error, mala, multistep),
        "training_images": floor["value"].item(),
        "standard_error_largest_at_most": error.iloc[-1].max(),
        "nfe_least": float(value.index.min()),
        "nfe_most": float(value.index.max()),
    }
    for method, distances in value.items():
        name = style.identifier(str(method))
        result[f"{name}_best"] = distances.min()
        result[f"{name}_most"] = distances.iloc[-1]
        result[f"{name}_least"] = distances.iloc[0]
    return result | calibrated | copying | beside_the_best(value, error)


def table(frame: pd.DataFrame, floor: pd.DataFrame) -> pd.DataFrame:
    """One row per method, with its distance and the standard error for each number of evaluations.

    The distance of training images is not in the table.
    """
    frame = frame[frame["metric"] == METRIC].copy()
    frame["text"] = [
        f"{value:.1f} ± {error:.1f}"
        for value, error in zip(frame["value"], frame["standard_error"], strict=True)
    ]
    result = frame.pivot_table(index="method", columns="nfe_asked", values="text", aggfunc="first")
    result = result.reindex([method for method in style.METHODS if method in result.index])
    result.index = pd.Index([style.look(method).label for method in result.index], name="method")
    return result.rename(columns=lambda nfe: f"NFE {nfe}").reset_index()


if __name__ == "__main__":
    job.table(table, numbers)
