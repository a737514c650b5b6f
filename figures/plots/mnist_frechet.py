"""C1: how far generated digits are from the test images, against score evaluations.

All three metrics are measured in the features of a small classifier of digits.
"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from figures import job, panels, style
from figures.analysis.frames import where

METRICS = {
    "frechet_distance": "Fréchet distance\n(RTK-MNIST-CNN features)",
    "precision": "precision",
    "recall": "recall",
}
"""The metrics, and the labels of their axes."""


def draw(frame: pd.DataFrame, floor: pd.DataFrame) -> Figure:
    """The figure, from the rows of the samplers and those of training images."""
    figure, axes = plt.subplots(1, len(METRICS), figsize=(style.DOUBLE, 2.6))
    for panel, (metric, label) in zip(axes, METRICS.items(), strict=True):
        panels.draw_methods(panel, where(frame, metric=metric), "nfe")
        panels.draw_level(panel, where(floor, metric=metric)["value"].item(), "training images")
        panel.set(xlabel="score evaluations (NFE)", ylabel=label)
    axes[0].set_yscale("log")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


if __name__ == "__main__":
    job.plot(draw)
