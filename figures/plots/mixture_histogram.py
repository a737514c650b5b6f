"""A1: coordinate 2 around one cluster, where a wrong width or a leftover of noise shows.

The window holds the highest cluster of the exact sample; densities are those of all kept samples.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from figures import job, style
from figures.analysis.mixtures import shown_budgets

SHOWN = ("ddpm", "dpmpp-2m", "rtk-ula", "rtk-uld", "rtk-mala")
HALF_WIDTH = 0.35
BINS = 28


def draw(samples: Mapping[str, Mapping[str, Any]], target: str, nfe: Sequence[int]) -> Figure:
    """One panel per budget; ``samples`` has the arrays of each method and of exact sampling."""
    exact = samples["exact"]["exact"][:, 1]
    counts, edges = np.histogram(exact, 60)
    peak = int(np.argmax(np.where(edges[:-1] >= np.median(exact), counts, 0)))
    centre = float(edges[peak : peak + 2].mean())
    bins = np.linspace(centre - HALF_WIDTH, centre + HALF_WIDTH, BINS + 1)
    budgets = shown_budgets(nfe)
    figure, axes = plt.subplots(
        1, len(budgets), figsize=(style.DOUBLE, 2.4), sharey=True, squeeze=False
    )
    reference = np.histogram(exact, bins)[0] / (len(exact) * np.diff(bins))
    for panel, budget in zip(axes[0], budgets, strict=True):
        panel.stairs(reference, bins, fill=True, color="0.85", label="exact sample")
        for method in (method for method in samples if method in SHOWN):
            values = samples[method][f"nfe_{budget}"][:, 1]
            density = np.histogram(values, bins)[0] / (len(values) * np.diff(bins))
            look = style.look(method)
            panel.stairs(density, bins, color=look.color, ls=look.linestyle, label=look.label)
        panel.set(xlabel=r"$x_2$", title=f"{target}, NFE {budget}")
    axes[0, 0].set_ylabel("density")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center")
    return figure


if __name__ == "__main__":
    job.plot(draw)
