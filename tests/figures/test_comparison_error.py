"""A2 under errors of the score: cells, ratios and counts of a table with a known answer."""

import itertools
from collections.abc import Mapping

import pandas as pd
import pytest

from figures.tables import comparison_error as table

FLOOR = pd.DataFrame(
    {"target": ["a", "b"], "metric": "mode_error", "batch": 0, "value": [0.1, 0.1]}
)


def frame(errors: Mapping[str, float], wrong: Mapping[str, float]) -> pd.DataFrame:
    """Errors of methods, with an exact score and with an error of 0.1, on two targets."""
    rows = [
        {
            "target": target,
            "error": "none" if size == 0.0 else "smooth",
            "size": size,
            "nfe_asked": 10,
            "method": method,
            "metric": "mode_error",
            "batch": 0,
            "value": value,
        }
        for target, (size, values) in itertools.product("ab", ((0.0, errors), (0.1, wrong)))
        for method, value in values.items()
    ]
    return pd.DataFrame(rows)


def test_ratios_are_of_excesses_over_the_best_rival() -> None:
    exact = {"dpm++2m": 0.2, "unipc-3": 0.3, "ddpm": 0.5, "calibrated": 0.11, "rtk": 0.11}
    wrong = {"dpm++2m": 0.4, "unipc-3": 0.3, "ddpm": 0.25, "calibrated": 0.35, "rtk": 0.2}
    found = table.numbers(frame(exact, wrong), FLOOR)
    assert found["cells_exact"] == found["cells_wrong"] == found["cells_size_10"] == 2
    assert found["rtk_exact_over_deterministic_median"] == pytest.approx(0.1)
    assert found["rtk_size_10_over_deterministic_median"] == pytest.approx(0.1 / 0.2)
    assert found["rtk_size_10_over_stochastic_median"] == pytest.approx(0.1 / 0.15)
    assert found["rtk_wrong_both"] == 1.0
    assert found["calibrated_wrong_better_than_deterministic"] == 0.0
    assert found["calibrated_wrong_both"] == 0.0
    assert found["rtk_over_calibrated_size_10_median"] == pytest.approx(0.1 / 0.25)


def test_table_is_in_floors() -> None:
    made = table.table(frame({"ddpm": 0.2}, {"ddpm": 0.4}), FLOOR).set_index("method")
    assert made.loc["DDPM"].to_dict() == {"exact score": 2.0, "smooth 0.1": 4.0}
