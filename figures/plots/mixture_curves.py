"""A1: a metric against score evaluations; one panel for each mixture, one line for each sampler."""

from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from figures import job, panels, style
from figures.analysis.frames import where

ACCURACIES = (0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)
"""Places at which the axis of the accuracy is marked."""


class Curve(NamedTuple):
    """What a figure shows: the metric, the label of its axis, and the scale of that axis."""

    metric: str
    label: str
    scale: str


CURVES = {
    "accuracy": Curve(
        "halved_marginal_accuracy",
        r"marginal accuracy $1-\frac{1}{2}\,\overline{\mathrm{TV}}$",
        "accuracy",
    ),
    "sinkhorn": Curve("sinkhorn", "Sinkhorn cost (coordinates 1, 2)", "log"),
    "mode_weights": Curve("mode_weight_tv", "total variation of mode weights", "log"),
}


def digits(accuracy: NDArray[np.float64]) -> NDArray[np.float64]:
    """``-log10(1 - accuracy)``, in which accuracies near one stay apart."""
    return np.asarray(-np.log10(np.maximum(1.0 - accuracy, 1e-12)))


def accuracy_of(number_of_digits: NDArray[np.float64]) -> NDArray[np.float64]:
    """The accuracy whose `digits` are given."""
    return np.asarray(1.0 - 10.0**-number_of_digits)


def mark_accuracies(axes: Axes) -> None:
    """Mark the vertical axis with those of `ACCURACIES` that lie within its limits."""
    low, high = axes.get_ylim()
    panels.mark(axes.yaxis, [accuracy for accuracy in ACCURACIES if low <= accuracy <= high])


def draw(frame: pd.DataFrame, floor: pd.DataFrame, curve: str) -> Figure:
    """One figure of `CURVES`, from the rows of the samplers and those of exact samples."""
    metric, label, scale = CURVES[curve]
    frame, floor = where(frame, metric=metric), where(floor, metric=metric)
    targets = list(frame["target"].unique())
    figure, axes = plt.subplots(
        1, len(targets), figsize=(style.DOUBLE, 3.3), sharey=True, squeeze=False
    )
    if scale == "accuracy":
        axes[0, 0].set_yscale("function", functions=(digits, accuracy_of))
    else:
        axes[0, 0].set_yscale(scale)
    for panel, target in zip(axes[0], targets, strict=True):
        panels.draw_methods(panel, where(frame, target=target), "nfe")
        panels.draw_level(panel, where(floor, target=target)["value"].mean())
        panel.set(xlabel="score evaluations (NFE)", title=target)
    axes[0, 0].set_ylabel(label)
    if scale == "accuracy":
        mark_accuracies(axes[0, 0])
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


if __name__ == "__main__":
    job.plot(draw)
