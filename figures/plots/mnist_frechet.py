"""C1: distance of generated digits to the test images against NFE, in a classifier's features."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from figures import job, style

PANELS = {
    "frechet_distance": "Fréchet distance\n(RTK-MNIST-CNN features)",
    "precision": "precision",
    "recall": "recall",
}


def draw(frame: pd.DataFrame, floor: pd.DataFrame) -> Figure:
    """One panel per metric; ``floor`` has the values of training images."""
    exact = floor.set_index("metric")["value"]
    figure, axes = plt.subplots(1, len(PANELS), figsize=(style.DOUBLE, 2.6))
    for panel, (metric, label) in zip(axes, PANELS.items(), strict=True):
        chosen = frame[frame["metric"] == metric]
        for method in style.METHODS:
            part = chosen[chosen["method"] == method].sort_values("nfe")
            if len(part):
                panel.errorbar(
                    part["nfe"], part["value"], part["standard_error"], **style.look(method).line
                )
        panel.axhline(
            exact[metric], color=style.look("exact").color, lw=0.8, ls=":", label="training images"
        )
        panel.set(xscale="log", xlabel="score evaluations (NFE)", ylabel=label)
        ticks = sorted(frame["nfe_asked"].unique())
        panel.set_xticks(ticks, [str(tick) for tick in ticks])
        panel.minorticks_off()
    axes[0].set_yscale("log")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


if __name__ == "__main__":
    job.plot(draw)
