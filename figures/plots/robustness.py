"""B5: final total variation against the error of the score and of the energy difference."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import job, style
from figures.analysis.frames import where

CHAINS = ("ddpm", "ddim", "dpm++2m", "rtk-ula", "rtk-uld", "rtk-mala-simpson")
KINDS = ("constant", "scaling", "linear", "growing", "late", "noise")
SIZE = 0.1
SEGMENT = {
    ("rtk-mala-trapezoid", "score", "constant"): ("score, trapezoid energy", "-"),
    ("rtk-mala-simpson", "score", "constant"): ("score, Simpson energy", "-"),
    ("rtk-mala", "score", "constant"): ("score, exact energy", "-"),
    ("rtk-mala", "energy", "consistent"): ("energy, consistent", "--"),
    ("rtk-mala", "energy", "noise"): ("energy, noise", ":"),
}


def draw_samplers(axes: Axes, frame: pd.DataFrame) -> None:
    """Whole chains with a constant error, and Girsanov's bound for DDPM."""
    errors = where(frame, target="gaussian", error="constant").sort_values("eps")
    for method in CHAINS:
        part = where(errors, method=method, metric="tv")
        axes.plot(part["eps"], part["value"], **style.look(method).line)
    bound = where(errors, metric="bound")
    axes.plot(bound["eps"], bound["value"], color="0.4", lw=2.5, alpha=0.4)
    axes.set(title="$d$ = 10: constant error", xlabel="error of the score (RMS)")


def draw_kinds(axes: Axes, frame: pd.DataFrame) -> None:
    """Each kind of error at one size, against the same chain without it."""
    distances = where(frame, target="gaussian", metric="tv_clean", eps=SIZE)
    table = distances.pivot_table(index="error", columns="method", values="value")
    for k, method in enumerate(CHAINS):
        found = table[method].reindex(KINDS)
        places = np.arange(len(KINDS)) + 0.12 * (k - 2.5)
        axes.plot(places, found / SIZE, **style.look(method).line | {"linestyle": ""})
    axes.set_xticks(range(len(KINDS)), KINDS, rotation=40, ha="right", rotation_mode="anchor")
    axes.set(yscale="log", ylabel="TV to the clean chain / error")
    axes.set(title="$d$ = 10: kinds of error")


def draw_segment(axes: Axes, frame: pd.DataFrame) -> None:
    """Invariant laws of RTK-MALA on one segment."""
    for (method, place, error), (label, dashes) in SEGMENT.items():
        case = {"method": method, "place": place, "error": error, "metric": "tv"}
        part = where(frame, target="segment", **case).sort_values("eps")
        look = style.look(method)
        axes.plot(
            part["eps"], part["value"], color=look.color, marker=look.marker, ls=dashes, label=label
        )
    axes.set(title="$d$ = 1: one segment", xlabel="error put in")
    axes.legend(loc="center left", bbox_to_anchor=(0.0, 0.42))


def draw(frame: pd.DataFrame) -> Figure:
    """Whole chains, kinds of error, and one segment."""
    figure, axes = plt.subplots(1, 3, figsize=(style.DOUBLE, 2.9))
    draw_samplers(axes[0], frame)
    draw_kinds(axes[1], frame)
    draw_segment(axes[2], frame)
    for panel in (axes[0], axes[2]):
        panel.set(xscale="log", yscale="log")
    axes[0].set(ylabel="TV to the target", ylim=(4e-3, 1.5))
    axes[2].set(ylabel="TV to the kernel", ylim=(1e-17, 1.5))
    handles = [Line2D([], [], **style.look(method).line) for method in CHAINS]
    handles.append(Line2D([], [], color="0.4", lw=2.5, alpha=0.4, label="Girsanov bound, DDPM"))
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


if __name__ == "__main__":
    job.plot(draw)
