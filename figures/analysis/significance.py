"""Which method is ahead in which cases, decided by the scatter between runs or by errors."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
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


def below_best(
    method: str, value: pd.DataFrame, error: pd.DataFrame, rivals: Sequence[str]
) -> NDArray[np.float64]:
    """How far a method is below the best rival, in standard errors of the difference, (cases,).

    The best rival, with the smallest value, may be another one in each case.

    Args:
        method: the column of the method.
        value, error: values and their standard errors, a row for each case, a column for each
            method.
        rivals: the columns of the rivals.
    """
    best = value[[*rivals]].to_numpy(float)
    place = np.arange(len(value)), best.argmin(axis=1)
    best_error = error[[*rivals]].to_numpy(float)[place]
    own, own_error = (frame[method].to_numpy(float) for frame in (value, error))
    return np.asarray((best[place] - own) / np.hypot(own_error, best_error))
