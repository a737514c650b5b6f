"""A2: tuned samplers under errors of the score, by kind and size of the error."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from figures import job, panels, style
from figures.analysis.comparison import in_floors, methods_of
from figures.analysis.frames import where

KINDS = {
    "none": "exact score",
    "smooth": "smooth field",
    "rough": "rough field",
    "scaling": "scaling",
    "bias": "constant",
}


def draw(frame: pd.DataFrame, floor: pd.DataFrame) -> Figure:
    """The figure, from the rows of the methods and those of exact samples."""
    means = in_floors(frame, floor, ["method", "error", "size", "nfe_asked"])
    kinds = [kind for kind in KINDS if kind in {*means["error"]}]
    sizes = sorted({*means["size"]} - {0.0})
    figure, axes = plt.subplots(
        len(sizes),
        len(kinds),
        figsize=(style.DOUBLE, 1.5 * len(sizes) + 0.9),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    for row, size in zip(axes, sizes, strict=True):
        for panel, kind in zip(row, kinds, strict=True):
            shown = where(means, error=kind, size=0.0 if kind == "none" else size)
            for method in methods_of(shown):
                rows = where(shown, method=method)
                panel.plot(rows["nfe_asked"], rows["value"], **style.look(method).line)
            panels.draw_level(panel, 1.0)
            panel.set(xscale="log", yscale="log")
            panels.mark(panel.xaxis, means["nfe_asked"].unique())
        row[0].set_ylabel(f"RMS error {size:g}\n$J$ / floor")
    for panel, kind in zip(axes[0], kinds, strict=True):
        panel.set_title(KINDS[kind])
    figure.supxlabel("score evaluations (NFE)", fontsize=8)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4)
    return figure


if __name__ == "__main__":
    job.plot(draw)
