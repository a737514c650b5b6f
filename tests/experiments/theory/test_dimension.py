"""B4: closed-form chains against the samplers, costs that are least, and exponents with their sign.

No random numbers.
"""

import math

import numpy as np
import pandas as pd
import pytest

import rtk
from experiments.theory import dimension
from figures.analysis.dimension import costs, exponent
from figures.analysis.frames import where
from figures.tables import dimension as dimension_table
from figures.tables import table_1
from rtk import segments
from rtk.laws import gaussian as gaussian_law
from rtk.laws import grid as grid_law
from rtk.laws import radial
from rtk.laws.affine import sample_law
from rtk.samplers.ddpm import DDPM
from rtk.samplers.reverse_transition import RTKULD

VARIANCES = dimension.VARIANCES
TARGET = rtk.GaussianMixture([1.0], np.full((1, 2), dimension.MEAN), VARIANCES[np.newaxis])


def test_cost_of_ddpm_is_the_least_that_is_enough() -> None:
    """The sampler's own law reaches eps with that many scores, and with one less it does not."""
    count, eps = dimension.solver_nfe("ddpm", 2, 0.1), 0.1

    def tv(scores: int) -> float:
        times = segments.uniform(scores, dimension.product_end_time(2, eps))
        law, _ = sample_law(TARGET.score, 2, DDPM(), scores, segments=times)
        return gaussian_law.tv(law, dimension.PRODUCT)

    assert tv(count) <= eps < tv(count - 1)


def test_cost_of_uld_is_the_sampler_s() -> None:
    eps, step_size = 0.1, 0.4
    counts = dimension.langevin_nfe("rtk-uld", 2, eps, step_size)
    assert counts is not None
    count, inner = counts
    times = segments.from_lipschitz(4.0, dimension.product_end_time(2, eps))
    sampler = RTKULD(step_size=step_size, inner_steps=inner, data_variance=0.25)
    law, spent = sample_law(TARGET.score, 2, sampler, 10_000, segments=times)
    assert spent == count * (inner + 1)
    assert gaussian_law.tv(law, dimension.PRODUCT) <= eps


def test_cost_of_mala_is_the_sampler_s() -> None:
    target = rtk.GaussianMixture([1.0], np.full((1, 4), dimension.MEAN), 0.25)
    (row,) = [
        row
        for _, row in dimension.mala_rows(4, [0.1])
        if (row["rule"], row["start"], row["metric"]) == ("theory", "cold", "nfe")
    ]
    times = segments.from_lipschitz(4.0, dimension.end_time(4 * (1 + 0.25), 0.1))
    result = rtk.sample(
        target.score,
        4,
        2,
        "rtk-mala",
        10_000,
        log_prob=target.log_prob,
        segments=times,
        inner_steps=int(row["inner_steps"]),
        data_variance=0.25,
    )
    assert len(times) - 1 == row["segments"]
    assert result.nfe == row["nfe"]
    # Each segment has its share of eps / 2, and one step less is not enough for that.
    inner, share = int(row["inner_steps"]), 0.1 / (2 * row["segments"])
    path = dimension.radial_path(4, row["step_size"], [0.0], share, 100)
    assert len(path) == inner + 1
    assert path[inner] <= share < path[inner - 1]


def test_a_floor_above_eps_is_never_reached() -> None:
    assert dimension.langevin_nfe("rtk-ula", 64, 0.01, 0.5) is None


def test_mala_from_the_mode_moves_as_it_should() -> None:
    """The first proposal is ``N(0, 2 tau I)``, accepted with ``exp(-tau |z|^2 / 4)``.

    In all ``(1 + tau^2)^(-d/2)``. The cell at the mode is not quite the mode: 1 % allowed.
    """
    d, step_size = 512, 1.0 / 512
    grid = grid_law.Grid(0.0, 30.0, 1000)
    matrix = radial.mala_matrix(grid, d, step_size)
    assert 1.0 - matrix[0, 0] == pytest.approx((1 + step_size**2) ** (-d / 2), rel=0.01)
    radius = matrix[0] @ grid.centres
    assert radius == pytest.approx(math.sqrt(2.0 * step_size * d), rel=0.01)


def rows(method: str, dimensions: list[int]) -> pd.DataFrame:
    table = [row for d in dimensions for row in dimension.measure(method, d, [0.01])]
    return pd.DataFrame(table).assign(
        value=lambda rows: rows["nfe"],
        metric=lambda rows: rows.get("metric", "nfe"),
        start=lambda rows: rows.get("start", ""),
    )


def test_costs_grow_as_claimed_or_slower() -> None:
    """The bounds d^(1/2) and d^2, and the sharp d of MALA's step 1/d; logarithms add to them."""
    uld = costs(rows("rtk-uld", [8, 64, 512]))
    assert 0.45 <= exponent(uld["rtk-uld", "theory"]).slope <= 0.75
    mala = costs(rows("rtk-mala", [2, 8, 32]))
    assert 0.9 <= exponent(mala["rtk-mala", "theory"]).slope <= 1.4
    assert 0.3 <= exponent(mala["rtk-mala", "optimised"]).slope <= 0.7


def test_scores_of_the_flow_with_corrector() -> None:
    """As many as its steps of both kinds on all segments; the bound d^(1/2), and a logarithm."""
    table = rows("dpum", [2, 32, 512])
    assert (table["nfe"] == table["segments"] * table["inner_steps"]).all()
    np.testing.assert_allclose(table["inner_steps"], 2.0 / table["step_size"])
    # T = log(2 (2 * 2.125)^(1/2) / 0.01) = 6.02, in segments of 1/4; 2^(1/2) / 0.01 = 141.4 steps.
    first = where(table, dimension=2, rule="theory", eps=0.01)
    assert first["nfe"].item() == 2 * 142 * 25
    assert 0.5 <= exponent(costs(table)["dpum", "theory"]).slope <= 0.7


def test_numbers_of_exact_power_laws() -> None:
    powers = {"rtk-uld": 0.5, "ddpm": 1.0, "rtk-mala": 2.0}
    frame = pd.DataFrame(
        {
            "method": method,
            "rule": rule,
            "start": "warm" if method == "rtk-mala" else "",
            "metric": "nfe",
            "eps": 0.01,
            "dimension": d,
            "segments": d,
            "step_size": 1.0 / d,
            "value": 3.0 * d**power,
        }
        for method, power in powers.items()
        for rule in ("theory", "optimised")
        for d in (2, 8, 32, 128)
    )
    quoted = dimension_table.numbers(frame)
    for name, power in (("uld", 0.5), ("ddpm", 1.0), ("mala", 2.0)):
        for ending in ("", "_low", "_high", "_optimised", "_last"):
            assert quoted[f"{name}_power{ending}"] == pytest.approx(power)
    # The segments here grow as d: without one or two of that.
    assert quoted["uld_power_segment"] == pytest.approx(-0.5)
    assert quoted["uld_power_bare"] == pytest.approx(-1.5)
    assert quoted["mala_step_power"] == pytest.approx(-1.0)
    assert quoted["largest_dimension"] == 128


def test_table_1_puts_each_slope_in_its_row() -> None:
    slopes = {"mala": 1.1, "uld": 0.6, "ddpm": 0.5, "dpum": 0.7}
    numbers = {
        f"{name}_power{ending}": slope + shift
        for name, slope in slopes.items()
        for ending, shift in (("", 0.0), ("_low", -0.1), ("_high", 0.1))
    }
    doubled = {name: 2 * slope for name, slope in numbers.items()}
    products = {
        f"{name}_{what}_power_{end}": value
        for name, first in (("rtk_mala", 0.3), ("rtk_uld", 0.5), ("ddpm", 0.7))
        for what, value in (("dimension", first), ("eps", first + 0.1))
        for end in ("low", "high")
    }
    products["rtk_uld_eps_power_high"] = 0.9
    printed = table_1.table(numbers, doubled, products).set_index("method")
    assert printed.loc["RTK-MALA", "d: Gaussian"] == "1.10 [1.00, 1.20]"
    assert printed.loc["RTK-MALA", "d: products"] == "0.30"
    assert printed.loc["RTK-ULD", "1/ε: Gaussian"] == "1.20 [1.00, 1.40]"
    assert printed.loc["RTK-ULD", "1/ε: products"] == "0.60–0.90"
    assert printed.loc["DDPM, SDE discretised", "d: products"] == "0.70"
    corrected = printed.loc["PF-ODE, underdamped corrector"]
    assert corrected["d: Gaussian"] == "0.70 [0.60, 0.80]"
    for column in ("d: products", "1/ε: products"):
        assert corrected[column] == table_1.DASH
    for column in ("d: Gaussian", "d: products", "1/ε: Gaussian", "1/ε: products"):
        assert printed.loc["Randomised midpoint (2406.00924)", column] == table_1.DASH
    assert len(printed) <= 15
