"""C2: errors of samplers on mixtures of images against score evaluations, and against segments.

A row for each collection of images. The last column has the RTK samplers at one number of score
evaluations with different numbers of segments.
"""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import job, panels, style
from figures.analysis.exact_images import METRICS, floor_of, scatter_of_radius
from figures.analysis.frames import where

SWEPT = ("radius_w1", "class_tv")
"""The measures of the last column, from above."""


def draw_segments(axes: Axes, frame: pd.DataFrame, metric: str) -> None:
    """Draw one line per sampler and step against the number of segments."""
    part = where(frame, part="segments", metric=metric)
    for _, rows in part.groupby(["method", "step"], dropna=False):
        method, step = rows[["method", "step"]].iloc[0]
        look = style.look(method).line
        if not np.isnan(step):
            look |= {"linestyle": ":", "label": f"{look['label']}, step {step:g}"}
        axes.errorbar(rows["segments"], rows["value"], rows["standard_error"], **look)
    axes.set_xscale("log")
    panels.mark(axes.xaxis, part["segments"].unique())
    axes.set(ylabel=METRICS[metric], xlabel=f"segments at NFE {part['nfe_asked'].iloc[0]}")


def draw_levels(axes: Axes, frame: pd.DataFrame, target: str, metric: str) -> None:
    """Draw the floor, and for the radius what one exact sample scatters by."""
    panels.draw_level(axes, floor_of(frame, target, metric))
    if metric == "radius_w1":
        seen = scatter_of_radius(int(where(frame, target=target)["dimension"].iloc[0]))
        axes.axhline(seen, color="0.6", linewidth=0.8, linestyle="-", zorder=0)
    axes.set_yscale("log")


def draw(frame: pd.DataFrame, titles: Mapping[str, str]) -> Figure:
    """The figure, from the rows of all collections and their names in print."""
    rows = max(len(titles), len(SWEPT))
    columns = len(METRICS) + 1
    figure, axes = plt.subplots(
        rows, columns, figsize=(style.DOUBLE, 1.75 * rows + 0.9), squeeze=False
    )
    for line, (target, title) in zip(axes, titles.items(), strict=False):
        for panel, (metric, label) in zip(line, METRICS.items(), strict=False):
            shown = where(frame, target=target, part="methods", metric=metric)
            if shown.empty:
                panel.axis("off")
                continue
            panels.draw_methods(panel, shown, "nfe_asked")
            draw_levels(panel, frame, target, metric)
            panel.set(ylabel=label)
            panel.set_xlabel("score evaluations (NFE)")
        line[0].set_title(title)
    (swept,) = where(frame, part="segments")["target"].unique()
    for panel, metric in zip(axes[:, -1], SWEPT, strict=False):
        draw_segments(panel, frame, metric)
        draw_levels(panel, frame, swept, metric)
    axes[0, -1].set_title(f"{titles[swept]}, segments")
    for panel in axes[len(SWEPT) :, -1]:
        panel.axis("off")
    for line in axes[len(titles) :, :-1]:
        for panel in line:
            panel.axis("off")
    entries: dict[str, Any] = {}
    for panel in (axes[0, 0], axes[0, -1]):
        entries |= dict(zip(*panel.get_legend_handles_labels()[::-1], strict=True))
    figure.legend(
        entries.values(), entries.keys(), loc="outside lower center", ncols=4, fontsize=6.5
    )
    return figure


if __name__ == "__main__":
    job.plot(draw)
