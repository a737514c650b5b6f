"""Laws of solvers on a grid against affine maps and against `rtk.sample`."""

import numpy as np
import pytest

import rtk
from rtk.laws import affine, solvers
from rtk.laws.grid import Grid, start_law
from rtk.samplers.base import Sampler
from rtk.samplers.ddim import DDIM
from rtk.samplers.ddpm import DDPM
from rtk.samplers.dpm_solver import DPMSolverPP2M
from rtk.samplers.reverse_transition import RTKULA
from tests.oracles import DOUBLE, gaussian
from tests.rtk.laws.cases import SKEWED, assert_samples, functions

GRID = Grid(-8.0, 8.0, 512)
SOLVERS: dict[str, Sampler] = {"ddpm": DDPM(), "ddim": DDIM(), "dpm++2m": DPMSolverPP2M()}


@pytest.mark.parametrize("method", SOLVERS)
@pytest.mark.parametrize("nfe", [4, 25])
def test_gaussian(method: str, nfe: int) -> None:
    """The affine propagation of the same samplers, to 1e-9."""
    target = gaussian(0.7, 0.5)
    law = solvers.sample_law(target.score, SOLVERS[method], GRID, nfe)
    exact, _ = affine.sample_law(target.score, 1, SOLVERS[method], nfe)
    assert np.abs(law - start_law(exact, GRID)).sum() <= 1e-9


@pytest.mark.parametrize("method", SOLVERS)
def test_skewed(method: str) -> None:
    """Means of four functions of n = 200 000 samples, to 5 standard errors of the mean."""
    n, nfe = 200_000, 16
    law = solvers.sample_law(SKEWED.score, SOLVERS[method], GRID, nfe)
    result = rtk.sample(SKEWED.score, 1, n, method, nfe, seed=0, dtype=DOUBLE)
    assert_samples(result.samples.squeeze(1).numpy(), law, GRID)


@pytest.mark.parametrize("method", SOLVERS)
def test_finer_grid(method: str) -> None:
    """Twice the cells give the same means of the functions, to 1e-9."""
    fine_grid = Grid(GRID.low, GRID.high, 2 * GRID.cells)
    coarse = solvers.sample_law(SKEWED.score, SOLVERS[method], GRID, 16)
    fine = solvers.sample_law(SKEWED.score, SOLVERS[method], fine_grid, 16)
    change = functions(GRID.centres) @ coarse - functions(fine_grid.centres) @ fine
    assert np.abs(change).max() <= 1e-9


def test_samplers_without_such_a_law() -> None:
    """An inner chain, and noise behind an estimate from earlier steps."""
    with pytest.raises(ValueError, match="one score per segment"):
        solvers.sample_law(SKEWED.score, RTKULA(), GRID, 100)
    with pytest.raises(ValueError, match="earlier steps"):
        solvers.sample_law(SKEWED.score, DPMSolverPP2M(stochastic=True), GRID, 8)


def test_grid_that_is_too_narrow() -> None:
    """The samples reach its edges."""
    with pytest.raises(ArithmeticError, match="too narrow"):
        solvers.sample_law(SKEWED.score, DDIM(), Grid(-1.5, 1.5, 128), 8)
