"""Ratios of the benchmark are taken round by round, of the right variant over the right rival."""

import pandas as pd
import pytest

from figures.analysis import benchmark


def frame() -> pd.DataFrame:
    """Our chains take 100, 200 and 400 ns; the rival takes 3, 2 and 4 times as long."""
    case = {"part": "chains", "components": 6, "dimension": 10, "n": 10_000, "metric": "cpu_ns"}
    times = {"rtk-mala": (100.0, 200.0, 400.0), "blackjax": (300.0, 400.0, 1600.0)}
    return pd.DataFrame(
        [
            case | {"variant": variant, "round": k, "value": value}
            for variant, values in times.items()
            for k, value in enumerate(values)
        ]
    )


CASE = {"components": 6, "dimension": 10, "n": 10_000}


def test_speed_is_the_time_of_the_rival_over_ours_in_each_round() -> None:
    found = benchmark.speedup(frame(), "rtk-mala", "blackjax", "cpu_ns", **CASE)
    assert found == (3.0, 2.0, 4.0)


def test_a_case_that_was_not_timed_or_timed_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match="one case"):
        benchmark.speedup(frame(), "rtk-uld", "blackjax", "cpu_ns", **CASE)
    with pytest.raises(ValueError, match="one case"):
        benchmark.per_round(pd.concat([frame(), frame()]), "cpu_ns", variant="rtk-mala")


def test_cases_have_at_least_the_asked_chains() -> None:
    assert benchmark.cases(frame(), 10_000) == [CASE]
    assert benchmark.cases(frame(), 10_001) == []


def test_growth_is_the_time_at_the_largest_over_that_at_the_smallest() -> None:
    base = {"part": "growth", "metric": "cpu_ns", "variant": "rtk-uld", "components": 6}
    rows = [
        base | {"dimension": 10, "steps": 20, "value": 50.0},
        base | {"dimension": 300, "steps": 20, "value": 1000.0},
        base | {"dimension": 300, "steps": 40, "value": 7.0},
    ]
    assert benchmark.growth(pd.DataFrame(rows), "rtk-uld", dimension=(10, 300)) == 20.0
