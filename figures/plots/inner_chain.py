"""B3, one segment: total variation to the kernel against inner steps, without noise."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import job, style

WIDTHS = (0.6, 1.0, 1.5)


def draw_paths(axes: Axes, frame: pd.DataFrame, methods: tuple[str, ...]) -> None:
    """One line per method and step size, the larger the step the thicker."""
    for method in methods:
        lines = frame[frame["method"] == method].groupby("step_size")
        for width, (_, part) in zip(WIDTHS, lines, strict=False):
            look = style.look(method)
            axes.plot(part["steps"], part["value"], color=look.color, ls=look.linestyle, lw=width)
    axes.set(yscale="log", xlabel="inner steps")


def draw_floors(axes: Axes, frame: pd.DataFrame, methods: tuple[str, ...]) -> None:
    """Distance of the invariant law from the kernel against the step."""
    for method in methods:
        part = frame[frame["method"] == method].sort_values("step_size")
        axes.plot(part["step_size"], part["value"], **style.look(method).line)
    axes.set(xscale="log", yscale="log")
    steps = sorted(frame["step_size"].unique())
    axes.set_xticks(steps, [f"{step:g}" for step in steps])
    axes.minorticks_off()


ENERGIES = ("rtk-mala-taylor", "rtk-mala-trapezoid", "rtk-mala-simpson")
# BAOAB has no floor on a Gaussian.
INTEGRATORS = ("rtk-ula", "rtk-uld", "rtk-uld-obabo", "rtk-uld-ubu")


def draw(frame: pd.DataFrame) -> Figure:
    """Paths on the left and floors on the right, on the two modes and on the Gaussian."""
    paths, floors = frame[frame["metric"] == "tv"], frame[frame["metric"] == "tv_floor"]
    shown = sorted(frame["step_size"].unique())[-len(WIDTHS) :]
    paths = paths[paths["step_size"].isin(shown)]
    figure, axes = plt.subplots(2, 2, figsize=(style.DOUBLE, 4.8))
    of = {name: frame["target"] == name for name in ("two-modes", "gaussian")}
    draw_paths(axes[0, 0], paths[of["two-modes"]], ("rtk-ula", *ENERGIES, "rtk-mala"))
    axes[0, 0].set(title="two modes, $d$ = 1", ylabel="TV to the kernel", ylim=(1e-12, 2))
    draw_floors(axes[0, 1], floors[of["two-modes"]], ("rtk-ula", *ENERGIES))
    axes[0, 1].set(title="two modes: invariant law", xlabel=r"step over $1/(3L)$")
    draw_paths(axes[1, 0], paths[of["gaussian"]], ("rtk-ula", "rtk-uld"))
    axes[1, 0].set(title="Gaussian, $d$ = 10", ylabel="TV to the kernel")
    draw_floors(axes[1, 1], floors[of["gaussian"]], INTEGRATORS)
    axes[1, 1].set(title="Gaussian: invariant law", xlabel="relative step")
    methods = (*INTEGRATORS, *ENERGIES, "rtk-mala")
    handles = [Line2D([], [], **style.look(method).line) for method in methods]
    handles += [
        Line2D([], [], color="0.4", lw=width, label=f"step {step:g}")
        for width, step in zip(WIDTHS, shown, strict=True)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


if __name__ == "__main__":
    job.plot(draw)
