"""B8: the targets that are not Gaussian mixtures, with their names and metrics in print."""

from typing import NamedTuple


class Panel(NamedTuple):
    """The name of a target in print, and its metrics with their labels, the judging one first."""

    title: str
    metrics: dict[str, str]


PANELS = {
    "funnel": Panel("funnel", {"neck_tv": "TV of $x_1$", "scale_tv": "TV of scale given $x_1$"}),
    "many_well": Panel(
        "many-well", {"well_tv": "TV of well weights", "marginal_tv": "TV of $x_1$"}
    ),
    "rings": Panel("rings", {"radial_tv": "TV of the radius", "ring_tv": "TV of ring weights"}),
    "student": Panel(
        "Student's $t$", {"radial_tv": "TV of the radius", "tail_tv": "error of $P$(tail)"}
    ),
}
"""The targets in print, by the name that each has in results."""

PRIMARY = {target: next(iter(panel.metrics)) for target, panel in PANELS.items()}
"""The metric that each target is judged by. It was chosen before any sampler had run."""
