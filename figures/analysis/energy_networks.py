"""What the figure and the table of C3 share: the primary error of a target, and names in print."""

import pandas as pd

from figures.analysis.frames import where

NETWORKS = {"score": "score network", "energy": "energy network", "exact": "exact score"}
"""The scores by which samples are drawn, and their names in print."""


def primary(target: str) -> tuple[str, str]:
    """The metric by which samples of a target are judged first of all, and its name in print."""
    if target == "mnist":
        return "frechet_distance", "Fréchet distance"
    return "mode_error", "error of the modes"


def errors(frame: pd.DataFrame, target: str, nfe: int) -> pd.DataFrame:
    """The primary errors of all samples of a target at one number of score evaluations."""
    return where(frame, part="samples", target=target, metric=primary(target)[0], nfe_asked=nfe)


def budgets(frame: pd.DataFrame, target: str) -> list[int]:
    """The numbers of score evaluations of a target, ascending."""
    rows = where(frame, part="samples", target=target)
    return sorted(int(nfe) for nfe in rows["nfe_asked"].unique())
