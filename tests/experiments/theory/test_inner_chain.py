"""B3, one segment: what the claims say of floors, and that a reversal would show in the numbers."""

import pandas as pd
import pytest

from experiments.theory import inner_chain
from figures.tables import inner_chain as table

STEPS = [0.1, 0.2, 0.4]


def floors(value: dict[str, list[float]]) -> pd.DataFrame:
    return pd.DataFrame(value, index=STEPS).T


def test_splittings_are_of_second_order_and_the_papers_integrator_of_first() -> None:
    quoted = table.floor_numbers(
        floors(
            {
                name: [inner_chain.gaussian_floor(method, step) for step in STEPS]
                for method, name in (("rtk-uld", "uld"), ("rtk-uld-obabo", "obabo"))
            }
        )
    )
    assert quoted["uld_floor_power"] == pytest.approx(1.0, abs=0.05)
    assert quoted["obabo_floor_power"] == pytest.approx(2.0, abs=0.05)


def test_baoab_has_no_floor_on_a_gaussian() -> None:
    assert inner_chain.gaussian_floor("rtk-uld-baoab", 0.4) < 1e-7


def test_metropolis_with_exact_energies_has_no_floor() -> None:
    paths = inner_chain.modes_paths(0.0, [0.4], 40, 200)
    path, floor = paths["rtk-mala", 0.4]
    assert floor < 1e-12
    assert path[40] < 1e-3 * path[0]
    assert paths["rtk-ula", 0.4][1] > paths["rtk-mala-taylor", 0.4][1] > 1e-3


def test_a_floor_of_rounding_has_no_order() -> None:
    quoted = table.floor_numbers(floors({"exact": [1e-15, 2e-15, 1e-15], "ula": [0.1, 0.2, 0.4]}))
    assert "exact_floor_power" not in quoted
    assert quoted["exact_floor"] == 1e-15
    assert quoted["ula_floor_power"] == pytest.approx(1.0)
    # A floor that grew as the step shrank would show.
    assert table.floor_numbers(floors({"ula": [0.4, 0.2, 0.1]}))[
        "ula_floor_power"
    ] == pytest.approx(-1.0)
