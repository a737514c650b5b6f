"""Which of two methods is ahead in which cases, decided by the scatter between runs."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

SIGNIFICANCE = 0.05
LEAST_SPREAD = 1e-6


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """p-values adjusted so that the family-wise error rate is controlled (Holm 1979)."""
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values)
    steps = values[order] * np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def signs(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Of each case 1 if the first method's mean is above the second's, -1 if below, else 0.

    A case is decided if Welch's t-test rejects that the means over runs are equal, at 5 % after
    Holm's correction over all cases.

    Args:
        first, second: values of the two methods, shape (cases, runs).

    Returns:
        The signs, shape (cases,).
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    # Runs that are the same to the last digit have no scatter, which no test can use.
    spread_a, spread_b = (np.maximum(part.std(1, ddof=1), LEAST_SPREAD) for part in (a, b))
    p = stats.ttest_ind_from_stats(
        a.mean(1), spread_a, a.shape[1], b.mean(1), spread_b, b.shape[1], equal_var=False
    ).pvalue
    decided = holm(np.nan_to_num(p, nan=1.0)) < SIGNIFICANCE
    return np.where(decided, np.sign(a.mean(1) - b.mean(1)), 0.0)
