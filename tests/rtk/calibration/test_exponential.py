"""The weights of an exponential step against adaptive quadrature."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from rtk.calibration import exponential
from tests.oracles import DOUBLE

VARIANCES = [0.0, 1e-6, 0.04, 1.0, 30.0, 1e5]


def lagrange(levels: list[float], j: int, u: float) -> float:
    others = [level for k, level in enumerate(levels) if k != j]
    return math.prod((u - other) / (levels[j] - other) for other in others)


@pytest.mark.parametrize("levels", [[0.4], [0.4, 0.9], [-0.1, 0.4, 0.9], [-0.1, 0.4, 0.9, 1.3]])
@pytest.mark.parametrize("ends", [(0.4, -0.1), (-0.1, 0.4), (5.0, 4.5), (-6.0, -6.06)])
def test_weights_are_integrals(levels: list[float], ends: tuple[float, float]) -> None:
    """``-int L_j / (c + e^2u)^(1/2) du``, for variances from none to wide."""
    found = exponential.weights(*ends, levels, torch.tensor(VARIANCES, dtype=DOUBLE)).numpy()
    for j in range(len(levels)):
        for place, c in enumerate(VARIANCES):

            def integrand(u: float, j: int = j, c: float = c) -> float:
                return -lagrange(levels, j, u) / math.sqrt(c + math.exp(2.0 * u))

            expected = quad(integrand, *ends, epsabs=1e-13, epsrel=1e-12)[0]
            assert found[j, place] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_residual_that_is_a_polynomial_is_integrated_exactly() -> None:
    levels = np.array([0.0, 0.3, 0.5, 0.9])
    weights = exponential.weights(0.9, 0.2, [*levels], torch.tensor([0.7], dtype=DOUBLE)).numpy()
    cubic = np.polynomial.Polynomial([1.0, 2.0, 0.0, -1.0])
    exact = quad(lambda u: -cubic(u) / math.sqrt(0.7 + math.exp(2.0 * u)), 0.9, 0.2)[0]
    assert float(cubic(levels) @ weights[:, 0]) == pytest.approx(exact, rel=1e-10)
