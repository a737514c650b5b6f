"""Lines and power laws against data that follow them, and the coverage of the interval."""

import numpy as np
import pytest

from figures.analysis import fit


def test_power_law_of_exact_data() -> None:
    x = np.array([1.0, 2.0, 4.0, 8.0])
    found = fit.power_law(x, 3.0 * x**-0.5)
    assert found.slope == pytest.approx(-0.5)
    assert np.exp(found.intercept) == pytest.approx(3.0)
    assert found.r_squared == pytest.approx(1.0)
    assert found.low == pytest.approx(found.high)


def test_numbers_are_the_slope_and_its_interval() -> None:
    line = fit.Line(slope=1.0, low=0.5, high=2.0, intercept=7.0, r_squared=0.9)
    assert line.numbers("x_y") == {"x_y": 1.0, "x_y_low": 0.5, "x_y_high": 2.0}


def test_interval_covers_the_slope_nineteen_times_in_twenty() -> None:
    """4000 lines of 8 points: standard error of the coverage .0034; 5 of them, seed fixed."""
    generator = np.random.default_rng(0)
    x = np.linspace(0.0, 1.0, 8)
    lines = [fit.line(x, 2.0 * x + generator.normal(size=8)) for _ in range(4000)]
    covered = np.mean([found.low <= 2.0 <= found.high for found in lines])
    assert covered == pytest.approx(0.95, abs=5 * 0.0034)


def test_what_is_no_line() -> None:
    with pytest.raises(ValueError, match="three or more"):
        fit.line([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="finite"):
        fit.line([1.0, 2.0, 3.0], [1.0, np.nan, 2.0])
    with pytest.raises(ValueError, match="positive"):
        fit.power_law([1.0, 2.0, 3.0], [1.0, 0.0, 2.0])
