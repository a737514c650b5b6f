"""A4: samples of tuned samplers in their first two coordinates; score evaluations in rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from figures import job, panels
from figures.analysis.comparison import HIGHLIGHTED

POINTS = 2000


def draw(samples: Mapping[str, Mapping[str, Any]], nfe: Sequence[int]) -> Figure:
    """The figure, from the samples of each method by number of score evaluations."""
    columns = ["exact", *(method for method in HIGHLIGHTED if method in samples)]
    return panels.draw_samples(
        samples, columns, nfe, POINTS, height=6.4 / len(columns) * len(nfe) + 0.8
    )


if __name__ == "__main__":
    job.plot(draw)
