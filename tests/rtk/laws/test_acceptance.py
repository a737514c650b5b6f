"""The acceptance of MALA on products against closed forms, plain quadrature and simulation."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from rtk.kernel import ReverseTransition
from rtk.laws import acceptance
from rtk.laws import gaussian as gaussian_law
from rtk.laws.gaussian import Gaussian
from rtk.laws.grid import Array, Grid, kernel_law, mala_matrix
from rtk.mcmc.mala import mala
from rtk.noise import ChainNoise
from tests.oracles import DOUBLE, gaussian
from tests.rtk.laws.cases import SKEWED

GRID = Grid(-7.0, 7.0, 80)
ONE = np.ones(1)


def skewed(states: list[float]) -> ReverseTransition:
    """Kernels of the skewed law from time 0.3 to 0.1."""
    x = torch.tensor(states, dtype=DOUBLE).unsqueeze(1)
    return ReverseTransition(SKEWED.score, x, 0.3, 0.1, SKEWED.log_prob)


@pytest.mark.parametrize("dimension", [1, 2, 16, 256, 4096])
@pytest.mark.parametrize("step_size", [0.05, 0.3, 0.8])
def test_gaussian(step_size: float, dimension: int) -> None:
    """``N(0, 1)``: the pair and its exchange are Gaussians of covariances P and Q.

    The eigenvalues of ``P^-1 Q`` give the TV in closed form, to 1e-6; kinks cost h^2 at d = 1, 2.
    """
    normal = gaussian(0.0, 1.0)
    x = torch.zeros(1, 1, dtype=DOUBLE)
    kernel = ReverseTransition(normal.score, x, 40.0, 0.0, normal.log_prob)
    kept = 1.0 - step_size
    pair = np.array([[1.0, kept], [kept, kept**2 + 2.0 * step_size]])
    ratios = np.linalg.eigvals(np.linalg.solve(pair, pair[::-1, ::-1])).real
    forth, back = (Gaussian(np.zeros(2), v).power(dimension) for v in (np.ones(2), ratios))
    expected = 1.0 - gaussian_law.tv(forth, back)
    found = acceptance.expected_acceptance(kernel, ONE, GRID, step_size, dimension)
    assert found == pytest.approx(expected, abs=1e-4 if dimension <= 2 else 2e-6)


@pytest.mark.parametrize("step_size", [0.05, 0.15])
def test_one_dimension(step_size: float) -> None:
    """Moves that the matrix of `rtk.laws.grid` accepts, to 1e-4, the price of the kinks."""
    kernel, fine = skewed([0.4]), Grid(-6.0, 6.0, 1200)
    matrix, law = mala_matrix(kernel, fine, step_size), kernel_law(kernel, fine)
    # On the diagonal the matrix has the rejections too; the accepted part is the proposal itself.
    gradient = replace(kernel, x=kernel.x.expand(fine.cells, 1)).grad(fine.points).squeeze(1)
    stays = np.exp(-0.25 * step_size * gradient.numpy() ** 2) / np.sqrt(4.0 * np.pi * step_size)
    accepted = law @ (1.0 - matrix.diagonal() + fine.spacing * stays)
    found = acceptance.expected_acceptance(kernel, ONE, GRID, step_size, 1)
    assert found == pytest.approx(accepted, abs=1e-4)


@pytest.mark.parametrize("states", [[0.4], [-0.8, 0.3, 1.5]])
def test_simulation(states: list[float]) -> None:
    """The share of accepted steps of `rtk.mcmc.mala`, n = 20 000 in d = 64, to 5 standard errors.

    Starts are drawn from the kernels on the cells of a fine grid.
    """
    n, dimension, step_size = 20_000, 64, 0.1
    kernels, fine = skewed(states), Grid(-6.0, 6.0, 4000)
    masses = np.arange(1.0, 1.0 + len(states))
    masses /= masses.sum()
    rows = np.stack([kernel_law(skewed([x]), fine) for x in states])
    generator = np.random.default_rng(0)
    chosen = generator.choice(len(states), (n, dimension), p=masses)
    levels = generator.random((n, dimension))
    cells = np.zeros((n, dimension), int)
    for k, row in enumerate(rows):
        cells[chosen == k] = row.cumsum().searchsorted(levels[chosen == k])
    z = torch.from_numpy(fine.centres[cells.clip(max=fine.cells - 1)])

    def score(z: Tensor, t: float) -> Tensor:
        return SKEWED.score(z.reshape(-1, 1), t).reshape(z.shape)

    def log_prob(z: Tensor, t: float) -> Tensor:
        return SKEWED.log_prob(z.reshape(-1, 1), t).reshape(z.shape).sum(1)

    x = torch.tensor(states, dtype=DOUBLE)[torch.from_numpy(chosen)]
    both = ReverseTransition(score, x, kernels.t_hi, kernels.t_lo, log_prob)
    noise = ChainNoise(0, n, (dimension,), dtype=DOUBLE)
    _, accepted = mala(both, z, 1, step_size, noise)
    found = acceptance.expected_acceptance(kernels, masses, GRID, step_size, dimension)
    error = float(accepted.std()) / n**0.5
    assert abs(found - float(accepted.mean())) <= 5.0 * error
    assert 0.2 < found < 0.8


def test_exchanged_laws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both laws are probabilities, and fewer bins do not change the result by 1e-4."""
    kernel = skewed([0.4])
    p, q = acceptance.move_laws(kernel, ONE, GRID, 0.1)
    assert min(p.min(), q.min()) >= 0.0
    assert [p.sum(), q.sum()] == pytest.approx([1.0, 1.0])

    def found() -> Array:
        values = [acceptance.expected_acceptance(kernel, ONE, GRID, 0.1, d) for d in (1, 16, 1024)]
        return np.array(values)

    fine = found()
    monkeypatch.setattr(acceptance, "BINS", acceptance.BINS // 2)
    assert np.abs(found() - fine).max() <= 1e-4


def test_kernel_without_density() -> None:
    """The acceptance needs energies."""
    kernel = replace(skewed([0.4]), log_prob=None)
    with pytest.raises(ValueError, match="log_prob"):
        acceptance.expected_acceptance(kernel, ONE, GRID, 0.1, 4)
