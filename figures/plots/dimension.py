"""B4: score evaluations to total variation 0.01 against the dimension, and the fitted exponents."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import job, style
from figures.analysis.dimension import EPS, costs, exponent

MARKS = {"theory": 0.12, "optimised": -0.12}
# Exponents of the paper's Table 1, up to logarithms; others are not claimed.
CLAIMED = {"ddpm": 1.0, "rtk-uld": 0.5, "rtk-mala": 2.0}


def draw_costs(axes: Axes, curves: dict[tuple[str, str], pd.DataFrame], rule: str) -> None:
    for (method, used), rows in curves.items():
        if used == rule:
            axes.plot(rows["dimension"], rows["value"], **style.look(method).line)
    axes.set(xscale="log", yscale="log", xlabel="dimension $d$")
    axes.set_xscale("log", base=2)


def draw_guides(axes: Axes, curves: dict[tuple[str, str], pd.DataFrame]) -> None:
    """The theory's slopes, from one point below all curves."""
    dimensions = next(iter(curves.values()))["dimension"]
    first, last = dimensions.min(), dimensions.max()
    bottom = 0.3 * min(rows["value"].min() for rows in curves.values())
    for power, label in ((0.5, "$d^{1/2}$"), (1.0, "$d$"), (2.0, "$d^2$")):
        end = bottom * (last / first) ** power
        axes.plot([first, last], [bottom, end], color="0.6", lw=0.7, ls=":", zorder=0)
        axes.annotate(
            label, (last, end), color="0.4", fontsize=7, xytext=(2, -2), textcoords="offset points"
        )


def draw_exponents(axes: Axes, curves: dict[tuple[str, str], pd.DataFrame]) -> None:
    """Fitted exponents with 95 % intervals; a bar is the exponent of the theory's bound."""
    methods = list(dict.fromkeys(method for method, _ in curves))
    for row, method in enumerate(reversed(methods)):
        look = style.look(method)
        if method in CLAIMED:
            claimed = CLAIMED[method]
            axes.plot([claimed, claimed], [row - 0.32, row + 0.32], color="0.3", lw=1.6)
        for rule, shift in MARKS.items():
            line = exponent(curves[method, rule])
            axes.errorbar(
                line.slope,
                row + shift,
                xerr=[[line.slope - line.low], [line.high - line.slope]],
                color=look.color,
                marker=look.marker,
                markerfacecolor=look.color if rule == "theory" else "white",
                linestyle="",
                capsize=2,
            )
    labels = [style.look(method).label.replace(" (exact energy)", "") for method in methods]
    axes.set_yticks(range(len(methods)), labels[::-1])
    axes.set(xlabel="exponent in $d$", xlim=(0, 2.2), ylim=(-0.6, len(methods) - 0.4))


def draw(frame: pd.DataFrame) -> Figure:
    """Costs at the theory's and at the best step, and the exponents fitted to them."""
    curves = costs(frame)
    figure, axes = plt.subplots(
        1, 3, figsize=(style.DOUBLE, 2.8), gridspec_kw={"width_ratios": [1, 1, 0.9]}
    )
    draw_costs(axes[0], curves, "theory")
    draw_costs(axes[1], curves, "optimised")
    axes[0].set(title="theory's step", ylabel=f"evaluations to TV {EPS:g}")
    axes[1].set(title="optimised step")
    for panel, rule in zip(axes[:2], MARKS, strict=True):
        draw_guides(panel, {key: rows for key, rows in curves.items() if key[1] == rule})
    draw_exponents(axes[2], curves)
    axes[2].set(title="fitted, and bound (bar)")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5)
    return figure


if __name__ == "__main__":
    job.plot(draw)
