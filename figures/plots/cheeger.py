"""B7: the Cheeger constant and the spectral gap of kernels of length ``eta*``, truncated to balls.

Left: the constant in one dimension. Middle: its bounds against the dimension. Right: the spectral
gap against the dimension, with its lower bound.
"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import job, panels, style
from figures.analysis.frames import where

TARGETS = {
    "gaussian": ("Gaussian", "#0072B2", "o"),
    "gaussian, off centre": ("Gaussian, off centre", "#56B4E9", "s"),
    "two modes": ("two modes", "#D55E00", "D"),
    "hyperbolic": ("hyperbolic", "#009E73", "^"),
    "hyperbolic, off centre": ("hyperbolic, off centre", "#B5A300", "v"),
}
"""Label, colour and marker of each target, by the name that it has in results."""


def draw_curves(axes: Axes, frame: pd.DataFrame, x: str, measured: str, proved: str) -> None:
    """Draw a measured metric with markers and a proved bound with dashes, for every target.

    Each point is the smallest value over all that varies beside ``x``.
    """
    for target, (_, color, marker) in TARGETS.items():
        for metric, look in (
            (measured, {"marker": marker}),
            (proved, {"linestyle": "--", "linewidth": 0.7}),
        ):
            least = where(frame, target=target, metric=metric).groupby(x)["value"].min()
            axes.plot(least.index, least, color=color, **look)
    axes.set(xscale="log", yscale="log")
    panels.mark(axes.xaxis, frame[x].unique())


def draw_slope(axes: Axes, dimensions: list[int], power: float, top: float) -> None:
    """Draw the power of the dimension that begins at ``top``, dotted."""
    values = [top * (dimension / dimensions[0]) ** power for dimension in dimensions]
    axes.plot(dimensions, values, ":", color="0.4")


def draw(frame: pd.DataFrame) -> Figure:
    """The figure of the study."""
    line, higher = frame[frame["dimension"] == 1], frame[frame["dimension"] > 1]
    dimensions = sorted(higher["dimension"].unique())
    figure, axes = plt.subplots(1, 3, figsize=(style.DOUBLE, 2.9))
    draw_curves(axes[0], line, "truncation", "exact", "lower")
    axes[0].set(title="$d$ = 1, exact", xlabel="radius / typical norm")
    axes[0].set_ylabel(r"Cheeger constant / $\sqrt{L}$")
    panels.mark(axes[0].yaxis, (0.5, 1, 2, 4))
    draw_curves(axes[1], higher, "dimension", "upper", "lower")
    draw_slope(axes[1], dimensions, -0.5, 0.8)
    axes[1].set(title="bounds, smallest over radii", xlabel="dimension $d$")
    axes[1].set_ylabel(r"Cheeger constant / $\sqrt{L}$")
    panels.mark(axes[1].yaxis, (0.2, 0.5, 1, 2))
    draw_curves(axes[2], higher, "dimension", "gap", "gap_lower")
    draw_slope(axes[2], dimensions, -1.0, 1.0)
    axes[2].set(title="gap, smallest over radii", xlabel="dimension $d$")
    axes[2].set_ylabel("spectral gap / $L$")
    panels.mark(axes[2].yaxis, (0.1, 0.2, 0.5, 1, 2, 5, 10))
    handles = [
        Line2D([], [], color=color, marker=marker, label=label)
        for label, color, marker in TARGETS.values()
    ]
    handles += [
        Line2D([], [], color="0.3", linestyle="--", linewidth=0.7, label="proved lower bound"),
        Line2D([], [], color="0.4", linestyle=":", label=r"slopes of $\sqrt{L/d}$ and $L/d$"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


if __name__ == "__main__":
    job.plot(draw)
