"""B4, beyond Gaussians: total variation against score evaluations on products of three shapes."""

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import job, style
from figures.analysis.frames import where


def draw(frame: pd.DataFrame) -> Figure:
    """One panel per shape; solid in the smallest dimension and dashed in the largest."""
    shapes, methods = frame["target"].unique(), frame["method"].unique()
    ends: dict[int, dict[str, Any]] = {
        frame["dimension"].min(): {"linestyle": "-"},
        frame["dimension"].max(): {"linestyle": "--"},
    }
    figure, axes = plt.subplots(1, len(shapes), figsize=(style.DOUBLE, 2.8), sharey=True)
    for panel, shape in zip(axes, shapes, strict=True):
        for method in methods:
            for dimension, line in ends.items():
                rows = where(frame, target=shape, method=method, dimension=dimension)
                look = style.look(method).line | line
                panel.plot(rows["nfe"], rows["value"], **look)
        panel.set(xscale="log", yscale="log", title=shape, xlabel="score evaluations")
    axes[0].set(ylabel="TV")
    handles = [Line2D([], [], **style.look(method).line | {"linestyle": "-"}) for method in methods]
    handles += [
        Line2D([], [], color="0.3", label=f"$d$ = {dimension}", **line)
        for dimension, line in ends.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


if __name__ == "__main__":
    job.plot(draw)
