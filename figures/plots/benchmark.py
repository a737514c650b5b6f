"""D1: processor time of one chain-step against the number of chains, beside other libraries."""

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.benchmark.table import read
from experiments.workflow import job
from figures import style
from figures.analysis.benchmark import LABELS, per_round, spread
from figures.analysis.frames import where

COLORS = {
    "rtk-mala": style.look("rtk-mala").color,
    "rtk-uld": style.look("rtk-uld").color,
    "blackjax": style.look("ddpm").color,
    "diffrax": style.look("dpm++2m").color,
}
"""By the first words of a variant's name."""
FORMS = {"workers": (":", "s"), "compile": ("-", "*"), "float64": (":", "x")}
"""Line and marker by the last word of a variant's name; a plain variant has circles."""


def line(variant: str) -> dict[str, Any]:
    """Keywords of `Axes.errorbar` for a variant."""
    family = next(name for name in COLORS if variant.startswith(name))
    form = variant.removeprefix(family).removeprefix("-")
    linestyle, marker = FORMS.get(form, ("--", "o"))
    return {
        "label": LABELS[variant],
        "color": COLORS[family],
        "linestyle": linestyle,
        "marker": marker,
    }


def draw_case(axes: Axes, frame: pd.DataFrame, components: int, dimension: int) -> None:
    """Draw all variants on one kernel: medians, with the range over the rounds as bars."""
    case = where(frame, part="chains", components=components, dimension=dimension)
    sizes = sorted(case["n"].unique())
    for variant in LABELS:
        points = [spread(per_round(case, "cpu_ns", variant=variant, n=n)) for n in sizes]
        middle = [point.median for point in points]
        below = [point.median - point.low for point in points]
        above = [point.high - point.median for point in points]
        axes.errorbar(sizes, middle, (below, above), elinewidth=0.8, **line(variant))
    axes.set(xscale="log", yscale="log", xlabel="chains")
    axes.set_title(f"{components} components, $d$ = {dimension}")


def draw(frame: pd.DataFrame) -> Figure:
    """The figure of the benchmark: one panel per kernel."""
    chains = where(frame, part="chains")
    kernels = chains[["components", "dimension"]].drop_duplicates().sort_values("dimension")
    figure, axes = plt.subplots(1, len(kernels), figsize=(style.DOUBLE, 2.9))
    for panel, (components, dimension) in zip(axes, kernels.to_numpy(), strict=True):
        draw_case(panel, frame, components, dimension)
    axes[0].set_ylabel("CPU time per chain-step (ns)")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


def main() -> None:
    snakemake = job.start()
    style.use()
    style.save(draw(read(snakemake.input.measured)), snakemake.output.pdf)


if __name__ == "__main__":
    main()
