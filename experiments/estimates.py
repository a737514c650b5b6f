"""Means of estimates, with their standard errors."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from rtk.metrics import Estimate


def of_replicates(values: ArrayLike) -> Estimate:
    """Mean of independent values and its standard error."""
    values = np.asarray(values, dtype=float)
    return Estimate(float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values))))


def of_one_sample(parts: Sequence[Estimate]) -> Estimate:
    """Mean of estimates that come from the same samples: their errors may add up.

    The standard error is at most the mean of theirs, which is what is given.
    """
    return Estimate(
        sum(part.value for part in parts) / len(parts),
        sum(part.standard_error for part in parts) / len(parts),
    )
