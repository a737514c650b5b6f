"""B4: score evaluations to total variation 0.01 against the dimension, and fitted exponents.

Left: with the step of the theory. Middle: with the best of a grid of steps. Right: the exponents of
fitted power laws beside those of the paper's bounds.
"""

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures import job, panels, style
from figures.analysis.dimension import EPS, costs, exponent

RULES = {"theory": 0.14, "optimised": -0.14}
"""The rules for the step that are drawn, and the height of their exponents about the row."""
CLAIMED = {"ddpm": 1.0, "dpum": 0.5, "rtk-uld": 0.5, "rtk-mala": 2.0}
"""Exponents of the paper's Table 1, up to logarithms. The paper has none for other samplers."""
BOUND: dict[str, Any] = {"color": "0.7", "linewidth": 3.0, "solid_capstyle": "butt"}

Curves = dict[tuple[str, str], pd.DataFrame]


def draw_costs(axes: Axes, curves: Curves, rule: str) -> None:
    """Draw the costs of all samplers under one rule for the step."""
    for (method, used), rows in curves.items():
        if used == rule:
            axes.plot(rows["dimension"], rows["value"], **style.look(method).line)
    axes.set(yscale="log", xlabel="dimension $d$")
    axes.set_xscale("log", base=2)


def draw_guides(axes: Axes, curves: Curves, rule: str) -> None:
    """Draw the slopes of the theory's bounds, from one point below all curves."""
    shown = [rows for (_, used), rows in curves.items() if used == rule]
    first, last = shown[0]["dimension"].min(), shown[0]["dimension"].max()
    bottom = 0.3 * min(rows["value"].min() for rows in shown)
    labels = []
    for power, text in ((0.5, "$d^{1/2}$"), (1.0, "$d$"), (2.0, "$d^2$")):
        end = bottom * (last / first) ** power
        axes.plot([first, last], [bottom, end], color="0.6", linewidth=0.7, linestyle=":", zorder=0)
        labels.append(panels.EndLabel(text, last, end, "0.3"))
    panels.label_ends(axes, labels)


def draw_exponents(axes: Axes, curves: Curves) -> None:
    """Draw fitted exponents with their intervals, and the exponents of the bounds as bars.

    The ends of an interval stand out above and below its marker, so that a narrow one is seen too.
    """
    methods = list(dict.fromkeys(method for method, _ in curves))[::-1]
    for row, method in enumerate(methods):
        look = style.look(method)
        if method in CLAIMED:
            claimed = CLAIMED[method]
            axes.plot([claimed, claimed], [row - 0.34, row + 0.34], **BOUND)
        for rule, height in RULES.items():
            line = exponent(curves[method, rule])
            axes.errorbar(
                line.slope,
                row + height,
                xerr=[[line.slope - line.low], [line.high - line.slope]],
                color=look.color,
                marker=look.marker,
                markersize=3.0,
                markerfacecolor=look.color if rule == "theory" else "white",
                linestyle="",
                capsize=4.0,
                elinewidth=0.8,
            )
    labels = [style.look(method).label.replace(" (exact energy)", "") for method in methods]
    axes.set_yticks(range(len(methods)), labels)
    axes.set(xlabel="exponent of $d$", xlim=(0, 2.2), ylim=(-0.6, len(methods) - 0.4))


def draw(frame: pd.DataFrame) -> Figure:
    """The figure of the study."""
    curves = costs(frame)
    figure, axes = plt.subplots(
        1, 3, figsize=(style.DOUBLE, 3.1), gridspec_kw={"width_ratios": [1, 1, 0.9]}
    )
    for panel, rule in zip(axes[:2], RULES, strict=True):
        draw_costs(panel, curves, rule)
        draw_guides(panel, curves, rule)
    axes[0].set(title="step of the theory", ylabel=f"score evaluations to TV {EPS:g}")
    axes[1].set(title="best step")
    draw_exponents(axes[2], curves)
    axes[2].set(title="fitted exponents")
    handles, _ = axes[0].get_legend_handles_labels()
    handles.append(Line2D([], [], label="exponent of the bound", **BOUND))
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


if __name__ == "__main__":
    job.plot(draw)
