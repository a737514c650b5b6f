"""B1: smallest and largest eigenvalue of the kernel's Hessian against the segment's length."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import job, style

Colors = Mapping[float, tuple[float, float, float, float]]


def draw_spectrum(axes: Axes, frame: pd.DataFrame, colors: Colors) -> None:
    """Extreme eigenvalues over L; the theory's promise at ratio 1, [1, 3], is the grey bar."""
    axes.fill_between([0.87, 1.15], 1.0, 3.0, color="0.8", lw=0)
    axes.axhline(0.0, color="0.6", lw=0.6)
    axes.axvline(1.0, color="0.6", lw=0.6)
    for metric, line in (("smallest", "-"), ("largest", "--")):
        for t, part in frame[frame["metric"] == metric].groupby("t_lo"):
            axes.plot(part["ratio"], part["value"], line, color=colors[float(str(t))])
    axes.set(xscale="log", yscale="symlog", ylim=(-1.2, 15))
    axes.set_yticks([-1, 0, 1, 3, 10], ["-1", "0", "1", "3", "10"])


def draw_failures(axes: Axes, frame: pd.DataFrame, colors: Colors) -> None:
    """Fraction of samples of p_t at which the kernel is not convex."""
    axes.axvline(1.0, color="0.6", lw=0.6)
    for t, part in frame[frame["metric"] == "not_convex"].groupby("t_lo"):
        axes.errorbar(
            part["ratio"],
            part["value"],
            part["standard_error"],
            color=colors[float(str(t))],
            marker="o",
        )
    axes.set(xscale="log", xlabel=r"segment length $\eta/\eta^*$")


def draw(frame: pd.DataFrame) -> Figure:
    """Targets in columns, spectra above and failures below."""
    targets = list(frame["target"].unique())
    times = sorted(frame["t_lo"].unique())
    palette = plt.get_cmap("viridis")
    colors = {float(t): palette(0.9 * k / max(1, len(times) - 1)) for k, t in enumerate(times)}
    figure, axes = plt.subplots(
        2, len(targets), figsize=(style.DOUBLE, 3.6), sharex=True, sharey="row", squeeze=False
    )
    for column, target in enumerate(targets):
        part = frame[frame["target"] == target]
        draw_spectrum(axes[0, column], part, colors)
        draw_failures(axes[1, column], part, colors)
        axes[0, column].set_title(target)
    axes[0, 0].set_ylabel(r"eigenvalues of $\nabla^2 g$ over $L$")
    axes[1, 0].set_ylabel("samples where\n" r"$\nabla^2 g$ is not positive")
    handles = [Line2D([], [], color=colors[float(t)], label=f"$t$ = {t:g}") for t in times]
    handles += [
        Line2D([], [], color="0.3", label="smallest"),
        Line2D([], [], color="0.3", linestyle="--", label="largest"),
    ]
    figure.legend(handles=handles, loc="outside right center")
    return figure


if __name__ == "__main__":
    job.plot(draw)
