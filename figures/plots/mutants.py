"""B12: which rule notices which fault, as a matrix with a letter in each field."""

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
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
    numbers = outcomes.map(OUTCOMES.index)
    figure, axes = plt.subplots(figsize=(style.DOUBLE, 0.16 * len(outcomes) + 1.5))
    colours = ListedColormap([LOOKS[name][0] for name in OUTCOMES])
    sns.heatmap(
        numbers,
        vmin=-0.5,
        vmax=len(OUTCOMES) - 0.5,
        cmap=colours,
        annot=outcomes.map(lambda name: LOOKS[name][1]),
        fmt="",
        annot_kws={"fontsize": 6},
        linewidths=1.0,
        cbar=False,
        ax=axes,
    )
    axes.xaxis.tick_top()
    axes.set_xticklabels(outcomes.columns, rotation=60, ha="left")
    axes.set_yticklabels([f"{rule} ({verdicts[rule]})" for rule in outcomes.index])
    axes.set(xlabel="", ylabel="")
    axes.tick_params(length=0, labelsize=6.5)
    handles = [
        Patch(facecolor=color, edgecolor="0.6", label=f"{letter}: {what}" if letter else what)
        for color, letter, what in LOOKS.values()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


if __name__ == "__main__":
    job.plot(draw)
