"""The exact law of a chain in one dimension: transition matrices on a grid, no Monte Carlo noise.

A law is a vector ``p`` of the probabilities of equal cells. A chain is a matrix ``P`` whose rows
sum to one, and one step of it is ``p P``. Proposals enter by their density at the centres of the
cells::

    P_ij = h q(z_j | z_i) a(z_i, z_j)  for i != j,    P_ii = 1 - sum_j P_ij.

This is the trapezoid rule, which for smooth integrands converges faster than any power of the
spacing ``h``. It keeps detailed balance to rounding: with exact energies ``p_i ~ exp(-g(z_i))`` is
invariant on every grid, so the bias of another estimator or sampler is not mixed with that of the
grid. The kinks of ``min(1, .)`` and of total variation leave an error of order ``h^2``, which
`refined` estimates.

The kernels here are `rtk.kernel.ReverseTransition` with one chain in one dimension. A density that
is not a kernel is treated as the kernel of a very long segment (``t_hi = 40, t_lo = 0``), whose
tilt is below 1e-34.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import eigvalsh_tridiagonal
from torch import Tensor

from rtk.energy import EnergyDifference, estimator
from rtk.kernel import Point, ReverseTransition
from rtk.laws.gaussian import Gaussian
from rtk.mcmc.mala import proposal_ratio

Array = NDArray[np.float64]

# Widest cell, in standard deviations of a proposal; the trapezoid rule then errs by 1e-17.
COARSEST = 0.7

# Moves of different kernels that are computed together: what fits a processor's cache.
MOVES_AT_A_TIME = 2**18


@dataclass(frozen=True)
class Grid:
    """``cells`` equal cells between ``low`` and ``high``."""

    low: float
    high: float
    cells: int

    def __post_init__(self) -> None:
        if not (self.low < self.high and self.cells >= 2):
            raise ValueError(f"need low < high and two or more cells, got {self}")

    @property
    def spacing(self) -> float:
        return (self.high - self.low) / self.cells

    @property
    def centres(self) -> Array:
        """Shape (cells,)."""
        half = 0.5 * self.spacing
        return np.linspace(self.low + half, self.high - half, self.cells)

    @property
    def points(self) -> Tensor:
        """The centres as points of one coordinate, shape (cells, 1), float64."""
        return torch.from_numpy(self.centres).unsqueeze(1)

    def law(self, log_density: Array) -> Array:
        """Probabilities of the cells from a log-density at the centres, up to a constant."""
        weights = np.exp(log_density - log_density.max())
        law: Array = weights / weights.sum()
        return law


def kernel_law(kernel: ReverseTransition, grid: Grid) -> Array:
    """The law ``~ exp(-g)`` of the kernel itself; ValueError for a kernel without log_prob."""
    if kernel.log_prob is None:
        raise ValueError("the law of a kernel needs its log_prob")
    kernels, points = on_grid(kernel, grid, with_log_prob=False)
    tilt = kernels.tilt_difference(torch.zeros_like(points.z), points.z)
    return grid.law((kernel.log_prob(points.z, kernel.t_lo) - tilt).numpy())


def start_law(law: Gaussian, grid: Grid) -> Array:
    """A Gaussian start in one dimension; with variance zero, all mass in the cell of its mean."""
    ((mean,), (variance,)) = law.mean, law.variance
    if variance == 0.0:
        return (np.abs(grid.centres - mean).argmin() == np.arange(grid.cells)).astype(float)
    return grid.law(-((grid.centres - mean) ** 2) / (2.0 * variance))


def ula_matrix(kernel: ReverseTransition, grid: Grid, step_size: float) -> Array:
    """Unadjusted Langevin (`rtk.mcmc.ula`): ``q(. | z) = N(z - tau grad g(z), 2 tau)``."""
    _, points = on_grid(kernel, grid, with_log_prob=False)
    return complete(_proposals(points, grid, step_size))


def mala_matrix(
    kernel: ReverseTransition,
    grid: Grid,
    step_size: float,
    energy: str | EnergyDifference | None = None,
) -> Array:
    """Metropolis-adjusted Langevin, `rtk.mcmc.mala`, with energies as it takes them."""
    energy = estimator(energy, kernel.log_prob)
    kernels, points = on_grid(kernel, grid, energy.needs_log_prob)
    proposals = _proposals(points, grid, step_size)
    return complete(proposals * acceptance(kernels, points, step_size, energy))


def noisy_mala_matrix(
    kernel: ReverseTransition,
    grid: Grid,
    step_size: float,
    noise: float,
    energy: str | EnergyDifference | None = None,
) -> Array:
    """MALA with every score wrong by ``+noise`` or ``-noise``: a fair coin at each evaluation.

    A point keeps the score that it was proposed with, as in `rtk.mcmc.mala`. A state is therefore a
    coin and a cell, and the matrix has shape (2 cells, 2 cells) with the coin as the slow index.

    Raises:
        ValueError: for energies that evaluate scores between the two points.
    """
    energy = estimator(energy, kernel.log_prob)
    if energy.extra_nfe:
        raise ValueError("expected energies without extra scores, exact ones or the trapezoid's")
    kernels, points = on_grid(kernel, grid, energy.needs_log_prob)
    coins = torch.tensor([-noise, noise]).double().repeat_interleave(grid.cells).unsqueeze(1)
    states = Point(
        points.z.repeat(2, 1),
        points.gradient.repeat(2, 1) - coins,
        None if points.log_prob is None else points.log_prob.repeat(2),
    )
    kernels = replace(kernel, x=kernels.x.repeat(2, 1))
    proposals = 0.5 * np.tile(_proposals(states, grid, step_size), 2)
    return complete(proposals * acceptance(kernels, states, step_size, energy))


def laws(start: Array, matrix: Array, steps: int) -> Array:
    """The law after 0, 1, ..., ``steps`` steps, shape (steps + 1, cells)."""
    path = np.empty((steps + 1, *start.shape))
    path[0] = start
    for k in range(steps):
        path[k + 1] = path[k] @ matrix
    return path


def segment_laws(
    kernels: ReverseTransition,
    start: Array,
    grid: Grid,
    step_size: float,
    steps: int,
    adjusted: bool = True,
    energy: str | EnergyDifference | None = None,
) -> Array:
    """The laws of a whole segment's inner chains after 0, ..., ``steps`` steps.

    Args:
        kernels: one kernel per cell: ``x`` holds the centres of the grid, shape (cells, 1).
        start: laws in which the chains begin, one row per kernel, shape (cells, cells).
        adjusted: MALA if true, ULA if false.
        energy: energies of MALA, as `rtk.mcmc.mala` takes them.

    Returns:
        Shape (steps + 1, cells, cells): row i of matrix k is the law of z at ``t_lo`` given that x
        lies in cell i, so ``p_lo = p_hi @ segment_laws(...)[k]``.
    """
    energy = estimator(energy, kernels.log_prob)
    z = grid.points
    if kernels.x.shape != z.shape:
        raise ValueError(f"expected x of shape {(*z.shape,)}, got {(*kernels.x.shape,)}")
    n, score = grid.cells, kernels.score(z, kernels.t_lo)
    log_prob = None if kernels.log_prob is None else kernels.log_prob(z, kernels.t_lo)
    paths = []
    for block in torch.arange(n).split(max(1, MOVES_AT_A_TIME // n**2)):
        m = len(block)
        every_z = z.repeat(m, 1)
        tilted = replace(kernels, x=kernels.x[block].repeat_interleave(n, 0))
        tilt = tilted.tilt_gradient(every_z)
        points = Point(
            every_z, tilt - score.repeat(m, 1), None if log_prob is None else log_prob.repeat(m)
        )
        moves = _proposals(points, grid, step_size).reshape(m, n, n)
        if adjusted:
            here, there = _pairs(points, n)
            pairs = replace(kernels, x=kernels.x[block].repeat_interleave(n**2, 0))
            accepted = _accepted(pairs, here, there, step_size, energy)
            moves *= accepted.reshape(m, n, n).numpy()
        paths.append(laws(start[block][:, np.newaxis], complete(moves), steps)[:, :, 0])
    return np.concatenate(paths, 1)


def tv(p: Array, q: Array) -> Array:
    """Total variation ``sum_i |p_i - q_i| / 2`` along the last axis."""
    distance: Array = 0.5 * np.abs(p - q).sum(-1)
    return distance


def stationary(matrix: Array) -> Array:
    """The invariant law, ``p P = p``."""
    system = matrix.T - np.eye(len(matrix))
    system[-1] = 1.0
    law: Array = np.linalg.solve(system, np.eye(len(matrix))[-1])
    return law


def spectral_gap(matrix: Array) -> float:
    """``1 - max_{i > 1} |lambda_i|`` of a chain in detailed balance: its rate in L2.

    ``S_ij = (P_ij P_ji)^(1/2)`` is symmetric and, under detailed balance, similar to P.

    Raises:
        ValueError: without detailed balance; the largest eigenvalue of S is then below 1.
    """
    values = np.linalg.eigvalsh(np.sqrt(matrix * matrix.T))
    if abs(values[-1] - 1.0) > 1e-9:
        raise ValueError(
            "expected a chain in detailed balance, such as mala_matrix with exact energies; the "
            f"largest eigenvalue falls short of 1 by {1.0 - values[-1]:.2g}"
        )
    return float(1.0 - max(values[-2], -values[0]))


def langevin_spectrum(
    log_density: Array, grid: Grid, count: int = 2, killing: Array | float = 0.0
) -> Array:
    """Lowest eigenvalues of ``-u'' - (log p)' u' + k u``, reflected at both ends, ascending.

    Without ``killing`` the first is 0 and the second is the spectral gap of Langevin diffusion,
    ``dz = (log p)' dt + 2^(1/2) dB``. The discretisation is by finite volumes: the chain jumps from
    cell i to a neighbour j at the rate ``(p_j / p_i)^(1/2) / h^2``. It is in detailed balance with
    p, and its error is of order ``h^2``.

    Args:
        log_density: at the centres of the grid, up to a constant.
        killing: ``k >= 0`` at the centres.
    """
    rise = np.exp(0.5 * np.diff(log_density))
    out = np.append(rise, 0.0) + np.insert(1.0 / rise, 0, 0.0)
    coupling = np.full(grid.cells - 1, -(grid.spacing**-2))
    values = eigvalsh_tridiagonal(
        out / grid.spacing**2 + killing, coupling, select="i", select_range=(0, count - 1)
    )
    return np.asarray(values, dtype=float)


def refined(quantity: Callable[[Grid], float], grid: Grid) -> tuple[float, float]:
    """``quantity`` on twice the cells, and an estimate of its error there, of order ``h^2``.

    The estimate is Richardson's, a third of the change from ``grid``.
    """
    fine = quantity(Grid(grid.low, grid.high, 2 * grid.cells))
    return fine, abs(fine - quantity(grid)) / 3.0


def on_grid(
    kernel: ReverseTransition, grid: Grid, with_log_prob: bool
) -> tuple[ReverseTransition, Point]:
    """The kernel with one chain for each centre of the grid, evaluated there."""
    if kernel.x.shape != (1, 1):
        raise ValueError(
            f"expected a kernel of one chain in one dimension, got x of shape {(*kernel.x.shape,)}"
        )
    z = grid.points
    kernels = replace(kernel, x=kernel.x.double().expand(grid.cells, 1))
    return kernels, kernels.at(z, with_log_prob)


def _proposals(points: Point, grid: Grid, step_size: float) -> Array:
    """``h q(z_j | z_i)``, shape (points, cells)."""
    check_spacing(grid, step_size)
    mean = (points.z - step_size * points.gradient).numpy()
    density: Array = np.exp(-((grid.centres - mean) ** 2) / (4.0 * step_size))
    return grid.spacing / np.sqrt(4.0 * np.pi * step_size) * density


def acceptance(
    kernel: ReverseTransition, points: Point, step_size: float, energy: EnergyDifference
) -> Array:
    """``min(1, exp(-Delta(z_i -> z_j)))``, shape (cells, cells)."""
    z, gradient, log_prob = points.z, points.gradient, points.log_prob
    rows = []
    for i in range(len(z)):
        here = Point(
            z[i].expand_as(z),
            gradient[i].expand_as(z),
            None if log_prob is None else log_prob[i].expand_as(log_prob),
        )
        rows.append(_accepted(kernel, here, points, step_size, energy))
    return torch.stack(rows).numpy()


def _accepted(
    kernel: ReverseTransition,
    here: Point,
    there: Point,
    step_size: float,
    energy: EnergyDifference,
) -> torch.Tensor:
    """``min(1, exp(-Delta(here -> there)))`` of each pair."""
    delta = energy(kernel, here, there) + proposal_ratio(here, there, step_size)
    # As in the sampler, a difference that is not a number is a rejection.
    return delta.nan_to_num(torch.inf, torch.inf, -torch.inf).clamp_min(0.0).neg().exp()


def _pairs(points: Point, n: int) -> tuple[Point, Point]:
    """Both ends of all moves within each group of ``n`` points."""

    def spread(column: torch.Tensor, axis: int) -> torch.Tensor:
        table = column.reshape(-1, n).unsqueeze(axis).expand(-1, n, n)
        return table.reshape(-1, *column.shape[1:])

    here, there = (
        Point(
            spread(points.z, axis),
            spread(points.gradient, axis),
            None if points.log_prob is None else spread(points.log_prob, axis),
        )
        for axis in (2, 1)
    )
    return here, there


def complete(moves: Array) -> Array:
    """Rejected proposals, and those that leave the grid, stay where they are."""
    diagonal = np.einsum("...ii->...i", moves)
    diagonal += np.maximum(1.0 - moves.sum(-1), 0.0)
    return moves


def check_spacing(grid: Grid, step_size: float) -> None:
    if not step_size > 0.0:
        raise ValueError(f"step_size must be positive, got {step_size}")
    widest = COARSEST * np.sqrt(2.0 * step_size)
    if grid.spacing > widest:
        raise ValueError(
            f"the grid is too coarse for step_size={step_size}: cells are {grid.spacing:.3g} wide, "
            f"expected at most {widest:.3g}"
        )
