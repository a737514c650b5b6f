"""DPM-Solver++(3M): its order on a Gaussian, its weights by quadrature, and its start."""

import numpy as np
import pytest

from rtk import DPMSolverPP2M, DPMSolverPP3M
from tests.rtk.samplers.flow import errors, forced, integral, slopes


def test_order_on_a_gaussian() -> None:
    found = slopes(errors(DPMSolverPP3M(), [80, 160, 320]))
    np.testing.assert_allclose(found, 3, atol=0.15)


def test_third_order_is_worth_it() -> None:
    for second, third in zip(
        errors(DPMSolverPP2M(), [80, 160]), errors(DPMSolverPP3M(), [80, 160]), strict=True
    ):
        assert third < 0.4 * second


@pytest.mark.parametrize("levels", [(-1.0, 0.2, 0.9, 1.3), (-1.0, -0.4, 0.3, 1.3)])
def test_quadratic_estimates_are_integrated_exactly(levels: tuple[float, ...]) -> None:
    """From the third segment on; the two before have the orders 1 and 2."""
    coefficients = (0.7, -1.1, 0.6)
    ends = forced(DPMSolverPP3M(), coefficients, levels)
    constant = integral((float(np.polyval(coefficients, levels[0])),), levels[0], levels[1])
    assert ends[0] == pytest.approx(constant, abs=1e-12)
    assert ends[2] - ends[1] == pytest.approx(
        integral(coefficients, levels[2], levels[3]), abs=1e-12
    )


def test_second_segment_is_that_of_two_steps() -> None:
    levels = (-1.0, 0.2, 0.9)
    coefficients = (0.7, -1.1, 0.6)
    two, three = (
        forced(sampler, coefficients, levels) for sampler in (DPMSolverPP2M(), DPMSolverPP3M())
    )
    assert three == pytest.approx(two, abs=1e-13)


@pytest.mark.parametrize(
    ("levels", "order"),
    [((-1.0, -0.5, 0.0, 0.9), 3), ((-1.0, -0.7, 0.0, 0.9), 2), ((-1.0, -0.1, 0.0, 0.9), 1)],
)
def test_estimates_behind_a_short_segment_are_left_out(
    levels: tuple[float, ...], order: int
) -> None:
    """Only the coefficient of degree ``order`` and above is integrated wrongly."""
    for degree in range(3):
        coefficients = (1.0, *[0.0] * degree)
        # The two-step solver halves the slope times h, which is not the integral of a line.
        if order == 2 and degree == 1:
            continue
        ends = forced(DPMSolverPP3M(), coefficients, levels)
        exact = integral(coefficients, levels[2], levels[3])
        assert (abs(ends[2] - ends[1] - exact) < 1e-12) == (degree < order)
