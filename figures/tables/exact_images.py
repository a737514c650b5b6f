"""C2: errors of samplers on mixtures of images, and the numbers that the article quotes."""

import math

import numpy as np
import pandas as pd
from scipy.stats import gmean

from figures import job, style
from figures.analysis.comparison import methods_of
from figures.analysis.exact_images import first_right, right, scatter_of_radius
from figures.analysis.frames import where

NFE = 10
"""The number of score evaluations of the secondary columns; all scales have it."""


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per method: geometric means over the collections, for the primary error at all NFE.

    The Fréchet distance is divided by that of exact samples; the kernel distance, which may be
    negative, and the total variation are arithmetic means.
    """
    rows = where(frame, part="methods")
    exact = where(frame, part="exact")
    means = where(rows, metric="radius_w1").pivot_table("value", "method", "nfe_asked", gmean)
    means.loc["exact"] = gmean(where(exact, metric="radius_w1")["value"])
    means = means.add_prefix("NFE ")
    at = pd.concat([where(rows, nfe_asked=NFE), exact])
    floors = exact.set_index(["target", "metric"])["value"]
    level = at.set_index(["target", "metric"]).index.map(floors)
    at = at.assign(in_floors=at["value"] / level)
    for name, metric, column, mean in (
        (f"class TV, NFE {NFE}", "class_tv", "value", np.mean),
        (f"Fréchet / floor, NFE {NFE}", "frechet_distance", "in_floors", gmean),
        (f"kernel, NFE {NFE}", "kernel_distance", "value", np.mean),
    ):
        means[name] = where(at, metric=metric).groupby("method")[column].agg(mean)
    means = means.loc[["exact", *methods_of(rows)]].reset_index()
    return means.assign(method=[style.look(method).label for method in means["method"]])


def of_methods(frame: pd.DataFrame, target: str) -> dict[str, float]:
    """The errors of all methods at `NFE` and at the largest NFE, and where they are right."""
    rows = where(frame, target=target, part="methods")
    most = rows["nfe_asked"].max()
    # The article of another scale quotes the same names, also where it has fewer NFE.
    budgets = {"10": NFE, "40": rows.loc[rows["nfe_asked"] <= 40, "nfe_asked"].max(), "most": most}
    result = {f"first_right_{_name(m)}": nfe for m, nfe in first_right(frame, target).items()}
    result["methods"] = float(rows["method"].nunique())
    result["right_at_some"] = float(sum(nfe > 0 for nfe in result.values()) - 1)
    for name, nfe in budgets.items():
        for row in where(rows, nfe_asked=nfe).itertuples():
            result[f"{row.metric}_{_name(str(row.method))}_{name}"] = row.value
            result[f"{row.metric}_{_name(str(row.method))}_{name}_error"] = row.standard_error
    for row in where(frame, target=target, part="exact").itertuples():
        result[f"{row.metric}_floor"] = row.value
    for method, acceptance in where(rows, metric="radius").groupby("method")["acceptance"]:
        if acceptance.notna().any():
            result[f"acceptance_{_name(str(method))}"] = acceptance.max()
    result["width"] = rows["width"].iloc[0]
    return result


def of_segments(frame: pd.DataFrame) -> dict[str, float]:
    """For each sampler of the sweep the number of segments with the least error, and the errors.

    The error here is the sum of those of the radius and of the classes: with few segments all
    samples may be of one class and have perfect radii.
    """
    part = where(frame, part="segments")
    target = part["target"].iloc[0]
    correct = right(part, frame, target)
    result: dict[str, float] = {
        "segments_right": float(correct.sum()),
        "segments_runs": float(len(correct)),
        "segments_nfe": float(part["nfe_asked"].iloc[0]),
        "segments_least": float(part["segments"].min()),
    }
    for (method, step), rows in part.groupby(["method", "step"], dropna=False):
        name = _name(str(method)) + ("" if math.isnan(step) else "_wide")
        value = rows.pivot(index="segments", columns="metric", values="value")
        best = int((value["radius_w1"] + value["class_tv"]).to_numpy().argmin())
        result |= {
            f"best_segments_{name}": float(value.index[best]),
            f"best_radius_w1_{name}": value["radius_w1"].iloc[best],
            f"best_class_tv_{name}": value["class_tv"].iloc[best],
            f"least_class_tv_{name}": value["class_tv"].iloc[0],
            f"least_radius_w1_{name}": value["radius_w1"].iloc[0],
            f"most_segments_{name}": float(value.index.max()),
            f"most_radius_w1_{name}": value["radius_w1"].iloc[-1],
            f"most_class_tv_{name}": value["class_tv"].iloc[-1],
        }
    return result


def _name(method: str) -> str:
    return style.identifier(method)


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """The numbers of each collection, with its name at their end, and those of the sweep."""
    result = of_segments(frame)
    for target in frame["target"].unique():
        found = of_methods(frame, target)
        result |= {f"{name}_{target}": float(value) for name, value in found.items()}
    exact = where(frame, part="exact", metric="radius_w1").iloc[0]
    result |= {
        "scatter_of_radius": scatter_of_radius(int(exact["dimension"])),
        "images": float(exact["images"]),
        "chains": float(exact["chains"]),
        "dimension": float(exact["dimension"]),
        "nfe_most": float(frame["nfe_asked"].max()),
    }
    return result


if __name__ == "__main__":
    job.table(table, numbers)
