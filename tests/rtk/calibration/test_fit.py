"""Least squares with a ridge, against NumPy's on the stacked equations."""

import numpy as np
import pytest
import torch

from rtk.calibration.fit import RIDGE, coefficients, regression
from rtk.calibration.moments import Moments
from tests.oracles import Array
from tests.rtk.calibration.cases import skewed_moments

LEVELS, POINTS = 5, 40


def invented(seed: int = 0) -> tuple[Array, Array, Moments]:
    """Residuals r (L, points) and integrals S (L + 1, points) of a base without width."""
    random = np.random.default_rng(seed)
    r = np.cumsum(random.standard_normal((LEVELS, POINTS)), 0)
    s = np.cumsum(random.standard_normal((LEVELS + 1, POINTS)) + np.vstack([r, r[-1:]]), 0)
    changes = s[:, None] - s[None, :LEVELS]
    return (
        r,
        s,
        Moments(
            np.array([8.0, 4.0, 2.0, 1.0, 0.5, 0.0]),
            r @ r.T / POINTS,
            np.einsum("kip,ap->kia", changes, r) / POINTS,
            np.square(changes).mean(2),
        ),
    )


def ridge_lstsq(rows: Array, target: Array) -> Array:
    """The minimiser of ``|target - k rows|^2 + RIDGE sum_j |rows_j|^2 k_j^2``."""
    penalty = np.sqrt(RIDGE) * np.diag(np.linalg.norm(rows, axis=1))
    matrix = np.hstack([rows, penalty]).T
    return np.linalg.lstsq(matrix, np.concatenate([target, np.zeros(len(rows))]), rcond=None)[0]


@pytest.mark.parametrize("known", [[2], [3, 1], [4, 2, 1, 0]])
def test_coefficients(known: list[int]) -> None:
    r, s, moments = invented()
    k, left = coefficients(moments, 1, LEVELS, known)
    target = s[LEVELS] - s[1]
    expected = ridge_lstsq(r[known], target)
    np.testing.assert_allclose(k, expected, rtol=1e-9)
    assert left == pytest.approx(np.square(target - expected @ r[known]).mean(), rel=1e-9)


def test_regression_is_the_same_fit_of_tensors() -> None:
    r, s, moments = invented(1)
    residuals = [torch.from_numpy(row.reshape(8, 5)) for row in r]
    change = torch.from_numpy((s[3] - s[2]).reshape(8, 5))
    known = [2, 1]
    expected, _ = coefficients(moments, 2, 3, known)
    found = regression(change, [residuals[j] for j in known])
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_a_residual_that_vanishes_gets_no_weight() -> None:
    """As on a Gaussian, where the base explains everything."""
    zero = torch.zeros(4, 3, dtype=torch.float64)
    assert regression(zero, [zero, zero]) == (0.0, 0.0)


def test_more_residuals_leave_less() -> None:
    moments = skewed_moments()
    left = [coefficients(moments, 9, 15, [9, 6, 4][:h])[1] for h in (1, 2, 3)]
    assert left[0] > left[1] > left[2] >= 0.0
