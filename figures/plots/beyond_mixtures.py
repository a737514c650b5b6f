"""B8: total variations against score evaluations on the targets that are no Gaussian mixtures."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import job, style
from figures.analysis.beyond_mixtures import PANELS
from figures.analysis.frames import where


def draw_metric(axes: Axes, frame: pd.DataFrame) -> None:
    """One metric of one target: a line per method, the mean of exact samples dotted."""
    for method in style.METHODS:
        part = frame[frame["method"] == method].sort_values("nfe_asked")
        if method != "exact" and len(part):
            axes.errorbar(
                part["nfe_asked"], part["value"], part["standard_error"], **style.look(method).line
            )
    floor = frame.loc[frame["method"] == "exact", "value"].mean()
    axes.axhline(floor, color=style.look("exact").color, lw=0.8, ls=":", label="exact sample")
    ticks = sorted(frame.loc[frame["method"] != "exact", "nfe_asked"].unique())
    axes.set(xscale="log", ylim=(0, None))
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()


def draw(frame: pd.DataFrame) -> Figure:
    """Targets in columns; below, a second metric of each."""
    targets = list(frame["target"].unique())
    figure, axes = plt.subplots(
        2, len(targets), figsize=(style.DOUBLE, 4.0), sharex=True, squeeze=False
    )
    for column, target in zip(axes.T, targets, strict=True):
        title, metrics = PANELS[target]
        for panel, (metric, label) in zip(column, metrics.items(), strict=True):
            draw_metric(panel, where(frame, target=target, metric=metric))
            panel.set_ylabel(label)
        column[0].set_title(title)
        column[-1].set_xlabel("NFE")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


if __name__ == "__main__":
    job.plot(draw)
