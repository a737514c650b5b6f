"""A1: samples in their first two coordinates; samplers in columns, score evaluations in rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from figures import job, panels, style
from figures.analysis.mixtures import shown_budgets

SHOWN = ("ddpm", "ddim", "dpm++2m", "rtk-uld", "rtk-mala")
POINTS = 2500
HALF_WIDTH = 1.5


def draw(samples: Mapping[str, Mapping[str, Any]], nfe: Sequence[int]) -> Figure:
    """The figure of one mixture, from its exact sample and the samples of each method."""
    budgets = shown_budgets(nfe)
    columns = ["exact", *(method for method in SHOWN if method in samples)]
    figure, axes = plt.subplots(
        len(budgets),
        len(columns),
        figsize=(style.DOUBLE, 1.2 * len(budgets) + 0.5),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    for row, budget in zip(axes, budgets, strict=True):
        for panel, method in zip(row, columns, strict=True):
            points = samples[method]["exact" if method == "exact" else f"nfe_{budget}"]
            panels.draw_points(panel, points[:POINTS], method, size=0.4)
            panel.set(xlim=(-HALF_WIDTH, HALF_WIDTH), ylim=(-HALF_WIDTH, HALF_WIDTH))
            panel.set(xticks=[-1, 0, 1], yticks=[-1, 0, 1], aspect="equal")
        row[0].set_ylabel(f"NFE {budget}\n$x_2$")
    panels.title_columns(axes, columns)
    for panel in axes[-1]:
        panel.set_xlabel("$x_1$")
    return figure


if __name__ == "__main__":
    job.plot(draw)
