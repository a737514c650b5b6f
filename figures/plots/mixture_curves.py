"""A1: a metric against score evaluations, one panel per mixture, one line per sampler."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from figures import job, style
from figures.analysis.frames import where

# Curve -> metric, label, scale of the axis.
CURVES = {
    "accuracy": (
        "halved_marginal_accuracy",
        r"marginal accuracy $1-\frac{1}{2}\,\overline{\mathrm{TV}}$",
        "linear",
    ),
    "sinkhorn": ("sinkhorn", "Sinkhorn cost (coordinates 1, 2)", "log"),
    "mode_weights": ("mode_weight_tv", "total variation of mode weights", "log"),
}


def draw(frame: pd.DataFrame, floor: pd.DataFrame, curve: str) -> Figure:
    """The figure for one of `CURVES`; the floor of exact samples is dotted."""
    metric, label, scale = CURVES[curve]
    frame, floor = where(frame, metric=metric), where(floor, metric=metric)
    targets = list(frame["target"].unique())
    figure, axes = plt.subplots(
        1, len(targets), figsize=(style.DOUBLE, 2.9), sharey=True, squeeze=False
    )
    for panel, target in zip(axes[0], targets, strict=True):
        for method, part in _in_order(frame[frame["target"] == target]):
            panel.errorbar(
                part["nfe"], part["value"], part["standard_error"], **style.look(method).line
            )
        exact = floor.loc[floor["target"] == target, "value"].mean()
        panel.axhline(exact, color=style.look("exact").color, lw=0.8, ls=":", label="exact sample")
        panel.set(xscale="log", xlabel="score evaluations (NFE)", title=target)
        ticks = sorted(frame["nfe_asked"].unique())
        panel.set_xticks(ticks, [str(tick) for tick in ticks], minor=False)
        panel.minorticks_off()
        panel.set_yscale(scale)
    axes[0, 0].set_ylabel(label)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


def _in_order(frame: pd.DataFrame) -> Sequence[tuple[str, pd.DataFrame]]:
    """The methods of a table in the order of the style."""
    return [
        (method, frame[frame["method"] == method].sort_values("nfe"))
        for method in style.METHODS
        if (frame["method"] == method).any()
    ]


if __name__ == "__main__":
    job.plot(draw)
