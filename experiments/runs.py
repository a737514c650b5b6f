"""What the experiments A1, B8 and C1 report in the same way of every run of a sampler."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import rtk
from rtk.metrics import Estimate
from rtk.score import Score
from rtk.targets.base import Target

PICTURE = (0, 1)
"""The coordinates of a sample that are written for the figures."""


def seed_name(method: str) -> str:
    """The name of a method in the seeds of its runs.

    It is the method's own name, except that DPM-Solver++(2M) was called ``dpmpp-2m`` when its
    results were first drawn. The old name keeps the random numbers of these results.
    """
    return "dpmpp-2m" if method == "dpm++2m" else method


def needed_densities(target: Target, options: Mapping[str, Any], score: Score) -> dict[str, Any]:
    """The densities of the target that `rtk.sample` needs, if the sampler takes exact energies.

    One pass has both only where ``score`` is the target's own, not one with an error.
    """
    if options.get("energy") != "exact":
        return {}
    if score != target.score:
        return {"log_prob": target.log_prob}
    return {"log_prob": target.log_prob, "score_and_log_prob": target.score_and_log_prob}


def over_replicates(judged: Sequence[Mapping[str, Estimate]]) -> dict[str, Estimate]:
    """Metric -> its mean over independent sets of samples, and the standard error of that mean.

    Args:
        judged: the metrics of each set, with the same names.
    """
    return {
        name: Estimate.of_replicates([metrics[name].value for metrics in judged])
        for name in judged[0]
    }


def mean_acceptance(diagnostics: rtk.Diagnostics) -> float:
    """Mean acceptance over the inner steps of all segments, or NaN if no step is adjusted."""
    chains = [s for s in diagnostics.segments if s.acceptance is not None]
    steps = sum(s.inner_steps for s in chains)
    return sum((s.acceptance or 0.0) * s.inner_steps for s in chains) / steps if steps else math.nan
