"""The dynamic programme against all plans of a small problem."""

import itertools

import numpy as np
import pytest

from rtk.calibration import nodes
from rtk.calibration.fit import coefficients
from rtk.calibration.moments import Moments
from tests.rtk.calibration.cases import skewed_moments
from tests.rtk.calibration.test_fit import LEVELS, invented


def cost(moments: Moments, plan: tuple[int, ...], width: float, beta: float) -> float:
    """The weighted mean square that is left over the steps of a plan, step by step."""
    end = len(moments.sigmas) - 1
    path = [0, *plan, end]
    total = 0.0
    for j, (here, after) in enumerate(itertools.pairwise(path)):
        known = [path[1]] if j == 0 else path[j : max(0, j - 2) : -1]
        left = coefficients(moments, here, after, known)[1]
        total += (moments.sigmas[after] ** 2 + width) ** -beta * left
    return total


@pytest.mark.parametrize("beta", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("count", range(1, LEVELS))
def test_no_plan_is_better(count: int, beta: float) -> None:
    for seed in range(5):
        _, _, moments = invented(seed)
        plans = list(itertools.combinations(range(1, LEVELS), count))
        costs = [cost(moments, plan, 0.1, beta) for plan in plans]
        chosen = nodes.choose(moments, count, 0.1, beta)
        # The ridge of a single residual is left out of the search; that changes costs by 1e-10.
        assert cost(moments, tuple(chosen), 0.1, beta) == pytest.approx(min(costs), rel=1e-8)


@pytest.mark.parametrize("count", [1, 2])
def test_no_plan_is_better_for_a_mixture(count: int) -> None:
    moments = skewed_moments()
    plans = list(itertools.combinations(range(1, len(moments.sigmas) - 1), count))
    best = min(cost(moments, plan, 0.1, 0.5) for plan in plans)
    chosen = nodes.choose(moments, count, 0.1, 0.5)
    assert cost(moments, tuple(chosen), 0.1, 0.5) == pytest.approx(best, rel=1e-6)


def test_as_many_nodes_as_levels() -> None:
    levels = len(skewed_moments().sigmas) - 1
    assert nodes.choose(skewed_moments(), levels - 1, 0.1, 0.5) == [*range(1, levels)]


def test_two_residuals_leave_what_the_fit_leaves() -> None:
    _, _, moments = invented(3)
    table = nodes.two_residuals(moments)
    for before, current, after in np.ndindex(table.shape):
        if 1 <= before < current < after:
            left = coefficients(moments, current, after, [current, before])[1]
            assert table[before, current, after] == pytest.approx(left, rel=1e-6, abs=1e-9)
        else:
            assert table[before, current, after] == np.inf
