"""B6: energy-difference estimators: floors, the error they need, and error at equal cost."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import job, style

LOOKS = {
    "ula": "rtk-ula",
    "taylor": "rtk-mala-taylor",
    "trapezoid": "rtk-mala-trapezoid",
    "gauss_1": "rtk-mala-gauss-1",
    "simpson": "rtk-mala-simpson",
    "gauss_2": "rtk-mala-gauss-2",
    "gauss_3": "rtk-mala-gauss-3",
    "exact": "rtk-mala",
}
SCORE_ONLY = ("taylor", "trapezoid", "gauss_1", "simpson", "gauss_2", "gauss_3")


def draw_floors(axes: Axes, tv: pd.DataFrame) -> None:
    for name in ("ula", *SCORE_ONLY):
        axes.plot(tv.index, tv[name], **style.look(LOOKS[name]).line)
    axes.set(xscale="log", yscale="log", xlabel=r"step over $1/(3L)$", ylabel="TV to the kernel")
    axes.set_xticks(tv.index, [f"{step:g}" for step in tv.index])
    axes.minorticks_off()
    axes.set(title="$d$ = 1: invariant law")


def draw_needed(axes: Axes, tv: pd.DataFrame, errors: pd.DataFrame) -> None:
    for name in SCORE_ONLY:
        line = style.look(LOOKS[name]).line | {"linestyle": ""}
        axes.plot(errors[name], tv[name], **line)
    axes.set(xscale="log", yscale="log", xlabel="RMS error of the energy difference")
    axes.set(ylabel="TV to the kernel", title="$d$ = 1: all rules and steps")


def draw_equal_cost(axes: Axes, frame: pd.DataFrame) -> None:
    """Whole chains; points are spread a little so that error bars can be told apart."""
    errors = frame[frame["metric"] == "error"]
    exact = errors[errors["method"] == "sample"]
    floor, spread = float(exact["value"].iloc[0]), float(exact["standard_error"].iloc[0])
    for k, (name, method) in enumerate(LOOKS.items()):
        part = errors[errors["method"] == name].sort_values("nfe_asked")
        shifted = part["nfe_asked"] * 1.02 ** (k - 3.5)
        look = style.look(method).line
        axes.errorbar(shifted, part["value"], part["standard_error"], lw=0.7, **look)
    axes.axhspan(floor - spread, floor + spread, color="0.85")
    axes.set(xscale="log", yscale="log", xlabel="score evaluations", ylabel="mean of three TVs")
    budgets = sorted(set(errors["nfe_asked"]) - {0})
    axes.set_xticks(budgets, [str(nfe) for nfe in budgets])
    axes.minorticks_off()
    axes.set(title="$d$ = 10: whole chains")


def draw(frame: pd.DataFrame) -> Figure:
    """Floors, the error of the energy that they need, and errors at equal cost."""
    modes = frame[frame["target"] == "two-modes"]
    tv, errors = (
        modes[modes["metric"] == metric].pivot_table(
            index="step_size", columns="method", values="value"
        )
        for metric in ("tv", "energy_error")
    )
    figure, axes = plt.subplots(1, 3, figsize=(style.DOUBLE, 2.8))
    draw_floors(axes[0], tv)
    draw_needed(axes[1], tv, errors)
    draw_equal_cost(axes[2], frame)
    handles = [Line2D([], [], **style.look(method).line) for method in LOOKS.values()]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


if __name__ == "__main__":
    job.plot(draw)
