"""A2, A3: the errors of tuned samplers against score evaluations, a panel for each target."""

import math
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import job, panels, style
from figures.analysis.comparison import HIGHLIGHTED, METRICS, methods_of
from figures.analysis.frames import where

COLUMNS = 4
GREY: dict[str, Any] = {"color": "0.75", "linewidth": 0.6, "marker": "", "linestyle": "-"}


def draw_curves(axes: Axes, frame: pd.DataFrame) -> None:
    """Draw one line per method, those that are not highlighted in grey behind the others."""
    for method in methods_of(frame):
        rows = where(frame, method=method).sort_values("nfe_asked")
        if method in HIGHLIGHTED:
            errors = rows["value"], rows["standard_error"]
            axes.errorbar(rows["nfe_asked"], *errors, **style.look(method).line)
        else:
            axes.plot(rows["nfe_asked"], rows["value"], **GREY, label="other methods", zorder=1)
    axes.set(xscale="log", yscale="log")
    panels.mark(axes.xaxis, frame["nfe_asked"].unique())
    axes.tick_params(axis="x", labelsize=5)


def draw(frame: pd.DataFrame, floor: pd.DataFrame, metric: str) -> Figure:
    """The figure of one metric, from the rows of the methods and those of exact samples."""
    frame, floor = where(frame, metric=metric, batch=0), where(floor, metric=metric)
    targets = list(frame["target"].unique())
    rows = math.ceil(len(targets) / COLUMNS)
    figure, axes = plt.subplots(
        rows, COLUMNS, figsize=(style.DOUBLE, 1.55 * rows + 0.7), sharex=True, squeeze=False
    )
    for panel, target in zip(axes.flat, targets, strict=False):
        draw_curves(panel, where(frame, target=target))
        panels.draw_level(panel, where(floor, target=target)["value"].mean())
        panel.set_title(target.replace("_", "-"))
        panel.tick_params(labelbottom=True)
    for panel in axes.flat[len(targets) :]:
        panel.set_visible(False)
    figure.supxlabel("score evaluations (NFE)", fontsize=8)
    figure.supylabel(METRICS[metric], fontsize=8)
    entries = dict(zip(*axes[0, 0].get_legend_handles_labels()[::-1], strict=True))
    figure.legend(entries.values(), entries.keys(), loc="outside upper center", ncols=4)
    return figure


if __name__ == "__main__":
    job.plot(draw)
