"""A1: marginal accuracies on the mixture `circle`, measured here and in the published curves.

The published values are read off the paper's figure, to about the width of a line.
"""

import pandas as pd

from figures import job, style
from figures.analysis.frames import where

TARGET = "circle"
METRIC = "halved_marginal_accuracy"
PUBLISHED = [
    ("ddpm", 25, 0.746),
    ("ddpm", 105, 0.767),
    ("ddpm", 205, 0.793),
    ("ddpm", 505, 0.856),
    ("rtk-ula", 25, 0.945),
    ("rtk-ula", 505, 0.958),
    ("rtk-uld", 25, 0.938),
    ("rtk-uld", 505, 0.985),
    ("rtk-mala-taylor", 25, 0.941),
    ("rtk-mala-taylor", 505, 0.972),
    ("rtk-mala", 25, 0.936),
    ("rtk-mala", 505, 0.991),
]
"""Method, score evaluations, and the published accuracy."""


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row for exact samples, then one row for each published value with ours beside it."""
    frame = where(frame, target=TARGET, metric=METRIC)
    measured = frame.set_index(["method", "nfe_asked"])[["value", "standard_error"]]
    published = pd.DataFrame(PUBLISHED, columns=["method", "nfe_asked", "published"])
    # Exact samples are what all methods are measured against.
    asked = pd.concat([pd.DataFrame({"method": ["exact"], "nfe_asked": [0]}), published])
    result = asked.join(measured, on=["method", "nfe_asked"], how="inner")
    result["method"] = [style.look(method).label for method in result["method"]]
    names = {"nfe_asked": "NFE", "value": "measured", "standard_error": "standard error"}
    return result.rename(columns=names)


if __name__ == "__main__":
    job.table(table)
