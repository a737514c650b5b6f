"""B8: the first two coordinates of samples, targets in rows and samplers in columns."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from figures import job, style
from figures.analysis.beyond_mixtures import PANELS

# Half-widths of the windows: x_1 and x_2.
WINDOWS = {"funnel": (10.0, 20.0), "many_well": (3.0, 3.0), "rings": (4.0, 4.0)}
WINDOWS["student"] = (8.0, 8.0)


def draw(samples: Mapping[str, Mapping[str, Any]]) -> Figure:
    """A panel per target and method of ``samples``, whose arrays have the shape (n, 2)."""
    first = next(iter(samples.values()))
    methods = [method for method in style.METHODS if method in first]
    figure, axes = plt.subplots(
        len(samples), len(methods), figsize=(style.DOUBLE, 1.02 * len(samples) + 0.3), squeeze=False
    )
    for row, (target, sample) in zip(axes, samples.items(), strict=True):
        wide, high = WINDOWS[target]
        for panel, method in zip(row, methods, strict=True):
            color = style.look(method).color
            panel.scatter(*sample[method].T, s=0.5, color=color, linewidths=0, rasterized=True)
            panel.set(xlim=(-wide, wide), ylim=(-high, high), xticks=[], yticks=[])
        row[0].set_ylabel(PANELS[target][0])
    for panel, method in zip(axes[0], methods, strict=True):
        panel.set_title(style.look(method).heading)
        panel.title.set_fontsize(6.5)
    return figure


if __name__ == "__main__":
    job.plot(draw)
