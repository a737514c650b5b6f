"""B6: errors of energy differences, what they do to the law, and what is read off them."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from experiments.theory import energy_estimators, two_modes
from figures.tables import energy_estimators as energy_estimators_table
from rtk.laws import grid as grid_law
from rtk.laws.grid import Grid
from rtk.metrics import Estimate

CELLS = 160
STEPS = [0.1, 0.2, 0.4]


@pytest.fixture(scope="module")
def modes() -> pd.DataFrame:
    return pd.DataFrame(energy_estimators.modes(STEPS, CELLS))


def table(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    chosen = frame[frame["metric"] == metric]
    return chosen.pivot_table(index="step_size", columns="method", values="value")


def test_orders_of_the_rules(modes: pd.DataFrame) -> None:
    """A rule of degree 1, 3, 5 leaves a bias of the first, second, third power of the step."""
    tv = table(modes, "tv")
    orders = {"ula": 1, "taylor": 1, "trapezoid": 1, "gauss_1": 1}
    orders |= {"simpson": 2, "gauss_2": 2, "gauss_3": 3}
    for name, order in orders.items():
        measured = math.log2(tv[name].loc[0.2] / tv[name].loc[0.1])
        assert measured == pytest.approx(order, abs=0.2), name
    assert tv["exact"].max() < 1e-12


def test_floors_come_in_order(modes: pd.DataFrame) -> None:
    floor = table(modes, "tv").loc[0.4]
    names = ["gauss_3", "gauss_2", "simpson", "gauss_1", "trapezoid", "taylor", "ula"]
    assert floor[names].is_monotonic_increasing
    assert floor["simpson"] < 0.02 * floor["ula"]
    # The paper's expansion is no tenth of the bias that the Metropolis step is to remove.
    assert 0.1 * floor["ula"] < floor["taylor"] < floor["ula"]


def test_errors_are_those_of_stationary_proposals(modes: pd.DataFrame) -> None:
    """Means over 100 000 proposals of draws from the grid's law, to 5 standard errors.

    The grid adds the cells' width, which its trapezoid rule does not notice.
    """
    n, relative = 100_000, 0.4
    grid = Grid(-energy_estimators.REACH, energy_estimators.REACH, CELLS)
    single = two_modes.kernel()
    generator = np.random.default_rng(0)
    z = generator.choice(grid.centres, (n, 1), p=grid_law.kernel_law(single, grid))
    step_size = relative / (3.0 * two_modes.LIPSCHITZ)
    kernel = replace(single, x=single.x.expand(n, 1))
    here = kernel.at(torch.from_numpy(z))
    jump = math.sqrt(2.0 * step_size) * torch.from_numpy(generator.standard_normal((n, 1)))
    there = kernel.at(here.z - step_size * here.gradient + jump)
    truth, accepted = energy_estimators.acceptance(kernel, here, there, step_size)
    for name in ("trapezoid", "taylor", "simpson"):
        rule = energy_estimators.ESTIMATORS[name]
        difference, estimated = energy_estimators.acceptance(kernel, here, there, step_size, rule)
        for values, metric, power in (
            ((difference - truth).numpy() ** 2, "energy_error", 2),
            ((estimated - accepted).abs().numpy(), "acceptance_error", 1),
        ):
            mean = Estimate.of_replicates(values)
            expected = table(modes, metric)[name].loc[relative] ** power
            gap = abs(mean.value - expected)
            assert gap < 5 * mean.standard_error, (name, metric)


def test_exact_acceptance_is_in_detailed_balance() -> None:
    grid = Grid(-4.0, 4.0, 120)
    kernel, here, there = energy_estimators.pairs(grid)
    step_size = 0.4 / (3.0 * two_modes.LIPSCHITZ)
    _, accepted = energy_estimators.acceptance(kernel, here, there, step_size)
    single = two_modes.kernel()
    law = grid_law.kernel_law(single, grid)
    moves = grid_law.ula_matrix(single, grid, step_size) * accepted.numpy().reshape(120, 120)
    flow = law[:, np.newaxis] * moves
    np.testing.assert_allclose(flow, flow.T, atol=1e-16)


def test_errors_in_ten_dimensions() -> None:
    rows = pd.DataFrame(energy_estimators.proposals([0.2, 0.4], 2000, 0))
    errors = table(rows, "energy_error")
    assert (errors["exact"] == 0.0).all()
    assert (errors.loc[0.4] >= errors.loc[0.2]).all()
    names = ["gauss_3", "gauss_2", "simpson", "gauss_1", "trapezoid", "taylor"]
    assert errors.loc[0.4, names].is_monotonic_increasing
    assert (rows.loc[rows["method"] != "exact", "standard_error"] > 0).all()


def test_whole_chains_spend_at_most_what_they_may() -> None:
    """A rule of many nodes, at a minimum of steps, is far from the target: 500 chains."""
    frame = pd.DataFrame(energy_estimators.chains([70], 500, 10, 0)).set_index("method")
    assert (frame["nfe"] <= frame["nfe_asked"]).all()
    assert (frame["nfe"].drop("sample") > 60).all()
    error, spread = frame["value"], frame["standard_error"]
    assert error["trapezoid"] - error["sample"] < 5 * np.hypot(
        spread["trapezoid"], spread["sample"]
    )
    assert error["gauss_3"] > error["trapezoid"] + 0.01


def test_needed_energy_error_of_a_known_law() -> None:
    """``tv = 0.2 e``: 0.05 is needed for 0.01."""
    rows = []
    for k, name in enumerate(energy_estimators_table.SCORE_ONLY):
        for step in STEPS:
            error = (1 + k) * step**2 / 5
            common = {"target": "two-modes", "method": name, "step_size": step}
            rows.append(common | {"metric": "energy_error", "value": error})
            rows.append(common | {"metric": "tv", "value": 0.2 * error})
    needed, power = energy_estimators_table.needed_energy_error(pd.DataFrame(rows))
    assert needed == pytest.approx(0.05)
    assert power == pytest.approx(1.0)


def test_the_best_at_equal_cost_is_the_lowest_of_those_from_scores() -> None:
    names = ["exact", *energy_estimators_table.SCORE_ONLY]
    frame = pd.DataFrame({"method": names, "metric": "error", "nfe_asked": 160})
    frame["value"], frame["standard_error"] = 0.05, 0.003
    frame.loc[frame["method"] == "exact", "value"] = 0.01
    frame.loc[frame["method"] == "gauss_2", ["value", "standard_error"]] = 0.04, 0.004
    name, lead = energy_estimators_table.best(frame, 160)
    assert name == "gauss_2"
    assert lead == pytest.approx(2.0)
