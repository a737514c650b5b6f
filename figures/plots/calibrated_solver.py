"""B10: what each part of the calibrated solver is worth, and what a plan looks like.

Upper row: errors of the variants. Lower row: noise levels of the scores beside common grids, and
coefficients of the steps beside those of DPM-Solver++(2M).
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import job, style
from figures.analysis.calibrated_solver import VARIANTS, errors
from figures.analysis.frames import where

SHADES = ("#E69F00", "#D55E00", "#5E0B15")
MARKERS = ("o", "s", "D")
"""Colour and marker of the numbers of score evaluations, from the smallest up."""
METRICS = {
    "mode_error": "error of the modes above the floor",
    "distance": "distance from the exact flow / width",
}
GRIDS = {"log_snr": "log-SNR", "karras": "Karras"}
PICTURED = 3
"""Targets whose plans are drawn."""
SOLVERS = {"calibrated": ("fitted", None), "dpm++2m": ("DPM-Solver++(2M)", "none")}
"""Label and filling of the solvers whose coefficients are drawn."""
LAGS = ("o", "s", "^", "D", "v")
"""Markers of the residuals that a coefficient belongs to, from the newest one."""


def draw_errors(axes: Axes, table: pd.DataFrame, budgets: list[int]) -> None:
    """Draw one row per variant and one dot per number of score evaluations, with its error."""
    for k, nfe in enumerate(budgets):
        part = where(table, nfe_asked=nfe).set_index("settings").reindex([*VARIANTS])
        places = np.arange(len(VARIANTS)) + 0.22 * (k - 0.5 * (len(budgets) - 1))
        bars = np.abs(part[["low", "high"]].to_numpy().T - part["value"].to_numpy())
        axes.errorbar(
            part["value"], places, xerr=bars, color=SHADES[k], marker=MARKERS[k], linestyle="", ms=3
        )
    for edge in np.arange(len(VARIANTS) - 1) + 0.5:
        axes.axhline(edge, color="0.92", linewidth=0.6, zorder=0)
    axes.set(xscale="log", ylim=(len(VARIANTS) - 0.5, -0.5))
    axes.set_yticks(range(len(VARIANTS)), VARIANTS.values())
    axes.tick_params(axis="y", length=0)


def draw_plan(axes: Axes, frame: pd.DataFrame, targets: list[str], budgets: list[int]) -> None:
    """Draw the noise levels of each solver as a strip of ticks, the common grids below them."""
    levels = where(frame, metric="sigma")
    strips: list[tuple[str, dict[str, Any], str]] = [
        (f"{target}, {nfe}", {"method": "calibrated", "target": target, "nfe_asked": nfe}, shade)
        for target in targets
        for nfe, shade in zip(budgets, SHADES, strict=False)
    ]
    middle = budgets[len(budgets) // 2]
    strips += [
        (f"{label}, {middle}", {"method": grid, "target": targets[0], "nfe_asked": middle}, "0.4")
        for grid, label in GRIDS.items()
    ]
    for row, (_, choice, color) in enumerate(strips):
        sigmas = where(levels, **choice)["value"]
        axes.plot(sigmas, np.full(len(sigmas), row), "|", color=color, markersize=7, mew=1.1)
    axes.axhline(len(targets) * len(budgets) - 0.5, color="0.8", linewidth=0.6)
    axes.set(xscale="log", xlabel=r"noise level $\sigma$", ylim=(len(strips) - 0.5, -0.5))
    axes.set_yticks(range(len(strips)), [label for label, *_ in strips])
    axes.tick_params(axis="y", length=0)
    axes.invert_xaxis()


def draw_coefficients(axes: Axes, frame: pd.DataFrame, target: str, nfe: int) -> None:
    """Draw the coefficients of the predictor at each node; those of DPM-Solver++(2M) are hollow."""
    part = where(frame, target=target, nfe_asked=nfe)
    sigmas = where(part, metric="sigma", method="calibrated").set_index("node")["value"]
    for method in SOLVERS:
        rows, color = where(part, metric="predictor", method=method), style.look(method).color
        for lag, marker in enumerate(LAGS):
            chosen = where(rows, lag=lag)
            places, face = chosen["node"].map(sigmas), SOLVERS[method][1] or color
            axes.plot(places, chosen["value"], marker, color=color, mfc=face, ms=3.5)
    axes.axhline(0.0, color="0.8", linewidth=0.6, zorder=0)
    axes.set(xscale="log", xlabel=r"noise level $\sigma$", ylabel="coefficient of the predictor")
    axes.set_title(f"{target}, {nfe} scores")
    axes.invert_xaxis()


def draw(frame: pd.DataFrame) -> Figure:
    """The figure of the study."""
    table = errors(frame)
    budgets = sorted(table["nfe_asked"].unique())
    targets = [*where(frame, metric="sigma")["target"].unique()]
    figure = plt.figure(figsize=(style.DOUBLE, 6.0))
    upper, lower = figure.subfigures(2, 1, squeeze=False, height_ratios=(1.25, 1.0))[:, 0]
    left, right = upper.subplots(1, 2, sharey=True)
    for axes, (metric, label) in zip((left, right), METRICS.items(), strict=True):
        draw_errors(axes, where(table, metric=metric), budgets)
        axes.set(xlabel=label)
    handles = [
        Line2D([], [], color=shade, marker=marker, linestyle="", label=f"NFE {nfe}")
        for nfe, shade, marker in zip(budgets, SHADES, MARKERS, strict=False)
    ]
    upper.legend(handles=handles, loc="outside upper center", ncols=3)
    left, right = lower.subplots(1, 2)
    draw_plan(left, frame, targets[:PICTURED], budgets)
    draw_coefficients(right, frame, targets[0], budgets[len(budgets) // 2])
    shapes = [
        Line2D([], [], color="0.3", marker=marker, linestyle="", label=f"$p_{lag}$")
        for lag, marker in enumerate(LAGS[:4])
    ]
    solvers = [
        Line2D(
            [], [], color=style.look(method).color, marker="o", mfc=face, linestyle="", label=label
        )
        for method, (label, face) in SOLVERS.items()
    ]
    lower.legend(handles=[*shapes, *solvers], loc="outside lower right", ncols=6)
    return figure


if __name__ == "__main__":
    job.plot(draw)
