"""B6: estimators of energy differences: their bias, the error they may have, errors at equal cost.

Left: the bias of the invariant law against the step. Middle: the same bias against the error of the
energy difference. Right: errors of samples at equal numbers of score evaluations.
"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from figures import job, panels, style
from figures.analysis.frames import where

METHODS = {
    "ula": "rtk-ula",
    "taylor": "rtk-mala-taylor",
    "trapezoid": "rtk-mala-trapezoid",
    "gauss_1": "rtk-mala-gauss-1",
    "simpson": "rtk-mala-simpson",
    "gauss_2": "rtk-mala-gauss-2",
    "gauss_3": "rtk-mala-gauss-3",
    "exact": "rtk-mala",
}
"""The method whose look each estimator has; "ula" is the chain that needs no energy."""
SCORE_ONLY = ("taylor", "trapezoid", "gauss_1", "simpson", "gauss_2", "gauss_3")
SHIFT = 1.06
"""Neighbouring estimators at one number of score evaluations are drawn apart by this factor."""
FLOOR_COLOR = "0.87"


def draw_floors(axes: Axes, tv: pd.DataFrame) -> None:
    """Draw the distance between the invariant law of each chain and the kernel, by step."""
    for name in ("ula", *SCORE_ONLY):
        axes.plot(tv.index, tv[name], **style.look(METHODS[name]).line)
    axes.set(xscale="log", yscale="log", xlabel=r"step / $(1/3L)$", ylabel="TV to the kernel")
    panels.mark(axes.xaxis, tv.index)
    axes.set(title="$d$ = 1: invariant law")


def draw_needed(axes: Axes, tv: pd.DataFrame, errors: pd.DataFrame) -> None:
    """Draw the same distances against the error of the energy difference."""
    for name in SCORE_ONLY:
        look = style.look(METHODS[name])
        axes.plot(errors[name], tv[name], color=look.color, marker=look.marker, linestyle="")
    axes.set(xscale="log", yscale="log", xlabel="RMS error, energy difference")
    axes.set(ylabel="TV to the kernel", title="$d$ = 1: all estimators, steps")


def draw_equal_cost(axes: Axes, frame: pd.DataFrame) -> None:
    """Draw errors of samples of whole chains, side by side for each number of evaluations.

    The band is the error of exact samples, one standard error to either side.
    """
    errors = where(frame, metric="error")
    exact = where(errors, method="sample").iloc[0]
    low, high = (exact["value"] + sign * exact["standard_error"] for sign in (-1, 1))
    axes.axhspan(low, high, color=FLOOR_COLOR, linewidth=0)
    for k, (name, method) in enumerate(METHODS.items()):
        rows = where(errors, method=name)
        shifted = rows["nfe_asked"] * SHIFT ** (k - (len(METHODS) - 1) / 2)
        look = style.look(method).line | {"linestyle": "", "elinewidth": 0.8}
        axes.errorbar(shifted, rows["value"], rows["standard_error"], **look)
    axes.set(xscale="log", yscale="log", xlabel="score evaluations (NFE)")
    axes.set(ylabel="mean of three TVs", title="$d$ = 10: whole chains")
    panels.mark(axes.xaxis, set(errors["nfe_asked"]) - {0})


def draw(frame: pd.DataFrame) -> Figure:
    """The figure of the study."""
    modes = where(frame, target="two-modes")
    tv, errors = (
        where(modes, metric=metric).pivot_table(index="step_size", columns="method", values="value")
        for metric in ("tv", "energy_error")
    )
    figure, axes = plt.subplots(
        1, 3, figsize=(style.DOUBLE, 3.1), gridspec_kw={"width_ratios": [1, 1, 1.35]}
    )
    draw_floors(axes[0], tv)
    draw_needed(axes[1], tv, errors)
    draw_equal_cost(axes[2], frame)
    handles: list[Line2D | Patch] = [
        Line2D([], [], **style.look(method).line) for method in METHODS.values()
    ]
    handles.append(Patch(color=FLOOR_COLOR, label="exact samples"))
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


if __name__ == "__main__":
    job.plot(draw)
