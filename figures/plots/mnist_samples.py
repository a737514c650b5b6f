"""C1: digits made by each sampler (columns) at each budget (rows), the first chains of each run."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from figures import job, style

ROWS, COLUMNS = 2, 4


def draw(samples: Mapping[str, Mapping[str, Any]], nfe: Sequence[int]) -> Figure:
    """Tiles of the digits in ``samples``, which has the arrays of each method."""
    figure, axes = plt.subplots(
        len(nfe), len(samples), figsize=(style.DOUBLE, 0.78 * len(nfe) + 0.3), squeeze=False
    )
    for column, (method, kept) in zip(axes.T, samples.items(), strict=True):
        for panel, budget in zip(column, nfe, strict=True):
            digits = kept[f"nfe_{budget}"][: ROWS * COLUMNS]
            tiles = digits.reshape(ROWS, COLUMNS, *digits.shape[1:]).swapaxes(1, 2)
            picture = tiles.reshape(ROWS * digits.shape[1], -1)
            panel.imshow(np.asarray(picture), cmap="gray", vmin=0, vmax=255, aspect="auto")
            panel.set(xticks=[], yticks=[])
            panel.spines[:].set_visible(False)
        column[0].set_title(style.look(method).heading, fontsize=7)
    for panel, budget in zip(axes[:, 0], nfe, strict=True):
        panel.set_ylabel(f"NFE {budget}")
    return figure


if __name__ == "__main__":
    job.plot(draw)
