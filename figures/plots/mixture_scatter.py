"""A1: samples in their first two coordinates; samplers in columns, score evaluations in rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from figures import job, panels
from figures.analysis.mixtures import shown_budgets

SHOWN = ("ddpm", "ddim", "dpm++2m", "rtk-uld", "rtk-mala")
POINTS = 2500


def draw(samples: Mapping[str, Mapping[str, Any]], nfe: Sequence[int]) -> Figure:
    """The figure of one mixture, from its exact sample and the samples of each method."""
    budgets = shown_budgets(nfe)
    columns = ["exact", *(method for method in SHOWN if method in samples)]
    return panels.draw_samples(samples, columns, budgets, POINTS, height=1.2 * len(budgets) + 0.5)


if __name__ == "__main__":
    job.plot(draw)
