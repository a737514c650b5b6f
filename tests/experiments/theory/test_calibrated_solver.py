"""The ablation of the calibrated solver: its variants, its rows, and its table."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

import rtk
from experiments.theory import calibrated_solver, solver_variants
from experiments.theory.solver_variants import FEWER, even_levels
from figures.analysis import calibrated_solver as analysis
from figures.tables import calibrated_solver as tables
from rtk import process, segments, targets
from rtk.samplers.dpm_solver import DPMSolverPP2M

SETTINGS = calibrated_solver.Settings({"separated": 300}, [5], 2, [20])


@pytest.fixture(scope="module")
def parts() -> solver_variants.Parts:
    mixture = targets.mixture("separated")
    return solver_variants.calibrated(mixture.score, mixture.dimension, 0)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rows = calibrated_solver.rows(SETTINGS, 0)
    missing = {"experiment": "calibrated_solver", "nfe_asked": 0, "nfe": 0, "standard_error": 0.0}
    return pd.DataFrame([{**missing, **row} for row in rows])


def test_the_parts_are_those_of_the_package(parts: solver_variants.Parts) -> None:
    """The full variant is the solver that `rtk.calibrate` finds with the same seed."""
    mixture = targets.mixture("separated")
    calibration = rtk.calibrate(mixture.score, 10, seed=0)
    assert calibration.rows == sum(rows for rows, _ in parts.cost.values())
    expected = calibration.solver(5, mixture.score)
    assert solver_variants.selected(parts, 5).steps == expected.steps


def test_even_levels_are_even_and_different() -> None:
    u = np.linspace(3.0, -3.0, 61)
    assert even_levels(u, 0, 60, 7) == [0, 10, 20, 30, 40, 50, 60]
    dense, sparse = np.linspace(3.0, 2.0, 5), np.linspace(1.0, -4.0, 5)
    for uneven in (np.concatenate([dense, sparse]), -np.concatenate([dense, sparse])[::-1]):
        for count in range(2, 10):
            levels = even_levels(uneven, 1, 9, count)
            assert levels[0] == 1
            assert levels[-1] == 9
            assert sorted(set(levels)) == levels
            assert len(levels) == count


def test_bases_are_what_their_names_say(parts: solver_variants.Parts) -> None:
    one = solver_variants.one_variance(parts)
    assert one.variances.unique().numel() == 1
    diagonal = solver_variants.diagonal(parts)
    assert diagonal.basis is not None
    assert torch.equal(diagonal.basis, torch.eye(10, dtype=torch.float64))
    mixture = targets.mixture("separated")
    data = mixture.sample(100_000, 0.0, torch.Generator().manual_seed(0), torch.float64)
    # The mean follows from the score at wide noise. Each is off by a few hundredths at most.
    for base in (one, diagonal, parts.base):
        assert (base.mean - data.mean(0)).abs().max() < 0.1


def test_uncorrected_steps_keep_their_predictors(parts: solver_variants.Parts) -> None:
    full = parts.solver(parts.plan(6)).steps
    bare = solver_variants.uncorrected(parts, 6).steps
    assert bare[0] == full[0]
    for with_corrector, without in zip(full[1:], bare[1:], strict=True):
        assert without.predictor == with_corrector.predictor
        assert set(without.corrector) == {0.0}


def test_fewer_chains(parts: solver_variants.Parts) -> None:
    mixture = targets.mixture("separated")
    few = solver_variants.calibrated(mixture.score, 10, 0, FEWER[-1])
    assert few.pilot.y.shape[1] == FEWER[-1]
    assert few.cost["pilot"][0] == FEWER[-1] * len(few.pilot.sigmas)


def test_coefficients_of_dpm_solver() -> None:
    """They carry a chain as the sampler itself does, whatever the model says."""
    times = segments.log_snr(4, 3.0, 0.01)
    sigmas = np.array([*map(process.noise_level, times), 0.0])
    mixture = targets.mixture("mild")
    xi = torch.randn(8, 10, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    result = rtk.sample(
        mixture.score, 10, 8, DPMSolverPP2M(), 5, segments=times, x_init=xi, dtype=torch.float64
    )
    y, last = xi * math.exp(times[0]), torch.zeros_like(xi)
    for k, coefficients in enumerate(calibrated_solver.two_m(sigmas)):
        t, x = times[k], y * math.exp(-times[k])
        score = mixture.score(x, t)
        denoised = (x - math.expm1(-2.0 * t) * score) * math.exp(t)
        y = sigmas[k + 1] / sigmas[k] * y + coefficients[0] * denoised
        if len(coefficients) > 1:
            y = y + coefficients[1] * last
        last = denoised
    torch.testing.assert_close(result.samples, y, rtol=1e-9, atol=1e-9)


def test_rows(frame: pd.DataFrame) -> None:
    """Every variant has both errors in every repetition, and no more scores than asked for."""
    errors = frame[frame["settings"].isin(analysis.VARIANTS)]
    counts = errors.groupby(["settings", "metric"]).size()
    assert set(counts.index.unique("settings")) == set(analysis.VARIANTS)
    assert (counts == 2).all()
    assert (errors["nfe"] <= errors["nfe_asked"]).all()
    assert np.isfinite(frame["value"]).all()
    nodes = frame[(frame["metric"] == "sigma") & (frame["method"] == "calibrated")]
    assert (nodes["value"].diff().dropna() < 0.0).all()


def test_numbers_and_table(frame: pd.DataFrame) -> None:
    found = tables.numbers(frame)
    assert found["rows_calibration"] == (
        found["rows_pilot"] + found["rows_base"] + found["rows_consistency"]
    )
    assert found["rows_base"] == 2 * 10
    assert found["rows_consistency"] == 12 * 128
    total = found["rows_calibration"] + found["rows_selection_nfe5"]
    assert found["break_even_nfe5"] == pytest.approx(total / 35)
    assert all(math.isfinite(value) for value in found.values())
    table = tables.table(frame)
    assert [*table["variant"]] == [*analysis.VARIANTS.values()]


def test_errors_are_geometric_means_above_the_floor() -> None:
    """Two targets with the floor 1 and errors of 5 and 2: excesses 4 and 1, so the mean is 2."""
    common = {"settings": "full", "nfe_asked": 5, "metric": "mode_error"}
    rows = [
        {**common, "target": target, "method": "calibrated", "repetition": k, "value": value}
        for target, value in (("a", 5.0), ("b", 2.0))
        for k in range(2)
    ]
    rows += [
        {"target": t, "method": "exact", "settings": "", "metric": "mode_error", "value": 1.0}
        for t in "ab"
    ]
    (row,) = analysis.errors(pd.DataFrame(rows)).to_dict("records")
    assert row["value"] == pytest.approx(2.0)
    assert row["low"] == row["high"] == row["value"]
