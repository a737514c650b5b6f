"""A4: samples of tuned samplers in their first two coordinates; score evaluations in rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from figures import job, panels, style
from figures.analysis.comparison import HIGHLIGHTED

POINTS = 2000
HALF_WIDTH = 1.5


def draw(samples: Mapping[str, Mapping[str, Any]], nfe: Sequence[int]) -> Figure:
    """The figure, from the samples of each method by number of score evaluations."""
    columns = ["exact", *(method for method in HIGHLIGHTED if method in samples)]
    figure, axes = plt.subplots(
        len(nfe),
        len(columns),
        figsize=(style.DOUBLE, 6.4 / len(columns) * len(nfe) + 0.8),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    for row, budget in zip(axes, nfe, strict=True):
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
