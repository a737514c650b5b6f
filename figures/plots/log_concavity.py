"""B1: the spectrum of the Hessian of a kernel's potential, against the length of the segment.

There is one column for each target. The upper panels show the extreme eigenvalues, the lower panels
the fraction of samples at which the kernel is not log-concave.
"""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from figures import job, style
from figures.analysis.frames import where

Colors = Mapping[float, tuple[float, float, float, float]]

PROMISE = "0.8"
"""The grey of the interval that the theorem promises."""


def draw_spectrum(axes: Axes, frame: pd.DataFrame, colors: Colors) -> None:
    """Draw the extreme eigenvalues over L, and the interval [1, 3] that is promised at ``eta*``."""
    axes.fill_between([0.87, 1.15], 1.0, 3.0, color=PROMISE, linewidth=0)
    axes.axhline(0.0, color="0.6", linewidth=0.6)
    axes.axvline(1.0, color="0.6", linewidth=0.6)
    for metric, line in (("smallest", "-"), ("largest", "--")):
        for t, color in colors.items():
            rows = where(frame, metric=metric, t_lo=t)
            axes.plot(rows["ratio"], rows["value"], line, color=color)
    axes.set(xscale="log", yscale="symlog", ylim=(-1.2, 15))
    axes.set_yticks([-1, 0, 1, 3, 10], ["\N{MINUS SIGN}1", "0", "1", "3", "10"])


def draw_failures(axes: Axes, frame: pd.DataFrame, colors: Colors) -> None:
    """Draw the fraction of samples of ``p_t`` at which the potential is not convex."""
    axes.axvline(1.0, color="0.6", linewidth=0.6)
    for t, color in colors.items():
        rows = where(frame, metric="not_convex", t_lo=t)
        axes.errorbar(rows["ratio"], rows["value"], rows["standard_error"], color=color, marker="o")
    axes.set(xscale="log", xlabel=r"segment length $\eta/\eta^*$")


def draw(frame: pd.DataFrame) -> Figure:
    """The figure of the study."""
    targets = list(frame["target"].unique())
    times = sorted(frame["t_lo"].unique())
    palette = plt.get_cmap("viridis")
    colors = {float(t): palette(0.9 * k / max(1, len(times) - 1)) for k, t in enumerate(times)}
    figure, axes = plt.subplots(
        2, len(targets), figsize=(style.DOUBLE, 3.6), sharex=True, sharey="row", squeeze=False
    )
    for column, target in zip(axes.T, targets, strict=True):
        rows = where(frame, target=target)
        draw_spectrum(column[0], rows, colors)
        draw_failures(column[1], rows, colors)
        column[0].set_title(target)
    axes[0, 0].set_ylabel(r"eigenvalues of $\nabla^2 g$ / $L$")
    axes[1, 0].set_ylabel("fraction of samples\n" r"with $\nabla^2 g$ not positive")
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=color, label=f"$t$ = {t:g}") for t, color in colors.items()
    ]
    handles += [
        Line2D([], [], color="0.3", label="smallest"),
        Line2D([], [], color="0.3", linestyle="--", label="largest"),
        Patch(color=PROMISE, label=r"promised at $\eta^*$"),
    ]
    figure.legend(handles=handles, loc="outside right center")
    return figure


if __name__ == "__main__":
    job.plot(draw)
