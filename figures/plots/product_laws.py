"""B4, beyond Gaussians: samplers on products of three shapes, and the accepted step of RTK-MALA."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import job, style
from figures.analysis.frames import where

MARKERS = ("o", "s", "^")


def draw(frame: pd.DataFrame) -> Figure:
    """A panel of TV per shape, solid in the smallest dimension and dashed in the largest; a last
    panel has the accepted step."""
    curves, steps = (where(frame, metric=metric) for metric in ("tv", "step_size"))
    shapes, methods = curves["target"].unique(), curves["method"].unique()
    ends: dict[int, dict[str, Any]] = {
        curves["dimension"].min(): {"linestyle": "-"},
        curves["dimension"].max(): {"linestyle": "--"},
    }
    figure, axes = plt.subplots(2, 2, figsize=(style.DOUBLE, 3.9))
    for panel, shape in zip(axes.flat, shapes, strict=False):
        for method in methods:
            for dimension, line in ends.items():
                rows = where(curves, target=shape, method=method, dimension=dimension)
                look = style.look(method).line | line | {"markersize": 3.5}
                panel.plot(rows["nfe"], rows["value"], **look)
        panel.set(xscale="log", yscale="log", title=shape, xlabel="score evaluations", ylabel="TV")
    accepted(axes.flat[-1], steps)
    handles = [Line2D([], [], **style.look(method).line | {"linestyle": "-"}) for method in methods]
    handles += [
        Line2D([], [], color="0.3", label=f"$d$ = {dimension}", **line)
        for dimension, line in ends.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=5)
    return figure


def accepted(panel: Axes, steps: pd.DataFrame) -> None:
    """The accepted step of each shape against the dimension, with the power of optimal scaling."""
    for (shape, rows), marker in zip(steps.groupby("target", sort=False), MARKERS, strict=True):
        panel.plot(
            rows["dimension"], rows["value"], color="0.3", marker=marker, markersize=4, label=shape
        )
    d = np.sort(steps["dimension"].unique()).astype(float)
    panel.plot(d, 1.3 * d ** (-1 / 3), color="0.6", linestyle=":", label="slope $-1/3$")
    panel.set(xscale="log", yscale="log", title="RTK-MALA, acceptance 1/2")
    panel.set(xlabel="dimension", ylabel="relative step")
    panel.legend(loc="lower left")


if __name__ == "__main__":
    job.plot(draw)
