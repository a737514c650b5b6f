"""B3: what accuracy costs, on one segment and over whole chains, without noise."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import job, style
from figures.analysis.convergence import PREFIXES, curve, exponent, smallest_decades

# Over hundreds of segments the ends of the grid cost RTK-MALA's law 4e-10.
FLOOR = 1e-9
# Where the exponent stands beside its line, in points; neighbours must not overlap.
RISE = {"rtk-ula": 3, "rtk-uld": -3, "ddpm": 3, "ddim": -3}


def draw_fixed_steps(axes: Axes, frame: pd.DataFrame) -> None:
    """TV against NFE as the inner chains get longer: geometric for MALA, down to a floor else."""
    part = frame[(frame["study"] == "fixed step") & (frame["value"] > FLOOR)]
    for (method, step_size), run in part.groupby(["method", "step_size"]):
        look = style.look(str(method))
        run = run.sort_values("nfe")
        axes.plot(run["nfe"], run["value"], color=look.color, ls=look.linestyle)
        last = run.iloc[-1]
        axes.annotate(
            f"{step_size:g}",
            (last["nfe"], last["value"]),
            (2, 0),
            textcoords="offset points",
            va="center",
            fontsize=6,
            color=look.color,
            bbox={"color": "white", "pad": 0.5},
        )
    axes.set(xscale="log", yscale="log", xlabel="NFE", ylabel="TV to the target")
    axes.set(ylim=(FLOOR, 2), title="fixed inner steps, longer chains")


def draw_curves(axes: Axes, frame: pd.DataFrame, study: str) -> None:
    """NFE against 1/eps, with the fitted slope over the range that was fitted."""
    for method in PREFIXES:
        part = curve(frame, study, method)
        if part.empty:
            continue
        look, line, chosen = style.look(method), exponent(part), smallest_decades(part)
        axes.plot(1 / part["eps"], part["nfe"], color=look.color, marker=look.marker, ls="")
        x = 1 / chosen["eps"]
        ends = np.array([x.min(), x.max()])
        axes.plot(
            ends,
            np.exp(line.intercept) * ends**line.slope,
            color=look.color,
            ls=look.linestyle,
        )
        axes.annotate(
            f"{line.slope:.2f}",
            (ends[1], np.exp(line.intercept) * ends[1] ** line.slope),
            (4, RISE.get(method, 0)),
            textcoords="offset points",
            va="center",
            fontsize=6,
            color=look.color,
        )
    axes.set(xscale="log", yscale="log")
    axes.margins(x=0.1)


def draw(frame: pd.DataFrame) -> Figure:
    """Fixed steps, one segment, and whole chains by rule and at their cheapest."""
    figure, axes = plt.subplots(2, 2, figsize=(style.DOUBLE, 5.2))
    draw_fixed_steps(axes[0, 0], frame)
    draw_curves(axes[0, 1], frame, "segment")
    axes[0, 1].set(title="one segment, cheapest", ylabel="inner steps", xlabel=r"1/$\epsilon$")
    draw_curves(axes[1, 0], frame, "rule")
    axes[1, 0].set(title="whole chain, by rule", ylabel="NFE", xlabel="1 / TV reached")
    draw_curves(axes[1, 1], frame, "optimised")
    axes[1, 1].set(title="whole chain, cheapest", ylabel="least NFE", xlabel=r"1/$\epsilon$")
    handles = [Line2D([], [], **style.look(method).line) for method in PREFIXES]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


if __name__ == "__main__":
    job.plot(draw)
