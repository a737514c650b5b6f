"""B7: the Cheeger constant and the spectral gap of truncated kernels at eta*."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import job, style

TARGETS = {
    "gaussian": ("#0072B2", "o"),
    "gaussian, off centre": ("#56B4E9", "s"),
    "two modes": ("#D55E00", "D"),
    "hyperbolic": ("#009E73", "^"),
    "hyperbolic, off centre": ("#B5A300", "v"),
}


def draw_curves(axes: Axes, frame: pd.DataFrame, x: str, measured: str, proved: str) -> None:
    """What was measured, with markers, and what is proved, dashed; the least over the rest."""
    for target, (color, marker) in TARGETS.items():
        part = frame[frame["target"] == target]
        for metric, look in ((measured, {"marker": marker}), (proved, {"ls": "--", "lw": 0.7})):
            least = part[part["metric"] == metric].groupby(x)["value"].min()
            axes.plot(least.index, least, color=color, **look)
    axes.set(xscale="log", yscale="log")
    axes.minorticks_off()


def ticks(axes: Axes, frame: pd.DataFrame, x: str, y: list[float]) -> None:
    """The values swept, and a few round ones."""
    values = sorted(frame[x].unique())
    axes.set_xticks(values, [f"{value:g}" for value in values])
    axes.set_yticks(y, [f"{value:g}" for value in y])


def draw(frame: pd.DataFrame) -> Figure:
    """The constant in one dimension, its bounds and the gap in more."""
    line, higher = frame[frame["dimension"] == 1], frame[frame["dimension"] > 1]
    figure, axes = plt.subplots(1, 3, figsize=(style.DOUBLE, 2.8))
    draw_curves(axes[0], line, "truncation", "exact", "lower")
    axes[0].set(title="$d$ = 1, exact", xlabel="radius over typical norm")
    axes[0].set_ylabel(r"Cheeger constant over $\sqrt{L}$")
    ticks(axes[0], line, "truncation", [0.5, 1, 2, 4])
    draw_curves(axes[1], higher, "dimension", "upper", "lower")
    axes[1].set(title="bounds, least over radii", xlabel="dimension $d$")
    axes[1].set_ylabel(r"Cheeger constant over $\sqrt{L}$")
    ticks(axes[1], higher, "dimension", [0.2, 0.5, 1, 2])
    draw_curves(axes[2], higher, "dimension", "gap", "gap_lower")
    axes[2].set(title="gap, least over radii", xlabel="dimension $d$")
    axes[2].set_ylabel("spectral gap over $L$")
    ticks(axes[2], higher, "dimension", [0.1, 0.5, 1, 2, 4])
    d = sorted(higher["dimension"].unique())
    for panel, power, top in ((axes[1], -0.5, 0.8), (axes[2], -1.0, 1.0)):
        panel.plot(d, [top * (n / d[0]) ** power for n in d], ":", color="0.4")
    handles = [
        Line2D([], [], color=color, marker=marker, label=target)
        for target, (color, marker) in TARGETS.items()
    ]
    handles += [
        Line2D([], [], color="0.3", ls="--", lw=0.7, label="proved lower bound"),
        Line2D([], [], color="0.4", ls=":", label=r"slope of $\sqrt{L/d}$, of $L/d$"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


if __name__ == "__main__":
    job.plot(draw)
