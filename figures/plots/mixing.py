"""B1: how fast the inner chain of RTK-MALA mixes, against the length of the segment.

Left: the spectral gap for two modes in one dimension. Middle: the autocorrelation time in ten
dimensions. Right: the inner steps that the whole path then costs.
"""

from collections.abc import Iterator, Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import job, style
from figures.analysis.frames import where
from figures.analysis.mixing import TITLES, path_cost, values

Colors = Mapping[float, tuple[float, float, float, float]]

TARGETS = {
    "circle": ("#0072B2", "o"),
    "mild": ("#009E73", "s"),
    "separated": ("#D55E00", "D"),
}
"""Colour and marker of the targets in ten dimensions, by the name that each has in results."""


def draw_gaps(axes: Axes, frame: pd.DataFrame, colors: Colors) -> None:
    """Draw the spectral gap in one dimension: its mean over noisy ends, and its smallest value."""
    for metric, line in (("gap_mean", "-"), ("gap_worst", "--")):
        for mode, color in colors.items():
            rows = where(frame, metric=metric, mode=mode)
            axes.plot(rows["ratio"], rows["value"], line, color=color)
    axes.set(yscale="log", title="two modes, $d$ = 1", ylabel="spectral gap of MALA")


def by_resolution(frame: pd.DataFrame, quantity: pd.Series) -> Iterator[tuple[bool, pd.Series]]:
    """A quantity at the lengths at which the run resolved the time, then at the other lengths."""
    resolved = values(frame, "resolved") > 0
    yield True, quantity[resolved]
    yield False, quantity[~resolved]


def draw_times(axes: Axes, frame: pd.DataFrame) -> None:
    """Draw the autocorrelation time; markers are hollow where the run was too short for it."""
    for target, (color, marker) in TARGETS.items():
        rows = where(frame, target=target)
        times = where(rows, metric="autocorrelation").set_index("ratio")
        axes.plot(times.index, times["value"], "-", color=color)
        for resolved, part in by_resolution(rows, times["value"]):
            error = times["standard_error"][part.index]
            fill = color if resolved else "white"
            axes.errorbar(part.index, part, error, fmt=marker, color=color, mfc=fill)
    axes.set(yscale="log", title="$d$ = 10", ylabel="autocorrelation time (steps)")


def draw_costs(axes: Axes, frame: pd.DataFrame, colors: Colors) -> None:
    """Draw the steps that the whole path costs: solid in one dimension, dotted in ten."""
    for mode, color in colors.items():
        cost = path_cost(where(frame, mode=mode), "steps_mean")
        axes.plot(cost.index, cost, color=color)
    for target, (target_color, marker) in TARGETS.items():
        rows = where(frame, target=target)
        if len(rows):
            cost = path_cost(rows, "autocorrelation")
            axes.plot(cost.index, cost, ":", color=target_color)
            for resolved, part in by_resolution(rows, cost):
                fill = target_color if resolved else "white"
                axes.plot(part.index, part, marker, color=target_color, mfc=fill)
    axes.set(yscale="log", title="cost of the path", ylabel="steps per draw × segments")


def draw(frame: pd.DataFrame) -> Figure:
    """The figure of the study."""
    modes = sorted(frame["mode"].dropna().unique())
    palette = plt.get_cmap("plasma")
    colors = {mode: palette(0.8 * k / max(1, len(modes) - 1)) for k, mode in enumerate(modes)}
    figure, axes = plt.subplots(1, 3, figsize=(style.DOUBLE, 3.0))
    draw_gaps(axes[0], frame, colors)
    draw_times(axes[1], frame)
    draw_costs(axes[2], frame, colors)
    for panel in axes:
        panel.axvline(1.0, color="0.6", linewidth=0.6, zorder=0)
        panel.set(xscale="log", xlabel=r"segment length $\eta/\eta^*$")
    handles = [
        Line2D([], [], color=color, label=rf"$d$ = 1, modes at $\pm${mode:g}")
        for mode, color in colors.items()
    ]
    handles += [
        Line2D([], [], color="0.3", label="mean over noisy ends"),
        Line2D([], [], color="0.3", linestyle="--", label="worst noisy end"),
    ]
    handles += [
        Line2D([], [], color=color, marker=marker, label=f"$d$ = 10, {TITLES[target]}")
        for target, (color, marker) in TARGETS.items()
        if (frame["target"] == target).any()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


if __name__ == "__main__":
    job.plot(draw)
