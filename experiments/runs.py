"""What the experiments A1, B8 and C1 report in the same way of every run of a sampler."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor

import rtk
from rtk.metrics import Estimate

PICTURE = (0, 1)
"""The coordinates of a sample that are written for the figures."""


def seed_name(method: str) -> str:
    """The name of a method in the seeds of its runs.

    It is the method's own name, except that DPM-Solver++(2M) was called ``dpmpp-2m`` when its
    results were first drawn. The old name keeps the random numbers of these results.
    """
    return "dpmpp-2m" if method == "dpm++2m" else method


CALIBRATED = ("calibrated", "rtk")
"""The methods that are calibrated once for a score, and then used at all numbers of scores."""


def needed_log_prob(target: Any, options: Mapping[str, Any]) -> Callable[..., Tensor] | None:
    """The target's ``log_prob`` if the sampler of these options needs it for exact energies."""
    log_prob: Callable[..., Tensor] = target.log_prob
    return log_prob if options.get("energy") == "exact" else None


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
