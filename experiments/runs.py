"""What the experiments A1, B8 and C1 report in the same way of every run of a sampler."""

import math

import rtk

PICTURE = (0, 1)
"""The coordinates of a sample that are written for the figures."""


def seed_name(method: str) -> str:
    """The name of a method in the seeds of its runs.

    It is the method's own name, except that DPM-Solver++(2M) was called ``dpmpp-2m`` when its
    results were first drawn. The old name keeps the random numbers of these results.
    """
    return "dpmpp-2m" if method == "dpm++2m" else method


def mean_acceptance(diagnostics: rtk.Diagnostics) -> float:
    """Mean acceptance over the inner steps of all segments, or NaN if no step is adjusted."""
    chains = [s for s in diagnostics.segments if s.acceptance is not None]
    steps = sum(s.inner_steps for s in chains)
    return sum((s.acceptance or 0.0) * s.inner_steps for s in chains) / steps if steps else math.nan
