"""C1: generated images; one column for each sampler, one row for each number of score evaluations.

They are those of the first chains of each run, and were not selected.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from figures import job, panels, style

ROWS, COLUMNS = 2, 4


def draw(samples: Mapping[str, Mapping[str, Any]], nfe: Sequence[int]) -> Figure:
    """The figure, from the images that each method kept, as `experiments.images.sample` says."""
    row = 1.1 * style.DOUBLE / len(samples) * ROWS / COLUMNS
    figure, axes = plt.subplots(
        len(nfe), len(samples), figsize=(style.DOUBLE, row * len(nfe) + 0.45), squeeze=False
    )
    for column, kept in zip(axes.T, samples.values(), strict=True):
        for panel, budget in zip(column, nfe, strict=True):
            panels.draw_images(panel, kept[f"nfe_{budget}"], ROWS, COLUMNS)
    panels.title_columns(axes, samples)
    for panel, budget in zip(axes[:, 0], nfe, strict=True):
        panel.set_ylabel(f"NFE {budget}", rotation=0, ha="right", va="center")
    return figure


if __name__ == "__main__":
    job.plot(draw)
