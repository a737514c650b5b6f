"""C1 in numbers: Fréchet distances of all methods, and who is ahead of whom at how many budgets.

One method is ahead if its distance is lower by more than two standard errors of the difference.
"""

import numpy as np
import pandas as pd

from figures import job, style

METRIC = "frechet_distance"


def below(distances: pd.DataFrame, errors: pd.DataFrame, first: str, second: str) -> float:
    """The number of budgets at which ``first`` has the lower distance."""
    error = np.hypot(errors[first], errors[second])
    return float((distances[second] - distances[first] > 2.0 * error).sum())


def numbers(frame: pd.DataFrame, floor: pd.DataFrame) -> dict[str, float]:
    """What the report quotes and the claims rest on."""
    frame, floor = frame[frame["metric"] == METRIC], floor[floor["metric"] == METRIC]
    value = frame.pivot(index="nfe_asked", columns="method", values="value")
    error = frame.pivot(index="nfe_asked", columns="method", values="standard_error")
    uld, mala, ddpm, multistep = "rtk-uld", "rtk-mala-trapezoid", "ddpm", "dpm++2m"
    found = {
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
        found[f"{name}_best"] = distances.min()
        found[f"{name}_most"] = distances.iloc[-1]
        found[f"{name}_least"] = distances.iloc[0]
    return found


def table(frame: pd.DataFrame, floor: pd.DataFrame) -> pd.DataFrame:
    """Rows: methods. Columns: distance and standard error at each NFE. The floor is left out."""
    frame = frame[frame["metric"] == METRIC].copy()
    frame["text"] = [
        f"{value:.1f} ± {error:.1f}"
        for value, error in zip(frame["value"], frame["standard_error"], strict=True)
    ]
    found = frame.pivot_table(index="method", columns="nfe_asked", values="text", aggfunc="first")
    found = found.reindex([method for method in style.METHODS if method in found.index])
    found.index = pd.Index([style.look(method).label for method in found.index], name="method")
    return found.rename(columns=lambda nfe: f"NFE {nfe}").reset_index()


if __name__ == "__main__":
    job.table(table, numbers)
