"""B12: which rule notices which fault, as a matrix with a letter in each field."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from figures import job, style
from figures.analysis.mutants import OUTCOMES, clean, matrix

LOOKS = {
    "untouched": ("#f2f2f2", "", "numbers of the rule unchanged"),
    "unnoticed": ("#f4b183", "u", "numbers changed, same verdict"),
    "noticed": ("#1b7837", "n", "other verdict"),
    "stopped": ("#8fb8de", "s", "experiment stops, no verdict"),
}
"""Colour, letter and description of each outcome."""


def draw(frame: pd.DataFrame) -> Figure:
    """The matrix, with the verdict without a fault behind the name of each rule."""
    outcomes, verdicts = matrix(frame), clean(frame)
    numbers = outcomes.map(OUTCOMES.index).to_numpy()
    figure, axes = plt.subplots(figsize=(style.DOUBLE, 0.16 * len(outcomes) + 1.5))
    colours = ListedColormap([LOOKS[name][0] for name in OUTCOMES])
    axes.imshow(numbers, aspect="auto", cmap=colours, vmin=-0.5, vmax=len(OUTCOMES) - 0.5)
    for (row, column), number in np.ndenumerate(numbers):
        name = OUTCOMES[number]
        color = "white" if name == "noticed" else "black"
        axes.text(
            column, row, LOOKS[name][1], fontsize=6, color=color, ha="center", va="center_baseline"
        )
    axes.set_xticks(range(len(outcomes.columns)), outcomes.columns, rotation=60, ha="left")
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(outcomes)), [f"{rule} ({verdicts[rule]})" for rule in outcomes.index])
    axes.tick_params(length=0, labelsize=6.5)
    axes.set_xticks(np.arange(len(outcomes.columns) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(outcomes) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.0)
    axes.tick_params(which="minor", length=0)
    axes.spines[:].set_visible(False)
    handles = [
        Patch(facecolor=color, edgecolor="0.6", label=f"{letter}: {what}" if letter else what)
        for color, letter, what in LOOKS.values()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


if __name__ == "__main__":
    job.plot(draw)
