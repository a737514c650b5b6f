"""Parts of panels that several figures draw in the same way."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from figures import style

LABEL_SIZE = 7.0
"""Font size of the labels at the ends of lines, in points."""


def draw_methods(axes: Axes, frame: pd.DataFrame, x: str) -> None:
    """Draw one line per sampler with error bars of one standard error, in the order of the style.

    Args:
        axes: the panel.
        frame: the rows of one metric; rows of the method "exact" are not drawn.
        x: the column of the abscissa. Its axis is logarithmic and is marked at the numbers of score
            evaluations that were asked for.
    """
    for method in style.METHODS:
        rows = frame[frame["method"] == method].sort_values(x)
        if method != "exact" and len(rows):
            axes.errorbar(rows[x], rows["value"], rows["standard_error"], **style.look(method).line)
    axes.set_xscale("log")
    budgets = frame.loc[frame["method"] != "exact", "nfe_asked"].unique()
    mark(axes.xaxis, budgets, apart(budgets))


def draw_level(axes: Axes, value: float, label: str = "exact sample") -> None:
    """Draw the value that exact samples have, as a dotted horizontal line."""
    exact = style.look("exact")
    axes.axhline(value, color=exact.color, linestyle=exact.linestyle, linewidth=0.8, label=label)


def draw_points(axes: Axes, points: NDArray[np.float64], method: str, size: float) -> None:
    """Draw samples of shape (n, 2) as dots in the colour of their method."""
    color = style.look(method).color
    x, y = points.T
    axes.scatter(x, y, s=size, color=color, linewidths=0, rasterized=True)


def draw_images(axes: Axes, images: NDArray[np.uint8], rows: int, columns: int) -> None:
    """Draw the first ``rows * columns`` images side by side, as one picture without axes.

    Args:
        axes: the panel.
        images: levels in 0...255, (n, side, side), or (n, side, side, 3) in colour.
        rows, columns: of images.
    """
    _, height, width, *colours = images.shape
    tiles = images[: rows * columns].reshape(rows, columns, height, width, *colours)
    picture = tiles.swapaxes(1, 2).reshape(rows * height, columns * width, *colours)
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def draw_samples(
    samples: Mapping[str, Mapping[str, Any]],
    columns: Sequence[str],
    nfe: Sequence[int],
    points: int,
    height: float,
) -> Figure:
    """A figure of samples in their first two coordinates, in [-1.5, 1.5].

    Args:
        samples: for each method its samples (n, 2) by number of score evaluations.
        columns: the methods, in columns; "exact" has the same samples in all rows.
        nfe: numbers of score evaluations, in rows.
        points: how many samples a panel shows.
        height: of the figure, in inches.
    """
    figure, axes = plt.subplots(
        len(nfe),
        len(columns),
        figsize=(style.DOUBLE, height),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    for row, budget in zip(axes, nfe, strict=True):
        for panel, method in zip(row, columns, strict=True):
            shown = samples[method]["exact" if method == "exact" else f"nfe_{budget}"]
            draw_points(panel, shown[:points], method, size=0.4)
            panel.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5))
            panel.set(xticks=[-1, 0, 1], yticks=[-1, 0, 1], aspect="equal")
        row[0].set_ylabel(f"NFE {budget}\n$x_2$")
    title_columns(axes, columns)
    for panel in axes[-1]:
        panel.set_xlabel("$x_1$")
    return figure


def title_columns(axes: NDArray[Any], methods: Iterable[str]) -> None:
    """Write the names of the methods above the columns of a grid of panels, smaller above many."""
    size = min(7.0, 60.0 / axes.shape[1])
    for panel, method in zip(axes[0], methods, strict=True):
        panel.set_title(style.look(method).heading, fontsize=size)


def apart(values: Iterable[float], factor: float = 1.5) -> list[float]:
    """The largest value, and from there down each that is below the last one by this factor.

    Labels at these places of a logarithmic axis do not overlap.
    """
    kept: list[float] = []
    for value in sorted(values, reverse=True):
        if not kept or factor * value <= kept[-1]:
            kept.append(value)
    return kept


def mark(axis: Axis, values: Iterable[float], labelled: Iterable[float] | None = None) -> None:
    """Put a tick at each of these places of an axis, and no tick between them.

    The ticks have their values, or only those in ``labelled``.
    """
    places = sorted(values)
    texts = {*(places if labelled is None else labelled)}
    numbers = [f"{place:g}".replace("-", "\N{MINUS SIGN}") for place in places]
    axis.set_ticks(places, [n if p in texts else "" for p, n in zip(places, numbers, strict=True)])
    axis.set_minor_locator(NullLocator())


class EndLabel(NamedTuple):
    """A text in the colour of a line, and the end of that line in the coordinates of the data."""

    text: str
    x: float
    y: float
    color: str


def label_ends(axes: Axes, labels: Sequence[EndLabel]) -> None:
    """Write each label to the right of its point, moved up or down so that no two overlap.

    A white rim keeps a label readable where another line passes behind it.

    The limits and the scales of the panel must be set before, since the places depend on them.
    """
    axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())
    points = np.array([(label.x, label.y) for label in labels])
    places = axes.transData.transform(points) * 72.0 / axes.figure.dpi
    moved = separate(places, width=4.0 * LABEL_SIZE, height=1.1 * LABEL_SIZE)
    for label, rise in zip(labels, moved - places[:, 1], strict=True):
        axes.annotate(
            label.text,
            (label.x, label.y),
            (4.0, rise),
            textcoords="offset points",
            va="center",
            fontsize=LABEL_SIZE,
            color=label.color,
            annotation_clip=False,
            path_effects=[withStroke(linewidth=2.0, foreground="white")],
        )


def separate(places: NDArray[np.float64], width: float, height: float) -> NDArray[np.float64]:
    """Heights at which boxes do not overlap, near those that they have.

    From the lowest box upwards, each one is lifted above those below it that are less than
    ``width`` away to the side. Then all boxes are lowered by the mean of the lifts.

    Args:
        places: the centres of the boxes, of shape (n, 2).
        width: the width of every box, in the unit of the places.
        height: the height of every box, in the same unit.

    Returns:
        The new heights of the centres, of shape (n,).
    """
    heights = places[:, 1].copy()
    order = np.argsort(heights, kind="stable")
    for k, current in enumerate(order):
        below = [other for other in order[:k] if abs(places[other, 0] - places[current, 0]) < width]
        heights[current] = max([heights[current], *(heights[below] + height)])
    return np.asarray(heights - (heights - places[:, 1]).mean())
