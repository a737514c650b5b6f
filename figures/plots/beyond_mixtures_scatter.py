"""B8: samples in their first two coordinates; targets in rows and samplers in columns."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from figures import job, panels, style
from figures.analysis.beyond_mixtures import PANELS

WINDOWS = {
    "funnel": (10.0, 20.0),
    "many_well": (3.0, 3.0),
    "rings": (4.0, 4.0),
    "student": (8.0, 8.0),
}
"""Half the width and half the height of the window on each target, which is centred at zero."""


def draw(samples: Mapping[str, Mapping[str, Any]]) -> Figure:
    """The figure, from the samples of each target and method, which have the shape (n, 2)."""
    first = next(iter(samples.values()))
    methods = [method for method in style.METHODS if method in first]
    figure, axes = plt.subplots(
        len(samples), len(methods), figsize=(style.DOUBLE, 1.15 * len(samples) + 0.4), squeeze=False
    )
    for row, (target, sample) in zip(axes, samples.items(), strict=True):
        half_width, half_height = WINDOWS[target]
        for panel, method in zip(row, methods, strict=True):
            panels.draw_points(panel, sample[method], method, size=0.5)
            panels.mark(panel.xaxis, (-half_width / 2, 0.0, half_width / 2))
            panels.mark(panel.yaxis, (-half_height / 2, 0.0, half_height / 2))
            panel.set(xlim=(-half_width, half_width), ylim=(-half_height, half_height))
            panel.label_outer(remove_inner_ticks=False)
            panel.tick_params(labelbottom=True)
        row[0].set_ylabel(f"{PANELS[target].title}\n$x_2$")
    panels.title_columns(axes, methods)
    for panel in axes[-1]:
        panel.set_xlabel("$x_1$")
    return figure


if __name__ == "__main__":
    job.plot(draw)
