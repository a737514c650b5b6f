"""Lines and power laws, fitted to data that follow them, and the coverage of the interval."""

import numpy as np
import pytest

from figures.analysis import fit


def test_power_law_of_exact_data() -> None:
    x = np.array([1.0, 2.0, 4.0, 8.0])
    fitted = fit.power_law(x, 3.0 * x**-0.5)
    assert fitted.slope == pytest.approx(-0.5)
    assert np.exp(fitted.intercept) == pytest.approx(3.0)
    assert fitted.r_squared == pytest.approx(1.0)
    assert fitted.low == pytest.approx(fitted.high)
    assert fitted.power(16.0) == pytest.approx(0.75)


def test_numbers_are_the_slope_and_its_interval() -> None:
    line = fit.Line(slope=1.0, low=0.5, high=2.0, intercept=7.0, r_squared=0.9)
    assert line.numbers("x_y") == {"x_y": 1.0, "x_y_low": 0.5, "x_y_high": 2.0}


def test_interval_covers_the_slope_nineteen_times_in_twenty() -> None:
    """The standard error of the coverage of 4000 lines is .0034, and 5 of them are allowed.

    The seed is fixed.
    """
    generator = np.random.default_rng(0)
    x = np.linspace(0.0, 1.0, 8)
    lines = [fit.line(x, 2.0 * x + generator.normal(size=8)) for _ in range(4000)]
    covered = np.mean([fitted.low <= 2.0 <= fitted.high for fitted in lines])
    assert covered == pytest.approx(0.95, abs=5 * 0.0034)


def test_points_without_a_line_are_refused() -> None:
    with pytest.raises(ValueError, match="three or more"):
        fit.line([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="finite"):
        fit.line([1.0, 2.0, 3.0], [1.0, np.nan, 2.0])
    with pytest.raises(ValueError, match="positive"):
        fit.power_law([1.0, 2.0, 3.0], [1.0, 0.0, 2.0])
