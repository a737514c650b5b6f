"""B8: total variations against score evaluations, on targets that are not Gaussian mixtures.

There is one column for each target. The upper panel shows the metric by which the target is judged,
the lower panel a second metric.
"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from figures import job, panels, style
from figures.analysis.beyond_mixtures import PANELS
from figures.analysis.frames import where


def draw(frame: pd.DataFrame) -> Figure:
    """The figure of the study, from the rows of all targets."""
    targets = list(frame["target"].unique())
    figure, axes = plt.subplots(
        2, len(targets), figsize=(style.DOUBLE, 4.0), sharex=True, squeeze=False
    )
    for column, target in zip(axes.T, targets, strict=True):
        for panel, (metric, label) in zip(column, PANELS[target].metrics.items(), strict=True):
            rows = where(frame, target=target, metric=metric)
            panels.draw_methods(panel, rows, "nfe_asked")
            panels.draw_level(panel, where(rows, method="exact")["value"].mean())
            panel.set(ylabel=label, ylim=(0, None))
        column[0].set_title(PANELS[target].title)
        column[1].set_xlabel("score evaluations")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


if __name__ == "__main__":
    job.plot(draw)
