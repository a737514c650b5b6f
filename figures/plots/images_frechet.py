"""C1: how far generated images are from the test images, against score evaluations.

All but the background noise is measured with a small classifier of the data set.
"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from figures import job, panels, style
from figures.analysis.frames import where

METRICS = {
    "frechet_distance": "Fréchet distance",
    "kernel_distance": "kernel distance",
    "background_noise": "background noise",
    "precision": "precision",
    "recall": "recall",
    "class_total_variation": "total variation of classes",
    "copying": "copying",
    "class_entropy": "entropy of the class",
}
"""The metrics, and the labels of their axes. The last one is for images without a background."""
PANELS = 7


def draw(frame: pd.DataFrame, floor: pd.DataFrame, title: str) -> Figure:
    """The figure, from the rows of the samplers and those of training images.

    It has the first `PANELS` of the metrics that were measured, and a place for the legend.
    """
    figure, axes = plt.subplots(2, 4, figsize=(style.DOUBLE, 3.6))
    features = f"RTK-{title}-CNN features"
    figure.suptitle(f"{title}; distances, precision and recall in {features}", fontsize=8)
    measured = [metric for metric in METRICS if metric in set(frame["metric"])][:PANELS]
    for panel, metric in zip(axes.flat, measured, strict=False):
        panels.draw_methods(panel, where(frame, metric=metric), "nfe")
        panels.draw_level(panel, where(floor, metric=metric)["value"].item(), "training images")
        panel.set(ylabel=METRICS[metric])
        if metric == "background_noise":
            panel.set_yscale("symlog", linthresh=0.01)
            panel.set_ylim(bottom=-0.003)
    axes[0, 0].set_yscale("log")
    for panel in axes.flat[3:7]:
        panel.set_xlabel("score evaluations (NFE)")
    axes[1, 3].axis("off")
    axes[1, 3].legend(*axes[0, 0].get_legend_handles_labels(), loc="center")
    return figure


if __name__ == "__main__":
    job.plot(draw)
