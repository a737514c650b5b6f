"""GITS: the cost matrix by direct steps of DDIM, the dynamic program by brute force."""

import itertools
import math

import numpy as np
import pytest
import torch

import rtk
from rtk import DDIM, process, segments
from rtk.noise import ChainNoise
from rtk.samplers.base import Problem, State
from rtk.schedules import gits
from rtk.score import CountedScore
from tests.oracles import DOUBLE, Array, CountingScore, ScriptedNoise, gaussian, skewed

GRID = segments.karras(7, 3.0, 0.02)


def warmed_up() -> tuple[torch.Tensor, torch.Tensor]:
    start = ChainNoise(3, 20, (2,), dtype=DOUBLE)
    return gits.trajectories(CountedScore(skewed().score), GRID, start)


def test_costs_are_errors_of_ddim_steps() -> None:
    """Every step is made by the repository's own DDIM, and its error divided by ``a``."""
    states, estimates = warmed_up()
    costs = gits.cost_matrix(GRID, states, estimates)
    problem, noise = Problem(CountedScore(skewed().score)), ScriptedNoise(states[0])
    for i, j in itertools.product(range(len(GRID)), repeat=2):
        if i >= j:
            assert costs[i, j] == math.inf
            continue
        end, _ = DDIM()(problem, State(states[i], GRID[i]), GRID[j], 1, noise)
        error = (end.x - states[j]).norm(dim=1).mean() / process.alpha(GRID[j])
        assert costs[i, j] == pytest.approx(float(error), rel=1e-9, abs=1e-12)


def test_the_teacher_follows_the_ode_of_a_gaussian() -> None:
    """On ``N(m, v)`` the flow keeps ``(x - a m) / sd``; the teacher's error falls as 1/N^2."""
    mean, variance = 0.8, 0.3
    errors = []
    for count in (60, 120):
        grid = segments.karras(count, 5.0, 0.01)
        start = ChainNoise(1, 50, (1,), dtype=DOUBLE)
        score = CountedScore(gaussian(mean, variance).score)
        states, _ = gits.trajectories(score, grid, start)
        ranks = [
            (x - process.alpha(t) * mean)
            / math.sqrt(process.alpha(t) ** 2 * variance + process.variance(t))
            for t, x in zip(grid, states, strict=True)
        ]
        errors.append(max(float((rank - ranks[0]).abs().max()) for rank in ranks))
    assert errors[0] < 0.03
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.15)


def brute_force(costs: Array, count: int, gamma: float) -> list[int]:
    """The cheapest of all schedules."""
    last = len(costs) - 1

    def cost(path: tuple[int, ...]) -> float:
        steps = itertools.pairwise(path)
        return sum(float(gamma**m * costs[step]) for m, step in enumerate(steps))

    inner = itertools.combinations(range(1, last), count - 1)
    return [*min(((0, *middle, last) for middle in inner), key=cost)]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("gamma", [0.8, 1.0, 1.15, 2.0])
def test_dynamic_program_finds_the_best_schedule(count: int, gamma: float) -> None:
    generator = np.random.default_rng(count)
    for _ in range(20):
        costs = np.where(np.tri(8, dtype=bool), np.inf, generator.exponential(size=(8, 8)))
        assert gits.shortest_path(costs, count, gamma) == brute_force(costs, count, gamma)


@pytest.mark.parametrize("count", [1, 3, 7])
def test_schedule_of_a_score(count: int) -> None:
    """The whole: brute force on the costs of the same chains, and scores counted row by row."""
    score = CountingScore(skewed().score)
    found = gits.schedule(score, 2, count, chains=20, seed=3, grid=GRID, dtype=DOUBLE)
    costs = gits.cost_matrix(GRID, *warmed_up())
    assert found.times == tuple(GRID[k] for k in brute_force(costs, count, 1.15))
    assert found.evaluations == score.rows == 20 * (len(GRID) - 1)


def test_schedule_serves_rtk_sample() -> None:
    found = gits.schedule(skewed().score, (2,), 5, chains=16)
    assert (found.times[0], found.times[-1]) == (segments.T_START, segments.T_END)
    assert found.evaluations == 16 * gits.FINE
    result = rtk.sample(skewed().score, 2, 10, "dpm++2m", nfe=6, segments=found.times)
    assert result.nfe == 6


def test_a_fitted_schedule_beats_the_fine_grid_thinned_out() -> None:
    """The total cost of Euler steps is below that of every fifth and tenth point of the grid."""
    fine = segments.karras(gits.FINE)
    start = ChainNoise(0, 64, (2,), dtype=DOUBLE)
    states = gits.trajectories(CountedScore(skewed().score), fine, start)
    costs = gits.cost_matrix(fine, *states)
    for stride in (5, 10):
        even = range(0, gits.FINE + 1, stride)
        path = gits.shortest_path(costs, gits.FINE // stride, 1.0)
        totals = [sum(costs[step] for step in itertools.pairwise(p)) for p in (path, even)]
        assert totals[0] < 0.9 * totals[1]


def test_bad_arguments() -> None:
    score = skewed().score
    with pytest.raises(ValueError, match="must end above 0"):
        gits.schedule(score, 2, 1, grid=(3.0, 1.0, 0.0))
    with pytest.raises(ValueError, match="7 segments, too few to pick 8"):
        gits.schedule(score, 2, 8, grid=GRID)
    with pytest.raises(ValueError, match="count must be at least 1"):
        gits.schedule(score, 2, 0)
    with pytest.raises(ValueError, match="gamma must be positive"):
        gits.schedule(score, 2, 3, gamma=0.0)
