"""A1: our numbers on `circle` beside those of the published curves.

Published values are read off the paper's figure and its public settings, so are orientation.
"""

import pandas as pd

from figures import job, style
from figures.analysis.frames import where

TARGET = "circle"
METRIC = "halved_marginal_accuracy"
# method, NFE, published value
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


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """The published values with ours beside them; exact samples come first."""
    frame = where(frame, target=TARGET, metric=METRIC)
    measured = frame.set_index(["method", "nfe_asked"])[["value", "standard_error"]]
    published = pd.DataFrame(PUBLISHED, columns=["method", "nfe_asked", "published"])
    # Exact samples are what all methods are measured against.
    asked = pd.concat([pd.DataFrame({"method": ["exact"], "nfe_asked": [0]}), published])
    found = asked.join(measured, on=["method", "nfe_asked"], how="inner")
    found["method"] = [style.look(method).label for method in found["method"]]
    names = {"nfe_asked": "NFE", "value": "measured", "standard_error": "standard error"}
    return found.rename(columns=names)


if __name__ == "__main__":
    job.table(table)
