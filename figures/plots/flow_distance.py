"""C4: distance of samples from the probability flow's own solution, and the images themselves.

The images are those of the first chains. They were not selected.
"""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from figures import job, panels, style
from figures.analysis.frames import where

ROWS, COLUMNS = 2, 2


def draw(frame: pd.DataFrame, images: Mapping[str, Mapping[str, Any]]) -> Figure:
    """The figure, from the distances and the images that `experiments.images.flow_distance` keeps.

    On the left are the distances, on the right the images: a column for each sampler and one for
    the flow, a row for each number of score evaluations.
    """
    samplers = frame[frame["method"] != "exact"]
    (kept,) = images.values()
    methods = [method for method in style.METHODS if method in {*samplers["method"]}]
    budgets = sorted(samplers["nfe_asked"].unique())
    figure = plt.figure(figsize=(style.DOUBLE, 0.55 + 0.62 * max(4, len(budgets))))
    cells = figure.add_gridspec(
        len(budgets), len(methods) + 2, width_ratios=[3.2, *[1.0] * (len(methods) + 1)]
    )
    axes = figure.add_subplot(cells[:, 0])
    panels.draw_methods(axes, frame, "nfe")
    panels.draw_level(axes, where(frame, method="exact")["value"].item(), "flow, half the steps")
    axes.set_yscale("log")
    axes.set(xlabel="score evaluations (NFE)", ylabel="distance from the flow")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=6)
    pictures = cells[:, 1:].subgridspec(len(budgets), len(methods) + 1).subplots(squeeze=False)
    for line, nfe in zip(pictures, budgets, strict=True):
        for panel, name in zip(line, [*methods, "exact"], strict=True):
            key = "exact" if name == "exact" else f"{name}_{nfe}"
            panels.draw_images(panel, kept[key], ROWS, COLUMNS)
        line[0].set_ylabel(f"NFE {nfe}")
    panels.title_columns(pictures[:, :-1], methods)
    pictures[0, -1].set_title("the flow", fontsize=7)
    return figure


if __name__ == "__main__":
    job.plot(draw)
