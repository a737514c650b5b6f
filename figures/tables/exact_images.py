"""C2: errors of samplers on mixtures of images, and the numbers that the article quotes."""

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import gmean

from figures import job, style
from figures.analysis.comparison import methods_of
from figures.analysis.exact_images import first_right, right, scatter_of_radius
from figures.analysis.frames import where

NFE = 10
"""The number of score evaluations of the secondary columns; all scales have it."""

LEARNED = ("ddpm", "dpm++2m", "calibrated")
"""The methods that are set beside their results with a learned score."""


def table(frame: pd.DataFrame, learned: pd.DataFrame) -> pd.DataFrame:
    """One row per method: geometric means over the collections, for the primary error at all NFE.

    The Fréchet distance is divided by that of exact samples. The kernel distance, which may be
    negative, and the total variation are arithmetic means. The results of C1 are not in the table.
    """
    rows, exact = where(frame, part="methods"), where(frame, part="exact")
    means = where(rows, metric="radius_w1").pivot_table("value", "method", "nfe_asked", gmean)
    means.loc["exact"] = gmean(where(exact, metric="radius_w1")["value"])
    means = means.add_prefix("NFE ")
    at = pd.concat([where(rows, nfe_asked=NFE), exact])
    floors = exact[["target", "metric", "value"]].rename(columns={"value": "floor"})
    at = at.merge(floors, on=["target", "metric"])
    at["in_floors"] = at["value"] / at["floor"]
    for name, metric, column, mean in (
        (f"class TV, NFE {NFE}", "class_tv", "value", np.mean),
        (f"Fréchet / floor, NFE {NFE}", "frechet_distance", "in_floors", gmean),
        (f"kernel, NFE {NFE}", "kernel_distance", "value", np.mean),
    ):
        means[name] = where(at, metric=metric).groupby("method")[column].agg(mean)
    means = means.loc[["exact", *methods_of(rows)]].reset_index()
    return means.assign(method=[style.look(method).label for method in means["method"]])


def of_methods(frame: pd.DataFrame, target: str) -> dict[str, float]:
    """The errors of all methods on one collection, and the NFE from which on they are right.

    The errors are those at `NFE`, at the largest NFE up to 40, and at the largest of all.
    """
    rows, exact = where(frame, target=target, part="methods"), where(frame, target=target)
    first = first_right(frame, target)
    result: dict[str, Any] = {
        f"first_right_{style.identifier(method)}": nfe for method, nfe in first.items()
    }
    result |= {"methods": len(first), "right_at_some": sum(nfe > 0 for nfe in first.values())}
    budgets = rows["nfe_asked"]
    for name, nfe in (("10", NFE), ("40", budgets[budgets <= 40].max()), ("most", budgets.max())):
        for metric, of_metric in where(rows, nfe_asked=nfe).groupby("metric"):
            for method, value in of_metric.set_index("method")["value"].items():
                result[f"{metric}_{style.identifier(str(method))}_{name}"] = value
    for measure, value in where(exact, part="exact").set_index("metric")["value"].items():
        result[f"{measure}_floor"] = value
    last = where(rows, metric="radius", nfe_asked=rows["nfe_asked"].max())
    for method, acceptance in last.set_index("method")["last_acceptance"].dropna().items():
        result[f"last_acceptance_{style.identifier(str(method))}_most"] = acceptance
    result["width"] = rows["width"].iloc[0]
    return {name: float(value) for name, value in result.items()}


def of_segments(frame: pd.DataFrame) -> dict[str, float]:
    """For each sampler of the sweep the number of segments with the least error, and the errors.

    The error here is the sum of those of the radius and of the classes: with few segments all
    samples may be of one class and have perfect radii.
    """
    part = where(frame, part="segments")
    correct = right(part, frame, part["target"].iloc[0])
    result = {
        "segments_runs": float(len(correct)),
        "segments_right": float(correct.sum()),
        "segments_nfe": float(part["nfe_asked"].iloc[0]),
    }
    names = part["method"].map(style.identifier)
    for name, rows in part.groupby(names.where(part["step"].isna(), names + "_wide")):
        value = rows.pivot(index="segments", columns="metric", values="value").sort_index()
        best = int((value["radius_w1"] + value["class_tv"]).to_numpy().argmin())
        for place, position in (("best", best), ("least", 0), ("most", -1)):
            result |= {
                f"{place}_segments_{name}": float(value.index[position]),
                f"{place}_radius_w1_{name}": float(value["radius_w1"].iloc[position]),
                f"{place}_class_tv_{name}": float(value["class_tv"].iloc[position]),
            }
    return result


def beside_learned(frame: pd.DataFrame, learned: pd.DataFrame, target: str) -> dict[str, float]:
    """Fréchet distances beyond the floor, with the exact score and with the learned one of C1.

    Each has a floor of its own: that of as many exact draws, or training images. They are those at
    `NFE` and at the largest NFE up to 40. What the network adds is the difference between the two
    at the larger NFE, the mean over the methods, whose runs are independent.
    """
    result = {}
    errors = []
    metric = "frechet_distance"
    exact_score = where(frame, target=target, metric=metric, part="methods")
    for name, rows, floor in (
        ("exact", exact_score, where(frame, target=target, metric=metric, part="exact")),
        (
            "learned",
            where(learned, target=target, metric=metric),
            where(learned, target=target, metric=metric, method="exact"),
        ),
    ):
        level = float(floor["value"].item())
        errors.append(float(floor["standard_error"].item()))
        budgets = rows["nfe_asked"]
        for place, nfe in (("10", NFE), ("40", budgets[budgets <= 40].max())):
            values = where(rows, nfe_asked=nfe).set_index("method")
            for method in LEARNED:
                key = f"{name}_{style.identifier(method)}_{place}"
                result[f"excess_{key}"] = float(values["value"].loc[method]) - level
                result[f"excess_{key}_error"] = float(values["standard_error"].loc[method])
    keys = [f"{style.identifier(method)}_40" for method in LEARNED]
    added = [result[f"excess_learned_{key}"] - result[f"excess_exact_{key}"] for key in keys]
    for name in ("exact", "learned"):
        errors += [result[f"excess_{name}_{key}_error"] / len(keys) for key in keys]
    adds = {"network_adds": float(np.mean(added)), "network_adds_error": math.hypot(*errors)}
    return result | adds


def numbers(frame: pd.DataFrame, learned: pd.DataFrame) -> dict[str, float]:
    """The numbers of each collection, with its name at their end, and those of the sweep.

    Args:
        frame: the rows of C2.
        learned: rows of C1, of the methods in `LEARNED` and of training images.
    """
    result = of_segments(frame)
    for target in frame["target"].unique():
        found = of_methods(frame, target)
        if target in {*learned["target"]}:
            found |= beside_learned(frame, learned, target)
        result |= {f"{name}_{target}": value for name, value in found.items()}
    one = where(frame, part="segments").iloc[0]
    result |= {name: float(one[name]) for name in ("images", "chains", "dimension")}
    return result | {
        "scatter_of_radius": scatter_of_radius(int(one["dimension"])),
        "nfe_most": float(frame["nfe_asked"].max()),
    }


if __name__ == "__main__":
    job.table(table, numbers)
