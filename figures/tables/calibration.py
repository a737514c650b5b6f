"""A1: marginal accuracies on the paper's mixtures, measured here and in the published curves.

The published values are read off the paper's figures, to about the width of a line.
"""

import pandas as pd

from figures import job, style
from figures.analysis.frames import where

METRIC = "halved_marginal_accuracy"
NOTABLE = 0.01
"""A difference that the width of a line does not explain."""
PUBLISHED = [
    ("circle", "ddpm", {25: 0.746, 105: 0.767, 205: 0.793, 505: 0.856}),
    ("circle", "rtk-ula", {25: 0.945, 105: 0.956, 205: 0.959, 505: 0.958}),
    ("circle", "rtk-uld", {25: 0.938, 105: 0.984, 205: 0.988, 505: 0.985}),
    ("circle", "rtk-mala-taylor", {25: 0.941, 105: 0.966, 205: 0.971, 505: 0.972}),
    ("circle", "rtk-mala", {25: 0.936, 105: 0.978, 205: 0.988, 505: 0.991}),
    ("chessboard", "ddpm", {25: 0.618, 505: 0.854}),
    ("chessboard", "rtk-ula", {25: 0.934, 505: 0.968}),
    ("chessboard", "rtk-uld", {25: 0.941, 505: 0.974}),
    ("chessboard", "rtk-mala-taylor", {25: 0.918, 505: 0.983}),
    ("chessboard", "rtk-mala", {25: 0.941, 505: 0.988}),
    ("spiral", "ddpm", {25: 0.639, 505: 0.855}),
    ("spiral", "rtk-ula", {25: 0.955, 505: 0.971}),
    ("spiral", "rtk-uld", {25: 0.957, 505: 0.975}),
    ("spiral", "rtk-mala-taylor", {25: 0.960, 505: 0.981}),
    ("spiral", "rtk-mala", {25: 0.960, 505: 0.987}),
]
"""Mixture, method, and the published accuracy by number of score evaluations."""


def compared(frame: pd.DataFrame) -> pd.DataFrame:
    """Published values that were measured here too, with ours and the difference."""
    keys = ["target", "method", "nfe_asked"]
    published = pd.DataFrame(
        [
            (target, method, nfe, value)
            for target, method, values in PUBLISHED
            for nfe, value in values.items()
        ],
        columns=[*keys, "published"],
    )
    measured = where(frame, metric=METRIC)[[*keys, "value"]]
    result = published.merge(measured, on=keys)
    return result.assign(difference=result["value"] - result["published"])


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """How many values were compared, and how far ours lie from the published ones.

    ``gap_METHOD_least`` and ``_largest`` are the ends of the differences of a method.
    """
    table = compared(frame)
    result: dict[str, float] = {
        "compared": len(table),
        "notable": (table["difference"].abs() > NOTABLE).sum(),
    }
    for method, part in table.groupby("method"):
        name = style.identifier(str(method))
        result[f"gap_{name}_least"] = part["difference"].min()
        result[f"gap_{name}_largest"] = part["difference"].max()
    return result


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per mixture and method: published values by number of scores, with ours beside."""
    rows = compared(frame)
    cells = pd.DataFrame({"mixture": rows["target"], "method": rows["method"]}).drop_duplicates()
    for nfe, part in rows.groupby("nfe_asked"):
        part = part.set_index(["target", "method"])
        for name, source in (("published", "published"), ("ours", "value")):
            values = part[source].map("{:.3f}".format).rename(f"NFE {nfe}, {name}")
            cells = cells.join(values, on=["mixture", "method"])
    cells["method"] = [style.look(method).label for method in cells["method"]]
    return cells


if __name__ == "__main__":
    job.table(table, numbers)
