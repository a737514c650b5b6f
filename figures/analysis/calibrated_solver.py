"""B10: the errors of the variants of the calibrated solver, over targets and repetitions."""

import re

import numpy as np
import pandas as pd

from experiments.comparison.excess import excess
from figures.analysis.frames import where

VARIANTS = {
    "full": "full",
    "no selection": "without selection",
    "no corrector": "without corrector",
    "two residuals": "two residuals, not four",
    "one residual": "one residual",
    "even nodes": "even nodes, fitted ends",
    "even nodes, whole path": "even nodes, whole path",
    "polynomial coefficients": "polynomial coefficients",
    "even nodes, whole path, polynomial": "even nodes and polynomial",
    "base: diagonal": "base: diagonal",
    "base: one variance": "base: one variance",
    "base: N(0, I)": "base: N(0, I)",
    "64 chains": "pilot of 64 chains",
    "32 chains": "pilot of 32 chains",
    "16 chains": "pilot of 16 chains",
    "dpm++2m": "DPM-Solver++(2M)",
}
"""Label of every variant, from the full solver down; all but the first have no selection."""
NAMES = {variant: re.sub(r"[^a-z0-9]+", "_", variant.lower()) for variant in VARIANTS} | {
    "dpm++2m": "dpm_solver",
    "base: N(0, I)": "base_identity",
}
"""Names of the variants in the names of numbers."""


def errors(frame: pd.DataFrame) -> pd.DataFrame:
    """Geometric means over the targets, by variant and number of score evaluations.

    Of the error of the modes it is that of ``max(J - F, 0.1 F)`` with ``F`` the error of exact
    samples. Mean and standard error are of the logarithms, over the repetitions.

    Returns:
        columns ``metric``, ``settings``, ``nfe_asked``, ``value``, ``low`` and ``high``, the last
        two one standard error of the logarithm away.
    """
    floors = where(frame, method="exact", metric="mode_error").set_index("target")["value"]
    runs = frame[
        frame["settings"].isin(VARIANTS) & frame["metric"].isin(["mode_error", "distance"])
    ]
    modes = runs["metric"] == "mode_error"
    above = excess(runs.loc[modes, "value"], runs.loc[modes, "target"].map(floors))
    runs = runs.assign(log=np.log(runs["value"]))
    runs.loc[modes, "log"] = np.log(above)
    keys = ["metric", "settings", "nfe_asked"]
    means = runs.groupby([*keys, "repetition"])["log"].mean().groupby(keys)
    log, error = means.mean(), means.sem()
    columns = {"value": np.exp(log), "low": np.exp(log - error), "high": np.exp(log + error)}
    return pd.DataFrame(columns).reset_index()
