"""B2: kernels of RTK and steps of DDPM against accuracy and dimension."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import job, style
from figures.analysis import fit
from figures.analysis.convergence import smallest_decades
from figures.analysis.segment_count import CURVES, curves

LOOKS: dict[str, dict[str, Any]] = {
    "rtk": {"color": style.look("rtk-mala").color, "marker": "*"},
    "ddpm": {"color": style.look("ddpm").color, "marker": "o"},
    "ddpm_uniform": {"color": style.look("ddim").color, "marker": "s"},
}


def draw_counts(
    axes: Axes, x: pd.Series, part: pd.DataFrame, fitted: pd.DataFrame, at: pd.Series
) -> None:
    """Counts against ``x``; power laws through the rows ``fitted``, whose abscissa is ``at``."""
    for name, label in CURVES.items():
        axes.plot(x, part[name], ls="", label=label, **LOOKS[name])
        line = fit.power_law(at, fitted[name])
        ends = np.array([at.min(), at.max()])
        power = np.exp(line.intercept) * ends**line.slope
        axes.plot(ends, power, color=LOOKS[name]["color"])
        axes.annotate(
            f"{line.slope:.2f}",
            (ends[1], power[1]),
            (3, 0),
            textcoords="offset points",
            va="center",
            fontsize=6,
            color=LOOKS[name]["color"],
        )
    axes.set(xscale="log", yscale="log")
    axes.margins(x=0.12)


def draw_line(axes: Axes, part: pd.DataFrame) -> None:
    """RTK's count on a linear scale."""
    decades = np.log10(1.0 / part["eps"])
    straight = fit.line(decades, part["rtk"])
    axes.plot(decades, part["rtk"], ls="", **LOOKS["rtk"])
    axes.plot(decades, straight.intercept + straight.slope * decades, color=LOOKS["rtk"]["color"])
    axes.set(xlabel=r"$\log_{10}(1/\mathrm{TV})$", ylabel="RTK kernels")


def draw(frame: pd.DataFrame) -> Figure:
    """Counts against the accuracy, twice, and against the dimension."""
    by_eps, by_dimension = curves(frame, "eps"), curves(frame, "dimension")
    figure, axes = plt.subplots(1, 3, figsize=(style.DOUBLE, 2.6))
    small = smallest_decades(by_eps, 2.0)
    draw_counts(axes[0], 1.0 / by_eps["eps"], by_eps, small, 1.0 / small["eps"])
    axes[0].set(xlabel="1 / TV", ylabel="kernels or steps", title=f"$d$ = {by_eps.dimension[0]}")
    draw_line(axes[1], by_eps)
    axes[1].set(title=f"$d$ = {by_eps.dimension[0]}")
    dimension = by_dimension["dimension"]
    draw_counts(axes[2], dimension, by_dimension, by_dimension, dimension)
    axes[2].set(xlabel="dimension $d$", title=f"TV = {by_dimension.eps[0]:g}")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


if __name__ == "__main__":
    job.plot(draw)
