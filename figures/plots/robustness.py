"""B5: what errors of the score and of the energy difference do to the samples.

Left: total variation to the target against a constant error of the score. Middle: the effect of
each kind of error at one size. Right: the invariant law of RTK-MALA on one segment.
"""

from typing import Any

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
"""The size of the errors whose kinds are compared."""
SEGMENT = {
    ("rtk-mala-trapezoid", "score", "constant"): ("score, trapezoid energy", "-"),
    ("rtk-mala-simpson", "score", "constant"): ("score, Simpson energy", "-"),
    ("rtk-mala", "score", "constant"): ("score, exact energy", "-"),
    ("rtk-mala", "energy", "consistent"): ("energy, consistent", "--"),
    ("rtk-mala", "energy", "noise"): ("energy, noise", ":"),
}
"""Label and dashes of each case on one segment: (method, place of the error, kind of error)."""
BOUND: dict[str, Any] = {"color": "0.75", "linewidth": 2.5}


def draw_samplers(axes: Axes, frame: pd.DataFrame) -> None:
    """Draw whole chains under a constant error, and the Girsanov bound for DDPM."""
    errors = where(frame, target="gaussian", error="constant").sort_values("eps")
    bound = where(errors, metric="bound")
    axes.plot(bound["eps"], bound["value"], **BOUND)
    for method in CHAINS:
        rows = where(errors, method=method, metric="tv")
        axes.plot(rows["eps"], rows["value"], **style.look(method).line)
    axes.set(title="$d$ = 10: constant error", xlabel="RMS error of the score")
    axes.set(xscale="log", yscale="log", ylabel="TV to the target", ylim=(4e-3, 1.5))


def draw_kinds(axes: Axes, frame: pd.DataFrame) -> None:
    """Draw the effect of each kind of error, as a distance to the same chain without error."""
    distances = where(frame, target="gaussian", metric="tv_clean", eps=SIZE)
    by_method = distances.pivot_table(index="error", columns="method", values="value")
    for k, method in enumerate(CHAINS):
        places = np.arange(len(KINDS)) + 0.14 * (k - (len(CHAINS) - 1) / 2)
        look = style.look(method).line | {"linestyle": ""}
        axes.plot(places, by_method[method].reindex(KINDS) / SIZE, **look)
    axes.set_xticks(range(len(KINDS)), KINDS, rotation=40, ha="right", rotation_mode="anchor")
    axes.set(yscale="log", ylabel="change in TV per unit of error")
    axes.set(title="$d$ = 10: kinds of error")


def draw_segment(axes: Axes, frame: pd.DataFrame) -> None:
    """Draw the distance between the invariant law of RTK-MALA and the kernel on one segment."""
    for (method, place, error), (label, dashes) in SEGMENT.items():
        case = {"method": method, "place": place, "error": error, "metric": "tv"}
        rows = where(frame, target="segment", **case).sort_values("eps")
        look = style.look(method).line | {"label": label, "linestyle": dashes}
        axes.plot(rows["eps"], rows["value"], **look)
    axes.set(title="$d$ = 1: one segment", xlabel="RMS error of score or energy")
    axes.set(xscale="log", yscale="log", ylabel="TV to the kernel", ylim=(1e-17, 1.5))
    axes.legend(loc="center left", bbox_to_anchor=(0.0, 0.42))


def draw(frame: pd.DataFrame) -> Figure:
    """The figure of the study."""
    figure, axes = plt.subplots(1, 3, figsize=(style.DOUBLE, 2.9))
    draw_samplers(axes[0], frame)
    draw_kinds(axes[1], frame)
    draw_segment(axes[2], frame)
    handles = [Line2D([], [], **style.look(method).line) for method in CHAINS]
    handles.append(Line2D([], [], label="Girsanov bound, DDPM", **BOUND))
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


if __name__ == "__main__":
    job.plot(draw)
