"""GITS: the schedule of few steps that a dynamic program picks from a fine grid.

Chen et al. 2024, arXiv 2405.11326 (geometry-inspired time scheduling). Warm-up trajectories of the
probability-flow ODE are solved once on a fine grid. In the noise level ``sigma = s / a`` and the
state ``y = x / a`` the ODE is ``dy/dsigma = (y - D) / sigma`` with the denoised estimate ``D``, and
DDIM is its Euler step. A step over any part of the fine grid costs its local truncation error, the
mean distance to the trajectory over the chains::

    c_ij = E |y_i + (sigma_j - sigma_i) (y_i - D_i) / sigma_i - y_j|

The schedule of K steps from the first to the last point of the grid has the least ``V_0^K`` of::

    V_i^1 = c_iN,    V_i^k = min_j c_ij + gamma V_j^(k-1)

A ``gamma`` above 1 gives more weight to the errors of later steps. As in the authors' code, the
grid has 60 segments and is polynomial of degree 7 in the noise level, 256 chains warm it up, and
``gamma = 1.15``. Their code also knows other costs, among them the distance to the chord of the
trajectory, which is zero for data in one dimension and is not used here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rtk import process, segments
from rtk.checks import check_count, check_device, check_dtype, check_positive, check_shape
from rtk.noise import ChainNoise
from rtk.samplers.base import Problem, State
from rtk.samplers.dpm_solver import DPMSolverPP2M
from rtk.score import CountedScore, Score
from rtk.segments import Times

Array = NDArray[np.float64]

FINE = 60
"""Segments of the fine grid, if the caller gives none."""


@dataclass(frozen=True)
class Schedule:
    """A schedule, and what finding it cost.

    Attributes:
        times: decreasing OU times, for ``rtk.sample(..., segments=times)``.
        evaluations: rows at which the score was evaluated, over all chains.
    """

    times: Times
    evaluations: int


def schedule(
    score: Score,
    shape: int | Sequence[int],
    count: int,
    *,
    chains: int = 256,
    seed: int = 0,
    gamma: float = 1.15,
    grid: Sequence[float] | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> Schedule:
    """The GITS schedule of ``count`` segments for a score.

    Args:
        score: ``(x, t) -> grad log p_t(x)``, as for `rtk.sample`.
        shape: shape of one sample; an int d means (d,).
        count: number of segments, at most that of the fine grid.
        chains: number of warm-up trajectories.
        seed: names the starts of the trajectories, which are drawn from ``N(0, I)``.
        gamma: weight of the cost of a step relative to the step before.
        grid: the fine grid, decreasing times that end above 0; `rtk.segments.karras` of 60
            segments if not given.
        device, dtype: of ``x``; torch's defaults if not given.

    Raises:
        ValueError: for a grid that ends at 0 or has fewer segments than ``count``.
        FloatingPointError: if the score is not finite on the trajectories.
    """
    sides, device, dtype = check_shape(shape), check_device(device), check_dtype(dtype)
    fine = segments.karras(FINE) if grid is None else segments.check(grid)
    if fine[-1] == 0.0:
        raise ValueError("the fine grid must end above 0, where the noise level is not 0 yet")
    if check_count("count", count) >= len(fine):
        raise ValueError(
            f"the fine grid has {len(fine) - 1} segments, too few to pick {count} segments from"
        )
    counted = CountedScore(score)
    start = ChainNoise(seed, check_count("chains", chains), sides, device=device, dtype=dtype)
    with torch.no_grad():
        costs = cost_matrix(fine, *trajectories(counted, fine, start))
    if not np.isfinite(costs[np.triu_indices(len(fine), 1)]).all():
        raise FloatingPointError(
            "the score is not finite on the warm-up trajectories, so that no schedule can be "
            "chosen. Expected a score that is finite at every x and t of the fine grid"
        )
    picked = shortest_path(costs, count, check_positive("gamma", gamma))
    return Schedule(tuple(fine[k] for k in picked), counted.evaluations)


def trajectories(score: CountedScore, grid: Times, start: ChainNoise) -> tuple[Tensor, Tensor]:
    """States, shape (N + 1, n, d), and denoised estimates, shape (N, n, d), on N segments.

    The teacher is DPM-Solver++(2M), whose one score per segment is also that of the Euler steps.
    """
    teacher, problem = DPMSolverPP2M(), Problem(score)
    state = State(start.normal(), grid[0])
    states, estimates = [state.x], []
    for t_lo in grid[1:]:
        state, _ = teacher(problem, state, t_lo, 1, start)
        states.append(state.x)
        estimates.append(state.history[0][1])
    return torch.stack(states).flatten(2), torch.stack(estimates).flatten(2)


def cost_matrix(grid: Times, states: Tensor, estimates: Tensor) -> Array:
    """``c_ij`` for ``i < j`` from the output of `trajectories`, infinite elsewhere; (N + 1, N + 1).

    The distance is the Euclidean one in ``y = x / a``, averaged over the chains.
    """
    levels = states.new_tensor([process.sigma(t) / process.alpha(t) for t in grid])
    y = states / states.new_tensor([process.alpha(t) for t in grid]).view(-1, 1, 1)
    costs = np.full((len(grid), len(grid)), np.inf)
    for i, denoised in enumerate(estimates):
        slope = (y[i] - denoised) / levels[i]
        euler = y[i] + (levels[i + 1 :] - levels[i]).view(-1, 1, 1) * slope
        costs[i, i + 1 :] = (euler - y[i + 1 :]).norm(dim=2).mean(1).cpu().numpy()
    return costs


def shortest_path(costs: Array, count: int, gamma: float) -> list[int]:
    """The points ``0 = k_0 < ... < k_count = N`` of least ``sum_m gamma^m c(k_m, k_(m+1))``."""
    value = costs[:, -1]
    choices = []
    for _ in range(count - 1):
        through = costs + gamma * value
        choices.append(through.argmin(1))
        value = through.min(1)
    path = [0]
    for choice in reversed(choices):
        path.append(int(choice[path[-1]]))
    return [*path, len(costs) - 1]
