"""B9: the best number of segments, and how much larger the error is with the theory's number.

The number of segments that the theory asks for may cost more score evaluations than there are. The
nearest number that was measured then takes its place.
"""

import itertools
from typing import Any

import numpy as np
import pandas as pd

from figures import job, style
from figures.analysis.frames import where

PAPER_SEGMENTS = 5
NAMES = {
    ("gaussian", "rtk-uld", "best"): "uld",
    ("gaussian", "rtk-uld", "coarse"): "uld_coarse",
    ("gaussian", "rtk-uld", "off"): "uld_off",
    ("gaussian", "rtk-uld", "default"): "uld_default",
    ("gaussian", "rtk-ula", "best"): "ula",
    ("mild", "rtk-uld", "best"): "uld_mixture",
    ("mild", "rtk-mala", "default"): "mala",
    ("mild", "rtk-mala-trapezoid", "default"): "mala_trapezoid",
}
"""Names in the numbers of (target, method, rule for the step). Those on the Gaussian are exact."""
SHOWN = ("rtk-uld", "rtk-mala")
"""The methods in the table. The others are close to these, and are in the numbers only."""
STEPS = {"coarse": "best of a coarse grid", "off": "1.1 × best"}
TARGETS = {"gaussian": "Gaussian", "mild": "mixture"}
QUANTITIES = (
    "best_k",
    "best_error",
    "nearest_k",
    "loss_at_k_star",
    "five_over_best",
    "one_over_best",
)
METRIC = {"gaussian": "tv", "mild": "error"}


def curve(frame: pd.DataFrame, target: str, method: str, dimension: int, step: str) -> pd.DataFrame:
    """The rows of one method on uniform grids, by number of segments, at the largest NFE."""
    run = {"target": target, "method": method, "dimension": dimension, "step": step}
    part = where(frame, **run, metric=METRIC[target], family="uniform")
    part = part[part["nfe_asked"] == part["nfe_asked"].max()]
    return part.set_index("segments").sort_index()


def theory(frame: pd.DataFrame, target: str, dimension: int) -> int:
    """The number of segments that the theory asks for."""
    return int(where(frame, target=target, dimension=dimension, metric="k_star")["value"].item())


def summary(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """One entry for each of `NAMES` and each dimension in which it ran."""
    rows = []
    for ((target, method, step), name), dimension in itertools.product(
        NAMES.items(), sorted(frame["dimension"].unique())
    ):
        errors = curve(frame, target, method, dimension, step)
        if errors.empty:
            continue
        counts, values = errors.index.to_numpy(), errors["value"].to_numpy()
        star = theory(frame, target, dimension)
        nearest, best = np.abs(np.log(counts / star)).argmin(), values.argmin()
        paper = values[counts == PAPER_SEGMENTS].item()
        rows.append(
            {
                "name": f"{name}_d{dimension}",
                "target": target,
                "method": method,
                "step": step,
                "dimension": dimension,
                "nfe": errors["nfe_asked"].iloc[0],
                "best_k": counts[best],
                "best_error": values[best],
                "k_star": star,
                "nearest_k": counts[nearest],
                "loss_at_k_star": values[nearest] / values[best],
                "five_over_best": paper / values[best],
                "one_over_best": values[0] / values[best],
            }
        )
    return rows


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """The numbers that the article quotes."""
    result: dict[str, float] = {}
    for row in summary(frame):
        for quantity in QUANTITIES:
            result[f"{quantity}_{row['name']}"] = row[quantity]
        mixture = "_mixture" if row["target"] == "mild" else ""
        result[f"k_star{mixture}_d{row['dimension']}"] = row["k_star"]
        result[f"nfe{mixture}"] = row["nfe"]
    floors = where(frame, method="exact", metric="error")
    for dimension, floor in zip(floors["dimension"], floors["value"], strict=True):
        result[f"floor_mixture_d{dimension}"] = floor
    result["best_over_five_d10"] = result["five_over_best_uld_d10"]
    # The error at K* with a step that is not the best one, over the smallest error.
    cubic = frame.assign(family=frame["family"].map({"cubic": "uniform"}))
    for dimension in sorted(frame["dimension"].unique()):
        errors = curve(cubic, "gaussian", "rtk-uld", dimension, "best")["value"]
        result[f"loss_off_at_k_star_uld_d{dimension}"] = (
            result[f"loss_at_k_star_uld_off_d{dimension}"]
            * result[f"best_error_uld_off_d{dimension}"]
            / result[f"best_error_uld_d{dimension}"]
        )
        result[f"cubic_gain_uld_d{dimension}"] = (
            result[f"best_error_uld_d{dimension}"] / errors.min()
        )
    return result


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per target, method, rule for the step and dimension."""
    return pd.DataFrame(
        {
            "target": TARGETS[row["target"]],
            "method": style.look(row["method"]).label.replace("exact energy", "exact"),
            "step": STEPS.get(row["step"], row["step"]),
            "dimension d": row["dimension"],
            "best K": row["best_k"],
            "smallest error": f"{row['best_error']:.2g}",
            "K* (nearest)": f"{row['k_star']} ({row['nearest_k']})",
            "error at K* / smallest": f"{row['loss_at_k_star']:.2g}",
            "error at K = 5 / smallest": f"{row['five_over_best']:.2g}",
        }
        for row in summary(frame)
        if row["method"] in SHOWN
    )


if __name__ == "__main__":
    job.table(table, numbers)
