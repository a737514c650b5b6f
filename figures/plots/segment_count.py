"""B2: the numbers of RTK's segments and of DDPM's steps, against the accuracy and the dimension.

Left: against the accuracy. Middle: RTK alone, on a linear scale. Right: against the dimension.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import job, panels, style
from figures.analysis import fit
from figures.analysis.convergence import smallest_decades
from figures.analysis.segment_count import CURVES, curves

DDPM = {"color": style.look("ddpm").color, "marker": style.look("ddpm").marker}
LOOKS: dict[str, dict[str, Any]] = {
    "rtk": {"color": "black", "marker": "*", "linestyle": "-"},
    "ddpm": {**DDPM, "linestyle": "--"},
    "ddpm_uniform": {**DDPM, "linestyle": ":", "markerfacecolor": "white"},
}


def draw_counts(
    axes: Axes, x: pd.Series, counts: pd.DataFrame, fitted: pd.DataFrame, fitted_x: pd.Series
) -> None:
    """Draw the counts against ``x``, and power laws through the rows ``fitted``."""
    labels = []
    for name, look in LOOKS.items():
        axes.plot(x, counts[name], **look | {"linestyle": ""})
        line = fit.power_law(fitted_x, fitted[name])
        ends = np.array([fitted_x.min(), fitted_x.max()])
        heights = line.power(ends)
        axes.plot(ends, heights, color=look["color"], linestyle=look["linestyle"])
        labels.append(panels.EndLabel(f"{line.slope:.2f}", ends[1], heights[1], look["color"]))
    axes.set(xscale="log", yscale="log", ylabel="kernels or steps")
    axes.margins(x=0.16)
    panels.label_ends(axes, labels)


def draw_line(axes: Axes, counts: pd.DataFrame) -> None:
    """Draw the number of RTK's kernels on a linear scale, with the line fitted to it."""
    decades, look = np.log10(1.0 / counts["eps"]), LOOKS["rtk"]
    line = fit.line(decades, counts["rtk"])
    axes.plot(decades, counts["rtk"], **look | {"linestyle": ""})
    axes.plot(decades, line.intercept + line.slope * decades, color=look["color"])
    axes.set(xlabel=r"$\log_{10}(1/\mathrm{TV})$", ylabel="RTK kernels")


def draw(frame: pd.DataFrame) -> Figure:
    """The figure of the study."""
    by_eps, by_dimension = curves(frame, "eps"), curves(frame, "dimension")
    figure, axes = plt.subplots(1, 3, figsize=(style.DOUBLE, 2.6))
    small = smallest_decades(by_eps, 2.0)
    draw_counts(axes[0], 1.0 / by_eps["eps"], by_eps, small, 1.0 / small["eps"])
    axes[0].set(xlabel="1 / TV", title=f"$d$ = {by_eps.dimension[0]}")
    draw_line(axes[1], by_eps)
    axes[1].set(title=f"$d$ = {by_eps.dimension[0]}, RTK alone")
    dimension = by_dimension["dimension"]
    draw_counts(axes[2], dimension, by_dimension, by_dimension, dimension)
    axes[2].set(xlabel="dimension $d$", title=f"TV = {by_dimension.eps[0]:g}")
    handles = [Line2D([], [], label=label, **LOOKS[name]) for name, label in CURVES.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


if __name__ == "__main__":
    job.plot(draw)
