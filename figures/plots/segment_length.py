"""B9: the error against the number of segments, at a fixed number of score evaluations.

There is one column for each dimension. The upper panels have a Gaussian, the lower panels a mixture
of six overlapping modes.
"""

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import job, panels, style
from figures.analysis.frames import where

METHOD = "rtk-uld"
MIXTURE_METHODS = ("rtk-uld", "rtk-mala-trapezoid", "rtk-mala")
BEST = style.look(METHOD).color
SETTINGS: dict[tuple[str, str], tuple[str, str, Any]] = {
    ("best", "uniform"): ("best step, uniform grid", BEST, "-"),
    ("best", "cubic"): ("best step, cubic grid", BEST, ":"),
    ("default", "uniform"): ("default step, uniform grid", "black", "-."),
}
"""Label, colour and dashes of each rule for the step and family of grids on the Gaussian."""
WIDTHS = (0.7, 1.4, 2.1)
"""Widths of the lines on the Gaussian, from the smallest number of score evaluations up."""


def draw_gaussian(axes: Axes, frame: pd.DataFrame) -> None:
    """Draw a line for each of `SETTINGS` and each number of score evaluations."""
    curves = where(frame, method=METHOD, metric="tv")
    for width, nfe in zip(WIDTHS, sorted(curves["nfe_asked"].unique()), strict=False):
        for (step, family), (_, color, dashes) in SETTINGS.items():
            rows = where(curves, nfe_asked=nfe, step=step, family=family)
            axes.plot(rows["segments"], rows["value"], dashes, color=color, linewidth=width)
    axes.set(xscale="log", yscale="log", xlim=(0.8, 700))


def draw_mixture(axes: Axes, frame: pd.DataFrame) -> None:
    """Draw a line for each sampler, with bars of two standard errors, and exact samples dotted."""
    errors = where(frame, metric="error")
    for method in MIXTURE_METHODS:
        rows = where(errors, method=method)
        bars = 2 * rows["standard_error"]
        axes.errorbar(rows["segments"], rows["value"], bars, **style.look(method).line)
    panels.draw_level(axes, where(errors, method="exact")["value"].item())
    axes.set(xscale="log", yscale="log", xlabel="number of segments $K$")


def mark_theory(axes: Axes, frame: pd.DataFrame) -> None:
    """Mark ``K*``, the number of segments that the theory asks for, with a vertical line."""
    count = where(frame, metric="k_star")["value"].item()
    axes.axvline(count, color="0.75", linewidth=0.8, linestyle="--", zorder=0)
    axes.annotate(
        "$K^*$",
        (count, 0.98),
        (2, 0),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        va="top",
        fontsize=7,
        color="0.3",
    )


def draw(frame: pd.DataFrame) -> Figure:
    """The figure of the study."""
    dimensions = sorted(frame["dimension"].unique())
    figure, axes = plt.subplots(
        2, len(dimensions), figsize=(style.DOUBLE, 4.6), sharex=True, sharey="row", squeeze=False
    )
    for column, dimension in zip(axes.T, dimensions, strict=True):
        rows = where(frame, dimension=dimension)
        for panel, (target, draw_target) in zip(
            column, (("gaussian", draw_gaussian), ("mild", draw_mixture)), strict=True
        ):
            draw_target(panel, where(rows, target=target))
            mark_theory(panel, where(rows, target=target))
        column[0].set_title(f"$d$ = {dimension}")
    axes[0, 0].set_ylabel("Gaussian: TV")
    axes[1, 0].set_ylabel("mixture: mean of three TVs")
    figure.legend(handles=legend(frame), loc="outside lower center", ncols=3)
    return figure


def legend(frame: pd.DataFrame) -> list[Line2D]:
    """The entries of the legend: settings and score evaluations above, samplers below."""
    nfe = sorted(where(frame, metric="tv")["nfe_asked"].unique())
    lines = [
        Line2D([], [], color=color, linestyle=dashes, label=label)
        for label, color, dashes in SETTINGS.values()
    ]
    lines += [
        Line2D([], [], color="0.4", linewidth=width, label=f"NFE {count}, Gaussian")
        for count, width in zip(nfe, WIDTHS, strict=False)
    ]
    lines += [Line2D([], [], **style.look(method).line) for method in MIXTURE_METHODS]
    return [*lines, Line2D([], [], color="black", linestyle=":", label="exact sample")]


if __name__ == "__main__":
    job.plot(draw)
