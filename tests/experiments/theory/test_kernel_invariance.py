"""Laws of the calibrated samplers in one dimension, against simulation and against exact hops."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

import rtk
from experiments.theory import kernel_invariance as study
from figures.tables import kernel_invariance as tables
from rtk.laws.grid import tv
from rtk.samplers.base import Sampler

CHAINS, CELLS = 100_000, 400


@pytest.fixture(scope="module")
def parts() -> study.Calibrating:
    return study.Calibrating.of(study.TARGET.score, 0)


def frequencies(parts: study.Calibrating, solver: Sampler, nfe: int) -> np.ndarray:
    """Fractions of simulated samples in sixteen wide bins."""
    result = rtk.sample(
        study.TARGET.score, 1, CHAINS, method=solver, nfe=nfe, seed=1, dtype=torch.float64
    )
    counts, _ = np.histogram(result.samples[:, 0].numpy(), np.linspace(-4.0, 4.0, 17))
    return counts / CHAINS


def binned(law: np.ndarray, parts: study.Calibrating) -> np.ndarray:
    centres = study.final_grid(parts, len(law)).centres
    counts, _ = np.histogram(centres, np.linspace(-4.0, 4.0, 17), weights=law)
    return np.asarray(counts)


@pytest.mark.parametrize(("nfe", "tau"), [(4, 1.0), (6, 4.0)])
def test_law_of_the_path_is_that_of_simulated_chains(
    parts: study.Calibrating, nfe: int, tau: float
) -> None:
    """100 000 chains; each bin within 5 standard errors and the mass of a cell at its edges."""
    solver = parts.hops(nfe, tau, 3)
    grid = study.final_grid(parts, 800)
    law = binned(study.path_laws(parts, solver, grid), parts)
    found = frequencies(parts, solver, nfe)
    error = np.sqrt(law * (1.0 - law) / CHAINS)
    assert (np.abs(found - law) < 5.0 * error + 0.6 * grid.spacing * law.max() + 1e-6).all()
    # The bins tell this law from the target's.
    target = binned(study.marginal(grid, 0.0), parts)
    assert (np.abs(found - target) > 5.0 * error).any()


def test_small_hops_keep_the_law(parts: study.Calibrating) -> None:
    """The error of one hop falls with the number of scores, for hops with and without noise."""
    grid = study.final_grid(parts, CELLS)
    for tau in (0.0, 1.0):
        few, many = (study.hop_error(parts, parts.hops(nfe, tau, 3), grid) for nfe in (4, 8))
        assert many < 0.5 * few


def test_flow_reaches_its_reference(parts: study.Calibrating) -> None:
    few, many = (study.samples_error(parts, parts.flow(nfe), 0.0, CELLS) for nfe in (3, 12))
    reference = study.accurate_error(parts, CELLS)
    assert few > 5.0 * many
    assert many < 2.0 * reference + 1e-3


def test_rows_and_numbers() -> None:
    rows = study.rows(study.Settings([2, 3], [0.0, 1.0, 4.0], CELLS), 0)
    frame = pd.DataFrame([{"standard_error": 0.0, **row} for row in rows])
    assert frame["value"].between(0.0, 1.0).all()
    samples = frame[frame["metric"] == "samples"]
    assert len(samples) == 2 * 4
    found = tables.numbers(frame)
    assert all(math.isfinite(value) for value in found.values())
    assert found["samples_tau_1_many"] < found["samples_tau_1_few"]
    assert len(tables.table(frame)) == 2


def test_laws_on_two_grids_agree(parts: study.Calibrating) -> None:
    solver = parts.hops(4, 1.0, 3)
    coarse, fine = (
        tv(study.path_laws(parts, solver, grid), study.marginal(grid, 0.0))
        for grid in (study.final_grid(parts, cells) for cells in (400, 800))
    )
    assert coarse == pytest.approx(fine, rel=2e-2)
