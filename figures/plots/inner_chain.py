"""B3, one segment: total variation between the inner chain and the kernel, computed without noise.

Left: against the number of inner steps. Right: in the limit of infinitely many inner steps, against
the step size. The upper row has two modes in one dimension, the lower row a Gaussian in ten.
"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import job, panels, style
from figures.analysis.frames import where

WIDTHS = (0.6, 1.0, 1.5)
"""Widths of the lines for the three largest steps, from the smallest of them up."""
SMALLEST = 1e-12
"""Distances below this one are those of rounding and are not drawn."""
ENERGIES = ("rtk-mala-taylor", "rtk-mala-trapezoid", "rtk-mala-simpson")
# The integrator BAOAB is left out: it has no bias on a Gaussian.
INTEGRATORS = ("rtk-ula", "rtk-uld", "rtk-uld-obabo", "rtk-uld-ubu")


def draw_paths(axes: Axes, frame: pd.DataFrame, methods: tuple[str, ...]) -> None:
    """Draw one line for each method and each of three steps; a larger step has a thicker line."""
    frame = frame[frame["value"] > SMALLEST]
    for method in methods:
        look = style.look(method)
        lines = where(frame, method=method).groupby("step_size")
        for width, (_, rows) in zip(WIDTHS, lines, strict=False):
            axes.plot(rows["steps"], rows["value"], color=look.color, linewidth=width)
    axes.set(yscale="log", xlabel="inner steps", ylabel="TV to the kernel")


def draw_floors(axes: Axes, frame: pd.DataFrame, methods: tuple[str, ...]) -> None:
    """Draw the distance between the invariant law of the chain and the kernel, by step."""
    for method in methods:
        rows = where(frame, method=method).sort_values("step_size")
        axes.plot(rows["step_size"], rows["value"], **style.look(method).line)
    axes.set(xscale="log", yscale="log", ylabel="TV to the kernel")
    panels.mark(axes.xaxis, frame["step_size"].unique())


def draw(frame: pd.DataFrame) -> Figure:
    """The figure of the study."""
    steps = sorted(where(frame, metric="tv")["step_size"].unique())[-len(WIDTHS) :]
    paths = where(frame[frame["step_size"].isin(steps)], metric="tv")
    floors = where(frame, metric="tv_floor")
    figure, axes = plt.subplots(2, 2, figsize=(style.DOUBLE, 4.9))
    draw_paths(axes[0, 0], where(paths, target="two-modes"), ("rtk-ula", *ENERGIES, "rtk-mala"))
    axes[0, 0].set_title("two modes, $d$ = 1")
    draw_floors(axes[0, 1], where(floors, target="two-modes"), ("rtk-ula", *ENERGIES))
    axes[0, 1].set(title="two modes: invariant law", xlabel=r"step / $(1/3L)$")
    draw_paths(axes[1, 0], where(paths, target="gaussian"), ("rtk-ula", "rtk-uld"))
    axes[1, 0].set_title("Gaussian, $d$ = 10")
    draw_floors(axes[1, 1], where(floors, target="gaussian"), INTEGRATORS)
    axes[1, 1].set(title="Gaussian: invariant law", xlabel="step, relative to the curvature")
    methods = (*INTEGRATORS, *ENERGIES, "rtk-mala")
    handles = [Line2D([], [], **style.look(method).line) for method in methods]
    handles += [
        Line2D([], [], color="0.4", linewidth=width, label=f"step {step:g}")
        for width, step in zip(WIDTHS, steps, strict=True)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


if __name__ == "__main__":
    job.plot(draw)
