"""Marginal accuracies on the paper's mixtures in the published curves, and ours beside them.

The published values are read off the paper's figures, to about the width of a line.
"""

import pandas as pd

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


CASE = ["target", "method", "nfe_asked"]


def beside(frame: pd.DataFrame) -> pd.DataFrame:
    """Published values with ours, ``value``, and the difference, both NaN where there is none."""
    published = pd.DataFrame(
        [
            (target, method, nfe, value)
            for target, method, values in PUBLISHED
            for nfe, value in values.items()
        ],
        columns=[*CASE, "published"],
    )
    measured = where(frame, metric=METRIC)[[*CASE, "value"]]
    result = published.merge(measured, on=CASE, how="left")
    return result.assign(difference=result["value"] - result["published"])


def compared(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of `beside` that were measured here too."""
    return beside(frame).dropna().reset_index(drop=True)
