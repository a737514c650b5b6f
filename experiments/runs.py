"""What the experiments A1, B8 and C1 keep and report of every run of a sampler."""

import math

import rtk

PICTURE = (0, 1)
"""The coordinates of a sample that are kept for the pictures."""


def mean_acceptance(diagnostics: rtk.Diagnostics) -> float:
    """Mean acceptance over the inner steps of all segments; NaN without a Metropolis chain."""
    chains = [s for s in diagnostics.segments if s.acceptance is not None]
    steps = sum(s.inner_steps for s in chains)
    return sum((s.acceptance or 0.0) * s.inner_steps for s in chains) / steps if steps else math.nan
