"""Laws on grids against matrices written out in NumPy, closed forms, and simulation."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

from rtk import GaussianMixture, ReverseTransition, sample
from rtk.energy import EnergyDifference, gauss_legendre
from rtk.laws import radial
from rtk.laws.gaussian import Gaussian
from rtk.laws.grid import (
    Grid,
    kernel_law,
    laws,
    mala_matrix,
    refined,
    segment_laws,
    spectral_gap,
    start_law,
    stationary,
    tv,
    ula_matrix,
)
from rtk.mcmc.mala import mala
from rtk.mcmc.ula import ula
from rtk.noise import ChainNoise
from rtk.samplers.base import smoothness
from tests.oracles import DOUBLE, Array, LineKernel

WEIGHTS, MEANS, VARIANCES = (0.7, 0.3), (1.0, -0.8), (0.36, 0.2)
X, T_HI, T_LO = 0.3, 0.5, 0.1
GRID = Grid(-3.0, 3.5, 200)
STEP = 0.25
# Probability of a deviation by more than 5 sigma.
FALSE_ALARM = 2.9e-7


def skewed_kernel(chains: int = 1) -> ReverseTransition:
    """A skewed kernel with two modes; no symmetry hides a wrong sign."""
    weights, means, variances = (
        torch.tensor(row, dtype=DOUBLE) for row in (WEIGHTS, MEANS, VARIANCES)
    )
    mixture = GaussianMixture(weights, means.unsqueeze(1), variances)
    x = torch.full((chains, 1), X, dtype=DOUBLE)
    return ReverseTransition(mixture.score, x, T_HI, T_LO, mixture.log_prob)


def normal_kernel() -> ReverseTransition:
    """N(0, 1) by the tilt alone: the kernel of a target without a tilt of its own."""
    mixture = GaussianMixture(torch.ones(1), torch.zeros(1, 1), 1.0)
    x = torch.zeros(1, 1, dtype=DOUBLE)
    return ReverseTransition(mixture.score, x, 40.0, 0.0, mixture.log_prob)


HAND = LineKernel(WEIGHTS, MEANS, VARIANCES, X, T_HI, T_LO)


def hand_matrix(energy: str | None) -> Array:
    """The transition matrix from the definitions; without energy there is no correction."""
    z = GRID.centres
    here, there = z[:, None], z[None, :]
    slope = HAND.gradient(z)
    density = stats.norm.pdf(there, here - STEP * slope[:, None], math.sqrt(2 * STEP))
    moves = GRID.spacing * density
    if energy is not None:
        middle = HAND.gradient(0.5 * (here + there))
        difference = {
            "exact": HAND.potential(z)[None, :] - HAND.potential(z)[:, None],
            "trapezoid": (there - here) * (slope[:, None] + slope[None, :]) / 2,
            "simpson": (there - here) * (slope[:, None] + slope[None, :] + 4 * middle) / 6,
        }[energy]
        backward = stats.norm.pdf(here, there - STEP * slope[None, :], math.sqrt(2 * STEP))
        moves = moves * np.minimum(1.0, np.exp(-difference) * backward / density)
    return np.asarray(moves + np.diag(1 - moves.sum(1)))


@pytest.mark.parametrize("energy", ["exact", "trapezoid", "simpson"])
def test_mala_matrix_by_hand(energy: str) -> None:
    actual = mala_matrix(skewed_kernel(), GRID, STEP, energy)
    np.testing.assert_allclose(actual, hand_matrix(energy), rtol=1e-9, atol=1e-14)


def test_ula_matrix_by_hand() -> None:
    actual = ula_matrix(skewed_kernel(), GRID, STEP)
    np.testing.assert_allclose(actual, hand_matrix(None), rtol=1e-9, atol=1e-14)


def test_kernel_law_by_hand() -> None:
    potential = HAND.potential(GRID.centres)
    weights = np.exp(potential.min() - potential)
    np.testing.assert_allclose(
        kernel_law(skewed_kernel(), GRID), weights / weights.sum(), rtol=1e-9
    )


def assert_frequencies(values: Array, grid: Grid, law: Array) -> None:
    """Chi-square of the counts in bins of ten cells to 5 sigma; bins below 20 are merged."""
    edges = np.linspace(grid.low, grid.high, grid.cells // 10 + 1)
    expected = len(values) * law.reshape(-1, 10).sum(1)
    counts = np.histogram(values, edges)[0].astype(float)
    assert counts.sum() == len(values)
    rare = expected < 20
    counts, expected = (np.append(row[~rare], row[rare].sum()) for row in (counts, expected))
    assert stats.chisquare(counts, expected).pvalue > FALSE_ALARM


@pytest.mark.parametrize("energy", ["exact", "trapezoid", "taylor", gauss_legendre(2)])
@pytest.mark.parametrize("steps", [1, 3])
def test_simulation_of_mala_agrees(energy: str | EnergyDifference, steps: int) -> None:
    """50 000 chains from the centre of one cell; those that never move are counted too."""
    # As fine as GRID, and so wide that no chain leaves it.
    chains, cell, grid = 50_000, 90, Grid(-3.975, 4.475, 260)
    start = grid.centres[cell]
    z = torch.full((chains, 1), start, dtype=DOUBLE)
    noise = ChainNoise(7 * steps, chains, (1,), dtype=DOUBLE)
    last, _ = mala(skewed_kernel(chains), z, steps, STEP, noise, energy)
    matrix = mala_matrix(skewed_kernel(), grid, STEP, energy)
    law = laws(np.eye(grid.cells)[cell], matrix, steps)[steps]
    values = last.z.flatten().numpy()
    assert_frequencies(values, grid, law)
    # On the grid a move within the cell counts as staying: at most the proposals at its centre.
    stayed = matrix[cell, cell] ** steps
    within = steps * grid.spacing / math.sqrt(4 * math.pi * STEP)
    error = 5 * math.sqrt(stayed / chains)
    assert -error <= stayed - (values == start).mean() <= error + within


@pytest.mark.parametrize("steps", [1, 3])
def test_simulation_of_ula_agrees(steps: int) -> None:
    chains, cell, grid = 50_000, 110, Grid(-5.0, 6.0, 300)
    z = torch.full((chains, 1), grid.centres[cell], dtype=DOUBLE)
    noise = ChainNoise(steps, chains, (1,), dtype=DOUBLE)
    end = ula(skewed_kernel(chains=chains).grad, z, steps, STEP, noise)
    law = laws(np.eye(grid.cells)[cell], ula_matrix(skewed_kernel(), grid, STEP), steps)[steps]
    assert_frequencies(end.flatten().numpy(), grid, law)


def kernels_of_the_grid(grid: Grid, t_hi: float, t_lo: float) -> ReverseTransition:
    """The skewed target's kernels, one for each cell."""
    x = grid.points
    return replace(skewed_kernel(), x=x, t_hi=t_hi, t_lo=t_lo)


@pytest.mark.parametrize("energy", ["exact", "trapezoid", "taylor", None])
def test_segment_is_one_matrix_per_cell(
    energy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the size of the blocks; without energy the chain is ULA."""
    grid = Grid(-4.0, 4.5, 60)
    kernels = kernels_of_the_grid(grid, T_HI, T_LO)
    start = np.stack([start_law(Gaussian([0.8 * x], [0.3]), grid) for x in grid.centres])
    adjusted = energy is not None
    found = segment_laws(kernels, start, grid, STEP, 4, adjusted, energy)
    assert found.shape == (5, 60, 60)
    monkeypatch.setattr("rtk.laws.grid.MOVES_AT_A_TIME", 7 * 60**2)
    np.testing.assert_array_equal(
        segment_laws(kernels, start, grid, STEP, 4, adjusted, energy), found
    )
    for i in (0, 25, 59):
        kernel = replace(kernels, x=kernels.x[i : i + 1])
        matrix = (
            mala_matrix(kernel, grid, STEP, energy) if adjusted else ula_matrix(kernel, grid, STEP)
        )
        expected = laws(start[i], matrix, 4)
        np.testing.assert_allclose(found[:, i], expected, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("method", ["rtk-mala", "rtk-ula"])
def test_simulation_of_whole_chains_agrees(method: str) -> None:
    """50 000 chains of `rtk.sample` through three segments, two inner steps each."""
    chains, steps, grid, variance = 50_000, 2, Grid(-6.0, 6.0, 150), min(VARIANCES)
    one = skewed_kernel()
    times = (0.6, 0.4, 0.2, 0.05)
    made = sample(
        one.score,
        1,
        chains,
        method,
        100,
        5,
        one.log_prob if method == "rtk-mala" else None,
        dtype=DOUBLE,
        segments=times,
        denoise=False,
        step_size=1.0,
        inner_steps=steps,
        warm_start="gaussian",
        data_variance=variance,
    )
    law = grid.law(-0.5 * grid.centres**2)
    for t_hi, t_lo in itertools.pairwise(times):
        kernels = kernels_of_the_grid(grid, t_hi, t_lo)
        bound, h = smoothness(t_lo, variance), math.expm1(2 * (t_hi - t_lo))
        start = Gaussian([0.0], [1 / (2 * bound + 1 / h)])
        pull = math.exp(t_hi - t_lo) / h * start.variance
        begin = [start_law(Gaussian(pull * x, start.variance), grid) for x in grid.centres]
        step_size = 1.0 / (bound + 1 / h)
        adjusted = method == "rtk-mala"
        law = law @ segment_laws(kernels, np.stack(begin), grid, step_size, steps, adjusted)[steps]
    assert_frequencies(made.samples.flatten().numpy(), grid, law)


def test_exact_energies_leave_the_kernel_invariant_on_every_grid() -> None:
    for cells in (40, 100, 201):
        grid = Grid(GRID.low, GRID.high, cells)
        matrix = mala_matrix(skewed_kernel(), grid, STEP)
        target = kernel_law(skewed_kernel(), grid)
        flow = target[:, None] * matrix
        np.testing.assert_allclose(flow, flow.T, atol=1e-17)
        assert tv(stationary(matrix), target) < 1e-12
        np.testing.assert_allclose(matrix.sum(1), 1.0, rtol=1e-13)
        assert matrix.min() >= 0


def test_a_truncated_target_stays_truncated() -> None:
    """Density zero beyond 1: proposals that leave are rejected, the rest keep their balance."""
    x = torch.zeros(1, 1, dtype=DOUBLE)
    kernel = ReverseTransition(
        lambda z, t: torch.zeros_like(z),
        x,
        40.0,
        0.0,
        lambda z, t: torch.where(z.abs() < 1, 0.0, -torch.inf).flatten().double(),
    )
    grid = Grid(-2.0, 2.0, 100)
    law = kernel_law(kernel, grid)
    inside = np.abs(grid.centres) < 1
    np.testing.assert_allclose(law, inside / inside.sum())
    matrix = mala_matrix(kernel, grid, 0.1)
    np.testing.assert_allclose(law @ matrix, law, atol=1e-16)
    # Between two points of density zero the difference is not a number.
    outside = matrix[np.ix_(~inside, ~inside)]
    assert not (outside - np.diag(outside.diagonal())).any()


@pytest.mark.parametrize("energy", ["trapezoid", "simpson", "taylor"])
def test_score_only_energies_are_exact_for_gaussians(energy: str) -> None:
    grid = Grid(-8.0, 8.0, 100)
    kernel = normal_kernel()
    law = stationary(mala_matrix(kernel, grid, 0.5, energy))
    assert tv(law, kernel_law(kernel, grid)) < 1e-11


@pytest.mark.parametrize("step_size", [0.1, 0.5, 1.4])
def test_ula_on_a_gaussian(step_size: float) -> None:
    """An autoregression: eigenvalues (1 - tau)^k, stationary variance 1 / (1 - tau / 2)."""
    grid = Grid(-16.0, 16.0, 200)
    matrix = ula_matrix(normal_kernel(), grid, step_size)
    law = start_law(Gaussian([0.0], [1 / (1 - step_size / 2)]), grid)
    np.testing.assert_allclose(stationary(matrix), law, atol=1e-11)
    assert spectral_gap(matrix) == pytest.approx(1 - abs(1 - step_size), abs=1e-9)


def test_mala_converges_at_the_rate_of_its_gap() -> None:
    """Log-linearly, over nine decades."""
    matrix = mala_matrix(skewed_kernel(), GRID, STEP)
    start = np.eye(GRID.cells)[60]
    distances = tv(laws(start, matrix, 160), kernel_law(skewed_kernel(), GRID))
    ratios = distances[41:] / distances[40:-1]
    tail = ratios[distances[41:] > 1e-11]
    assert distances[40:][distances[40:] > 1e-11][-1] < 1e-9
    np.testing.assert_allclose(tail[-20:], 1 - spectral_gap(matrix), rtol=1e-3)


def test_floors_of_score_only_energies() -> None:
    """Ordered as the orders of the rules, and all but the trapezoid's far below ULA's."""
    target = kernel_law(skewed_kernel(), GRID)
    rules: list[str | EnergyDifference]
    rules = ["trapezoid", "simpson", gauss_legendre(2), gauss_legendre(3)]
    ula_floor = tv(stationary(ula_matrix(skewed_kernel(), GRID, STEP)), target)
    floors = [tv(stationary(mala_matrix(skewed_kernel(), GRID, STEP, r)), target) for r in rules]
    assert ula_floor > floors[0] > 5 * floors[1]
    assert floors[1] > floors[2] > 5 * floors[3] > 0


def test_gap_needs_detailed_balance() -> None:
    with pytest.raises(ValueError, match="detailed balance"):
        spectral_gap(mala_matrix(skewed_kernel(), GRID, STEP, "trapezoid"))


def test_refined_tells_its_error() -> None:
    start = Gaussian([-1.0], [0.3])

    def distance(grid: Grid) -> float:
        matrix = mala_matrix(skewed_kernel(), grid, STEP)
        path = laws(start_law(start, grid), matrix, 3)
        return float(tv(path[3], kernel_law(skewed_kernel(), grid)))

    value, error = refined(distance, Grid(GRID.low, GRID.high, 60))
    truth = distance(Grid(GRID.low, GRID.high, 480))
    assert abs(value - truth) <= 3 * error < 1e-3 * truth


def test_start_law() -> None:
    grid = Grid(-2.0, 2.0, 4)
    np.testing.assert_array_equal(start_law(Gaussian([0.7], [0.0]), grid), [0, 0, 1, 0])
    law = start_law(Gaussian([0.5], [0.1]), GRID)
    assert law @ GRID.centres == pytest.approx(0.5, abs=1e-9)
    assert law @ (GRID.centres - 0.5) ** 2 == pytest.approx(0.1, abs=1e-9)


def test_radial_chain_in_one_dimension_is_the_folded_one() -> None:
    half = Grid(0.0, 8.0, 100)
    line = mala_matrix(normal_kernel(), Grid(-8.0, 8.0, 200), 0.4)
    folded = line[100:, 100:] + line[100:, 99::-1]
    np.testing.assert_allclose(radial.mala_matrix(half, 1, 0.4), folded, atol=1e-12)


@pytest.mark.parametrize("dimension", [2, 7])
def test_simulation_of_the_radial_chain_agrees(dimension: int) -> None:
    """Two steps of 50 000 chains from N(0, I/4); law of the radius."""
    chains, step_size = 50_000, 0.5
    mixture = GaussianMixture(torch.ones(1), torch.zeros(1, dimension), 1.0)
    x = torch.zeros(chains, dimension, dtype=DOUBLE)
    kernel = ReverseTransition(mixture.score, x, 40.0, 0.0, mixture.log_prob)
    noise = ChainNoise(3, chains, (dimension,), dtype=DOUBLE)
    last, _ = mala(kernel, 0.5 * noise.normal(), 2, step_size, noise)
    radius = last.z.norm(dim=1).numpy()
    grid = Grid(0.0, 8.0, 400)
    start = radial.law(grid, dimension, 0.25)
    law = laws(start, radial.mala_matrix(grid, dimension, step_size), 2)[2]
    assert_frequencies(radius, grid, law)


def test_radial_law_is_invariant_in_high_dimension() -> None:
    grid = Grid(10.0, 22.0, 200)
    law = radial.law(grid, 256)
    assert tv(law @ radial.mala_matrix(grid, 256, 0.1), law) < 1e-12


def test_refuses_what_it_cannot_do() -> None:
    with pytest.raises(ValueError, match="too coarse"):
        mala_matrix(skewed_kernel(), GRID, 1e-4)
    with pytest.raises(ValueError, match="positive"):
        ula_matrix(skewed_kernel(), GRID, 0.0)
    with pytest.raises(ValueError, match="one chain in one dimension"):
        ula_matrix(skewed_kernel(chains=2), GRID, STEP)
    with pytest.raises(ValueError, match="low < high"):
        Grid(1.0, 1.0, 10)
    with pytest.raises(ValueError, match="low >= 0"):
        radial.mala_matrix(GRID, 2, 0.5)
    with pytest.raises(ValueError, match="expected x of shape"):
        segment_laws(skewed_kernel(), np.eye(GRID.cells), GRID, STEP, 1)
    bare = ReverseTransition(skewed_kernel().score, torch.zeros(1, 1), T_HI, T_LO)
    with pytest.raises(ValueError, match="log_prob"):
        kernel_law(bare, GRID)
