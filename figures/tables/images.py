"""C1: Fréchet distances of generated images, for every sampler and number of score evaluations.

The numbers count at how many numbers of score evaluations one method is ahead of another. A method
is ahead if its distance is lower by more than two standard errors of the difference.
"""

import numpy as np
import pandas as pd

from figures import job, style

METRIC = "frechet_distance"


def below(distances: pd.DataFrame, errors: pd.DataFrame, first: str, second: str) -> float:
    """At how many numbers of score evaluations the method ``first`` is ahead of ``second``."""
    error = np.hypot(errors[first], errors[second])
    return float((distances[second] - distances[first] > 2.0 * error).sum())


def numbers(frame: pd.DataFrame, floor: pd.DataFrame) -> dict[str, float]:
    """The numbers that the article quotes and that the verdicts on claims rest on."""
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
    return result


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
