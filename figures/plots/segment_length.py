"""B9: error against the number of segments at a fixed number of score evaluations."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import job, style
from figures.analysis.frames import where

METHOD = "rtk-uld"
MIXTURE_METHODS = ("rtk-uld", "rtk-mala-trapezoid", "rtk-mala")
DASHES = {"uniform": "-", "cubic": ":"}
WIDTHS = (0.7, 1.4, 2.1)


def draw_gaussian(axes: Axes, frame: pd.DataFrame) -> None:
    """One line per grid and budget, the larger the budget the thicker; grey for default steps."""
    curves = where(frame, method=METHOD, metric="tv")
    untuned = where(curves, step="default", family="uniform")
    best = where(curves, step="best")
    for width, nfe in zip(WIDTHS, sorted(curves["nfe_asked"].unique()), strict=False):
        part = where(untuned, nfe_asked=nfe)
        axes.plot(part["segments"], part["value"], color="0.6", lw=width)
        for family, dashes in DASHES.items():
            part = where(best, nfe_asked=nfe, family=family)
            color = style.look(METHOD).color
            axes.plot(part["segments"], part["value"], dashes, color=color, lw=width)
    axes.set(xscale="log", yscale="log", xlim=(0.8, 700))


def draw_mixture(axes: Axes, frame: pd.DataFrame) -> None:
    errors = frame[frame["metric"] == "error"]
    for method in MIXTURE_METHODS:
        part = errors[errors["method"] == method]
        axes.errorbar(
            part["segments"], part["value"], 2 * part["standard_error"], **style.look(method).line
        )
    floor = errors.loc[errors["method"] == "exact", "value"].item()
    axes.axhline(floor, color="black", ls=":", lw=0.8)
    axes.set(xscale="log", yscale="log", xlabel="segments $K$")


def mark_theory(axes: Axes, frame: pd.DataFrame) -> None:
    count = frame.loc[frame["metric"] == "k_star", "value"].item()
    axes.axvline(count, color="0.6", lw=0.8)
    axes.annotate(
        "$K^*$",
        (count, 0.98),
        xycoords=("data", "axes fraction"),
        xytext=(2, 0),
        textcoords="offset points",
        ha="left",
        va="top",
        fontsize=7,
        color="0.4",
    )


def draw(frame: pd.DataFrame) -> Figure:
    """Dimensions in columns, the Gaussian above and the mild mixture below."""
    dimensions = sorted(frame["dimension"].unique())
    figure, axes = plt.subplots(
        2, len(dimensions), figsize=(style.DOUBLE, 4.4), sharex=True, sharey="row", squeeze=False
    )
    for column, dimension in enumerate(dimensions):
        part = frame[frame["dimension"] == dimension]
        rows = (("gaussian", draw_gaussian), ("mild", draw_mixture))
        for panel, (target, draw_target) in zip(axes[:, column], rows, strict=True):
            draw_target(panel, where(part, target=target))
            mark_theory(panel, where(part, target=target))
        axes[0, column].set_title(f"$d$ = {dimension}")
    axes[0, 0].set_ylabel("Gaussian: TV")
    axes[1, 0].set_ylabel("mild mixture: mean of three TV")
    nfe = sorted(frame.loc[frame["metric"] == "tv", "nfe_asked"].unique())
    handles = [Line2D([], [], **style.look(method).line) for method in MIXTURE_METHODS]
    handles += [Line2D([], [], color="0.4", ls=ls, label=f"{k} grid") for k, ls in DASHES.items()]
    handles.append(Line2D([], [], color="0.6", label="default step, uniform"))
    handles += [
        Line2D([], [], color="0.4", lw=width, label=f"NFE {n}")
        for n, width in zip(nfe, WIDTHS, strict=False)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


if __name__ == "__main__":
    job.plot(draw)
