"""C3: errors of RTK samplers by a score network, by an energy network and by the exact score.

A row for each target, a column for the least and the largest number of score evaluations. An energy
network has exact energies; a score network has none.
"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import job, style
from figures.analysis.energy_networks import NETWORKS, budgets, errors, primary

LOOKS = {"score": ("#0072B2", "o"), "energy": ("#D55E00", "s"), "exact": ("#000000", "x")}
"""Colour and marker of each network."""
APART = 0.22
"""Vertical distance of the networks of one sampler."""


def draw_errors(axes: Axes, rows: pd.DataFrame) -> None:
    """One line of points for each sampler, from above in the order of the style."""
    present = {*rows["method"]}
    methods = [method for method in reversed(style.METHODS) if method in present]
    for k, (network, label) in enumerate(NETWORKS.items()):
        own = rows[rows["network"] == network]
        if own.empty:
            continue
        color, marker = LOOKS[network]
        heights = [methods.index(method) - APART * (k - 1) for method in own["method"]]
        axes.errorbar(
            own["value"],
            heights,
            xerr=own["standard_error"],
            color=color,
            marker=marker,
            linestyle="",
            label=label,
        )
    axes.set_yticks(range(len(methods)), [style.look(method).label for method in methods])
    axes.set_xscale("log")


def draw(frame: pd.DataFrame) -> Figure:
    """The figure."""
    targets = [*frame["target"].unique()]
    figure, axes = plt.subplots(
        len(targets),
        2,
        figsize=(style.DOUBLE, 1.45 * len(targets) + 0.4),
        sharey="row",
        sharex="row",
        squeeze=False,
    )
    for line, target in zip(axes, targets, strict=True):
        for panel, nfe in zip(line, [budgets(frame, target)[k] for k in (0, -1)], strict=True):
            draw_errors(panel, errors(frame, target, nfe))
            panel.set_xlabel(primary(target)[1])
            panel.set_title(f"{'MNIST' if target == 'mnist' else target}, NFE {nfe}")
    entries: dict[str, Artist] = {}
    for panel in axes.flat:
        handles, labels = panel.get_legend_handles_labels()
        entries |= dict(zip(labels, handles, strict=True))
    figure.legend([*entries.values()], [*entries], loc="outside lower center", ncols=3)
    return figure


if __name__ == "__main__":
    job.plot(draw)
