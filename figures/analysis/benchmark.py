"""What the benchmark's figure and table share: names, medians and ratios over the rounds."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from figures.analysis.frames import where

LABELS = {
    "rtk-mala": "RTK-MALA",
    "rtk-mala-workers": "RTK-MALA, 2 workers",
    "rtk-mala-compile": "RTK-MALA, compiled",
    "blackjax": "BlackJAX",
    "blackjax-float64": "BlackJAX, float64",
    "rtk-uld": "RTK-ULD",
    "rtk-uld-workers": "RTK-ULD, 2 workers",
    "rtk-uld-compile": "RTK-ULD, compiled",
    "diffrax": "diffrax",
    "diffrax-float64": "diffrax, float64",
}
"""Names in print, in the order of rows and legends."""

RIVALS = {"rtk-mala": "blackjax", "rtk-uld": "diffrax"}


class Spread(NamedTuple):
    """Median and range over the rounds."""

    median: float
    low: float
    high: float


def spread(values: pd.Series) -> Spread:
    """The median and the range of some values."""
    return Spread(values.median(), values.min(), values.max())


def per_round(frame: pd.DataFrame, metric: str, **columns: object) -> pd.Series:
    """The values of one case by round.

    Raises:
        ValueError: if there is none, or more than one case.
    """
    rows = where(frame, metric=metric, **columns).set_index("round")["value"]
    if rows.empty or rows.index.has_duplicates:
        raise ValueError(f"expected one case with {metric} and {columns}")
    return rows.sort_index()


def speedup(frame: pd.DataFrame, variant: str, rival: str, metric: str, **case: object) -> Spread:
    """The rival's time over that of the variant, round by round."""
    times = [
        per_round(frame, metric, part="chains", variant=name, **case) for name in (rival, variant)
    ]
    return spread(times[0] / times[1])


def cases(frame: pd.DataFrame, smallest: int) -> list[dict[str, int]]:
    """Components, dimension and number of chains of all comparisons with that many chains."""
    rows = where(frame, part="chains")
    found = rows.loc[rows["n"] >= smallest, ["components", "dimension", "n"]].drop_duplicates()
    return [{str(k): int(v) for k, v in row.items()} for row in found.to_dict("records")]


def growth(frame: pd.DataFrame, variant: str, **ends: tuple[int, int]) -> float:
    """Median time of a chain-step at one end over that at the other, the rest as at the start.

    ``ends`` names one column, with its smallest and its largest value.
    """
    ((column, (low, high)),) = ends.items()
    base = {"components": 6, "dimension": 10, "steps": 20} | {column: low}
    times = [_median(frame, variant, base | {column: value}) for value in (low, high)]
    return float(times[1] / times[0])


def _median(frame: pd.DataFrame, variant: str, case: dict[str, int]) -> float:
    """Over the rounds of one case."""
    rows = where(frame, part="growth", metric="cpu_ns", variant=variant, **case)
    return float(np.median(rows["value"]))
