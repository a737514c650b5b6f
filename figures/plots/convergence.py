"""B3: what accuracy costs, on one segment and over whole chains, computed without noise.

Top left: total variation against score evaluations as inner chains of fixed step get longer. Top
right: the inner steps that one segment needs. Bottom: the score evaluations that whole chains need,
with settings by the theory's rule and with the cheapest settings of a grid.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import job, panels, style
from figures.analysis.convergence import PREFIXES, curve, exponent, smallest_decades

FLOOR = 1e-9
"""Smaller distances are not drawn: over hundreds of segments the ends of the grid on which the law
of RTK-MALA is computed cost 4e-10."""


def draw_fixed_steps(axes: Axes, frame: pd.DataFrame) -> None:
    """Draw the error of chains of fixed step, and write the step at the end of each line.

    The error of RTK-MALA falls geometrically. That of the unadjusted samplers stops at a floor.
    """
    rows = frame[(frame["study"] == "fixed step") & (frame["value"] > FLOOR)]
    labels = []
    for (method, step_size), run in rows.groupby(["method", "step_size"]):
        look = style.look(str(method))
        run = run.sort_values("nfe")
        axes.plot(run["nfe"], run["value"], color=look.color, linestyle=look.linestyle)
        last = run.iloc[-1]
        labels.append(panels.EndLabel(f"{step_size:g}", last["nfe"], last["value"], look.color))
    axes.set(xscale="log", yscale="log", ylim=(FLOOR, 3))
    axes.margins(x=0.12)
    panels.label_ends(axes, labels)
    axes.set(xlabel="score evaluations (NFE)", ylabel="TV to the target")
    axes.set(title="inner chains of fixed step")


def draw_curves(axes: Axes, frame: pd.DataFrame, study: str) -> None:
    """Draw NFE against ``1 / eps``, with power laws over the decades to which they are fitted."""
    labels = []
    for method in PREFIXES:
        rows = curve(frame, study, method)
        if rows.empty:
            continue
        look, line, fitted = style.look(method), exponent(rows), smallest_decades(rows)
        axes.plot(1 / rows["eps"], rows["nfe"], color=look.color, marker=look.marker, linestyle="")
        ends = 1 / np.array([fitted["eps"].max(), fitted["eps"].min()])
        heights = line.power(ends)
        axes.plot(ends, heights, color=look.color, linestyle=look.linestyle)
        labels.append(panels.EndLabel(f"{line.slope:.2f}", ends[1], heights[1], look.color))
    axes.set(xscale="log", yscale="log")
    axes.margins(x=0.12)
    panels.label_ends(axes, labels)


def draw(frame: pd.DataFrame) -> Figure:
    """The figure of the study."""
    figure, axes = plt.subplots(2, 2, figsize=(style.DOUBLE, 5.2))
    draw_fixed_steps(axes[0, 0], frame)
    draw_curves(axes[0, 1], frame, "segment")
    axes[0, 1].set(title="one segment, cheapest settings", ylabel="inner steps")
    axes[0, 1].set_xlabel(r"1 / $\epsilon$, the TV asked for")
    draw_curves(axes[1, 0], frame, "rule")
    axes[1, 0].set(title="whole chain, settings by rule", xlabel="1 / TV reached")
    axes[1, 0].set_ylabel("score evaluations (NFE)")
    draw_curves(axes[1, 1], frame, "optimised")
    axes[1, 1].set(title="whole chain, cheapest settings", ylabel="smallest NFE")
    axes[1, 1].set_xlabel(r"1 / $\epsilon$, the TV asked for")
    handles = [Line2D([], [], **style.look(method).line) for method in PREFIXES]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


if __name__ == "__main__":
    job.plot(draw)
