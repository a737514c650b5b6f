"""B1: the inner chain's speed and its cost per unit of time, against the segment's length."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import job, style
from figures.analysis.mixing import path_cost, values

Colors = Mapping[float, tuple[float, float, float, float]]

TARGETS = {"circle": ("#0072B2", "o"), "mild": ("#009E73", "s"), "separated": ("#D55E00", "D")}


def draw_gaps(axes: Axes, frame: pd.DataFrame, colors: Colors) -> None:
    """Spectral gap in one dimension, on average over noisy ends and at the worst."""
    for metric, line in (("gap_mean", "-"), ("gap_worst", "--")):
        for mode, part in frame[frame["metric"] == metric].groupby("mode"):
            axes.plot(part["ratio"], part["value"], line, color=colors[float(str(mode))])
    axes.plot([], [], "k-", label="mean over $x$")
    axes.plot([], [], "k--", label="worst $x$")
    axes.set(yscale="log", title="two modes, $d$ = 1", ylabel="spectral gap of MALA")
    # White behind the text, where the line at eta* passes.
    axes.legend(frameon=True, framealpha=1.0, edgecolor="none")


def draw_times(axes: Axes, frame: pd.DataFrame) -> None:
    """Autocorrelation time in ten dimensions; hollow where the run was too short to tell."""
    for target, (color, marker) in TARGETS.items():
        part = frame[frame["target"] == target]
        time = part[part["metric"] == "autocorrelation"].set_index("ratio")
        known_at = values(part, "resolved") > 0
        axes.plot(time.index, time["value"], "-", color=color)
        for known in (True, False):
            here = time[known_at == known]
            axes.errorbar(
                here.index,
                here["value"],
                here["standard_error"],
                fmt=marker,
                color=color,
                mfc=color if known else "white",
                label=target if known and len(time) else None,
            )
    axes.set(yscale="log", title="$d$ = 10", ylabel="autocorrelation time, steps")
    # White behind the text, where the line at eta* passes.
    axes.legend(frameon=True, framealpha=1.0, edgecolor="none")


def draw_costs(axes: Axes, frame: pd.DataFrame, colors: Colors) -> None:
    """Steps for the whole path in one dimension (solid) and in ten (dotted)."""
    for mode, shade in colors.items():
        cost = path_cost(frame[frame["mode"] == mode], "steps_mean")
        axes.plot(cost.index, cost, color=shade)
    for target, (color, marker) in TARGETS.items():
        part = frame[frame["target"] == target]
        if len(part):
            cost = path_cost(part, "autocorrelation")
            axes.plot(cost.index, cost, ":", color=color)
            for known in (True, False):
                here = cost[(values(part, "resolved") > 0) == known]
                fill = color if known else "white"
                axes.plot(here.index, here, marker, color=color, mfc=fill)
    axes.set(yscale="log", title="cost of the path", ylabel="steps per draw × segments")


def draw(frame: pd.DataFrame) -> Figure:
    """Gaps in one dimension, times in ten, and the cost of the whole path."""
    modes = sorted(frame["mode"].dropna().unique())
    palette = plt.get_cmap("plasma")
    colors = {mode: palette(0.8 * k / max(1, len(modes) - 1)) for k, mode in enumerate(modes)}
    figure, axes = plt.subplots(1, 3, figsize=(style.DOUBLE, 2.7))
    draw_gaps(axes[0], frame, colors)
    draw_times(axes[1], frame)
    draw_costs(axes[2], frame, colors)
    for panel in axes:
        panel.axvline(1.0, color="0.6", lw=0.6, zorder=0)
        panel.set(xscale="log", xlabel=r"segment length $\eta/\eta^*$")
    handles = [
        Line2D([], [], color=color, label=rf"modes at $\pm${mode:g}")
        for mode, color in colors.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


if __name__ == "__main__":
    job.plot(draw)
