"""A2: all pairs of methods: how often one wins, and how large its errors are beside the other's."""

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
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
    if value >= 1.0:
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
    image = axes.imshow(values, aspect="auto", **colours)
    labels = [style.look(method).label for method in methods]
    axes.set_xticks(range(len(methods)), labels, rotation=90, fontsize=6)
    axes.set_yticks(range(len(methods)), labels, fontsize=6)
    for (row, column), value in np.ndenumerate(values):
        if row != column:
            red, green, blue, _ = image.to_rgba(np.array(value))
            dark = 0.3 * red + 0.6 * green + 0.1 * blue < 0.5
            color = "white" if dark else "black"
            text = axes.text(column, row, form(value), fontsize=SMALL, color=color)
            text.set(horizontalalignment="center", verticalalignment="center")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


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
