"""A1: the density of coordinate 2 around one cluster; one panel for each number of evaluations.

A cluster that is too wide shows noise that was not removed, and one that is too low or too high
shows a wrong mass. The window holds the highest cluster of the exact sample. Every density is
normalised over all samples that were kept, not over the window.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from figures import job, style
from figures.analysis.mixtures import shown_budgets

SHOWN = ("ddpm", "dpm++2m", "rtk-ula", "rtk-uld", "rtk-mala")
HALF_WIDTH = 0.35
BINS = 28


def window(exact: NDArray[np.float64]) -> NDArray[np.float64]:
    """The edges of the bins around the highest cluster in the upper half of the exact sample."""
    counts, edges = np.histogram(exact, 60)
    peak = int(np.argmax(np.where(edges[:-1] >= np.median(exact), counts, 0)))
    centre = float(edges[peak : peak + 2].mean())
    return np.linspace(centre - HALF_WIDTH, centre + HALF_WIDTH, BINS + 1)


def density(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """The density of the values in each bin, normalised over all values."""
    return np.asarray(np.histogram(values, edges)[0] / (len(values) * np.diff(edges)))


def draw(samples: Mapping[str, Mapping[str, Any]], target: str, nfe: Sequence[int]) -> Figure:
    """The figure of one mixture, from its exact sample and the samples of each method."""
    exact = samples["exact"]["exact"][:, 1]
    edges = window(exact)
    budgets = shown_budgets(nfe)
    figure, axes = plt.subplots(
        1, len(budgets), figsize=(style.DOUBLE, 2.4), sharey=True, squeeze=False
    )
    for panel, budget in zip(axes[0], budgets, strict=True):
        panel.stairs(density(exact, edges), edges, fill=True, color="0.85", label="exact sample")
        for method in (method for method in samples if method in SHOWN):
            values, look = samples[method][f"nfe_{budget}"][:, 1], style.look(method)
            panel.stairs(
                density(values, edges),
                edges,
                color=look.color,
                linestyle=look.linestyle,
                label=look.label,
            )
        panel.set(xlabel="coordinate $x_2$", title=f"{target}, NFE {budget}")
    axes[0, 0].set_ylabel("density")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center")
    return figure


if __name__ == "__main__":
    job.plot(draw)
