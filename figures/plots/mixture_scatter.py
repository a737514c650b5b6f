"""A1: the first two coordinates of samples, samplers in columns and budgets in rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from figures import job, style
from figures.analysis.mixtures import shown_budgets

SHOWN = ("ddpm", "ddim", "dpmpp-2m", "rtk-uld", "rtk-mala")
POINTS = 2500
WINDOW = 1.5


def draw(samples: Mapping[str, Mapping[str, Any]], nfe: Sequence[int]) -> Figure:
    """Panels of ``samples``, which has the arrays of each method and of exact sampling."""
    budgets = shown_budgets(nfe)
    columns = ["exact", *(method for method in SHOWN if method in samples)]
    figure, axes = plt.subplots(
        len(budgets),
        len(columns),
        figsize=(style.DOUBLE, 1.2 * len(budgets) + 0.2),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    for row, budget in zip(axes, budgets, strict=True):
        for panel, method in zip(row, columns, strict=True):
            points = samples[method]["exact" if method == "exact" else f"nfe_{budget}"]
            look = style.look(method)
            panel.scatter(
                *points[:POINTS].T, s=0.4, color=look.color, linewidths=0, rasterized=True
            )
            panel.set(xlim=(-WINDOW, WINDOW), ylim=(-WINDOW, WINDOW), aspect="equal")
            panel.set(xticks=[-1, 0, 1], yticks=[-1, 0, 1])
        row[0].set_ylabel(f"NFE {budget}")
    for panel, method in zip(axes[0], columns, strict=True):
        panel.set_title(style.look(method).heading, fontsize=7)
    return figure


if __name__ == "__main__":
    job.plot(draw)
