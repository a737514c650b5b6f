"""A2: all pairs of methods: how often one wins, and how large its errors are beside the other's."""

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from figures import job, style
from figures.analysis.comparison import duels, judged, methods_of

SMALL = 5.0
"""Font size of the numbers, in points."""


def short(value: float) -> str:
    """A ratio in at most three signs: two digits from 10 on, one decimal from 1 on, else two."""
    if value >= 0.995:
        return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}"
    return f"{value:.2f}".removeprefix("0")


def draw_matrix(
    axes: Axes,
    values: NDArray[np.float64],
    methods: list[str],
    form: Callable[[float], str],
    **colours: Any,
) -> None:
    """Draw a heat map of the values (methods, methods), with each value in its field."""
    labels = [style.look(method).label for method in methods]
    sns.heatmap(
        values,
        xticklabels=labels,
        yticklabels=labels,
        annot=np.array([[form(value) for value in row] for row in values]),
        fmt="",
        annot_kws={"fontsize": SMALL},
        cbar=False,
        ax=axes,
        **colours,
    )
    axes.tick_params(length=0, labelsize=6)


def draw(frame: pd.DataFrame, floor: pd.DataFrame) -> Figure:
    """The figure, from the rows of the methods and those of exact samples."""
    rows, level = judged(frame), judged(floor)
    methods, pairs = methods_of(rows), duels(rows, level)
    won, ratio = np.full((2, len(methods), len(methods)), np.nan)
    for (first, second), result in pairs.items():
        place = methods.index(first), methods.index(second)
        won[place], ratio[place] = 100.0 * result.won, result.ratio
    figure, axes = plt.subplots(
        1, 2, figsize=(style.DOUBLE, 0.17 * len(methods) + 1.7), sharey=True
    )
    draw_matrix(axes[0], won, methods, "{:.0f}".format, cmap="Blues", vmin=0.0, vmax=100.0)
    axes[0].set_title("cells that the row wins (%)")
    reach = np.nanmax(np.abs(np.log(ratio)))
    colours = {
        "cmap": "RdBu_r",
        "norm": LogNorm(np.exp(-reach), np.exp(reach)),
    }
    draw_matrix(axes[1], ratio, methods, short, **colours)
    axes[1].set_title("median ratio of errors, row over column")
    return figure


if __name__ == "__main__":
    job.plot(draw)
