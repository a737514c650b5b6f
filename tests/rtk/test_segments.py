import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtk import process, segments

EXAMPLES = settings(max_examples=50, deadline=None, derandomize=True)
COUNTS = st.integers(1, 300)


def lengths(times: segments.Times) -> list[float]:
    return [hi - lo for hi, lo in itertools.pairwise(times)]


@EXAMPLES
@given(COUNTS, st.floats(0.5, 10.0), st.floats(0.0, 0.4))
def test_uniform(count: int, t_start: float, t_end: float) -> None:
    times = segments.uniform(count, t_start, t_end)
    assert len(times) == count + 1
    assert (times[0], times[-1]) == (t_start, t_end)
    np.testing.assert_allclose(lengths(times), (t_start - t_end) / count, rtol=1e-9)


@EXAMPLES
@given(COUNTS, st.floats(0.5, 10.0), st.floats(1e-6, 0.4))
def test_log_snr(count: int, t_start: float, t_end: float) -> None:
    times = segments.log_snr(count, t_start, t_end)
    assert len(times) == count + 1
    assert (times[0], times[-1]) == (t_start, t_end)
    values = [process.log_snr(t) for t in times]
    np.testing.assert_allclose(np.diff(values), (values[-1] - values[0]) / count, rtol=1e-6)


@EXAMPLES
@given(COUNTS, st.floats(0.5, 10.0), st.floats(0.0, 0.4), st.floats(1.0, 4.0))
def test_power(count: int, t_start: float, t_end: float, exponent: float) -> None:
    times = segments.power(count, t_start, t_end, exponent)
    assert len(times) == count + 1
    assert times[0] == pytest.approx(t_start)
    assert times[-1] == t_end
    roots = ((np.array(times) - t_end) / (t_start - t_end)) ** (1 / exponent)
    np.testing.assert_allclose(np.diff(roots), -1 / count, atol=1e-6)
    # Segments shorten towards the clean end.
    assert all(a >= b * (1 - 1e-6) for a, b in itertools.pairwise(lengths(times)))


@EXAMPLES
@given(COUNTS, st.floats(0.5, 10.0), st.floats(1e-6, 0.4), st.floats(1.0, 9.0))
def test_karras(count: int, t_start: float, t_end: float, exponent: float) -> None:
    times = segments.karras(count, t_start, t_end, exponent)
    assert len(times) == count + 1
    assert (times[0], times[-1]) == (t_start, t_end)
    roots = [math.exp(-process.log_snr(t)) ** (1 / exponent) for t in times]
    np.testing.assert_allclose(np.diff(roots), (roots[-1] - roots[0]) / count, rtol=1e-6)


@EXAMPLES
@given(st.floats(1e-3, 1e6))
def test_critical_length_puts_the_tilt_at_twice_the_lipschitz_constant(lipschitz: float) -> None:
    eta = segments.critical_length(lipschitz)
    assert 1 / math.expm1(2 * eta) == pytest.approx(2 * lipschitz, rel=1e-12)


@EXAMPLES
@given(st.floats(0.01, 300.0), st.floats(0.5, 10.0), st.floats(0.0, 0.4))
def test_from_lipschitz_is_just_short_enough(
    lipschitz: float, t_start: float, t_end: float
) -> None:
    times = segments.from_lipschitz(lipschitz, t_start, t_end)
    longest = segments.critical_length(lipschitz)
    assert max(lengths(times)) <= longest * (1 + 1e-9)
    # One segment fewer would be too long.
    fewer = len(times) - 2
    assert fewer == 0 or (t_start - t_end) / fewer > longest * (1 - 1e-9)
    assert (times[0], times[-1]) == (t_start, t_end)


@EXAMPLES
@given(st.sets(st.floats(0.0, 100.0), min_size=2, max_size=20))
def test_check_takes_exactly_the_decreasing_grids(values: set[float]) -> None:
    falling = sorted(values, reverse=True)
    assert segments.check(falling) == tuple(falling)
    with pytest.raises(ValueError, match="decreasing times"):
        segments.check(falling[::-1])
    with pytest.raises(ValueError, match="decreasing times"):
        segments.check([*falling, falling[-1]])


@pytest.mark.parametrize(
    "times",
    [
        [],
        [1.0],
        [1.0, -0.1],
        [2.0, 1.0, -0.1],
        [300.1, 1.0],
        [math.inf, 1.0],
        [1.0, math.nan],
        [math.nan, 1.0],
    ],
)
def test_check_rejects(times: list[float]) -> None:
    with pytest.raises(ValueError, match="two or more decreasing times >= 0"):
        segments.check(times)


@pytest.mark.parametrize("build", [segments.uniform, segments.log_snr, segments.power])
def test_no_segments_rejected(build: object) -> None:
    assert callable(build)
    with pytest.raises(ValueError, match="at least 1, got 0"):
        build(0)


def test_log_snr_cannot_reach_zero() -> None:
    with pytest.raises(ValueError, match="t_end > 0"):
        segments.log_snr(5, t_end=0.0)


@pytest.mark.parametrize("lipschitz", [0.0, -1.0, math.inf, math.nan])
def test_lipschitz_rejected(lipschitz: float) -> None:
    with pytest.raises(ValueError, match="lipschitz must be positive and finite"):
        segments.from_lipschitz(lipschitz)


def test_the_latest_time_is_taken() -> None:
    assert segments.check([segments.LATEST, 1.0]) == (300.0, 1.0)
    assert all(math.isfinite(t) for t in segments.log_snr(5, segments.LATEST))
