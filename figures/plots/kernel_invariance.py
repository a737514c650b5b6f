"""B11: total variations of the calibrated samplers in one dimension against score evaluations."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import job, panels, style
from figures.analysis.frames import where

SHADES = ("#F7B6CC", "#F08CB0", "#E6007A", "#A00055", "#4A0027")
MARKERS = ("o", "s", "^", "D", "v")
"""Colour and marker of the depths of the hops, from the flow down."""


def draw_hops(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw one line for each depth of the hops."""
    for tau, color, marker in zip(sorted(rows["tau"].unique()), SHADES, MARKERS, strict=False):
        part = where(rows, tau=tau).sort_values("nfe")
        label = rf"hops, $\tau$ = {tau:g}"
        axes.plot(part["nfe"], part["value"], color=color, marker=marker, label=label)
    axes.set(xscale="log", yscale="log", xlabel="score evaluations")
    panels.mark(axes.xaxis, rows["nfe"].unique())


def draw(frame: pd.DataFrame) -> Figure:
    """The figure of the study."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(style.DOUBLE, 2.9), sharey=True)
    samples = where(frame, metric="samples")
    draw_hops(left, where(samples, method="rtk"))
    flow, look = where(samples, method="calibrated").sort_values("nfe"), style.look("calibrated")
    left.plot(flow["nfe"], flow["value"], **look.line)
    start = where(frame, metric="start")["value"].iloc[0]
    pilot = where(frame, metric="pilot")["value"].item()
    left.axhline(start, color="0.5", linestyle="--", linewidth=0.8, label="first node of the hops")
    left.axhline(pilot, color="black", linestyle=":", linewidth=0.8, label="accurate solution")
    left.set(ylabel="total variation", title="samples")
    draw_hops(right, where(frame, metric="hop"))
    right.set(title="one hop from the exact law, the worst")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


if __name__ == "__main__":
    job.plot(draw)
