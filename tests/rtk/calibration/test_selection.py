"""The choice among a few solvers: never worse than the first of them, and within bounds."""

import itertools
import math
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

import rtk
from rtk import process
from rtk.calibration import nodes, selection
from rtk.calibration.selection import Trial
from rtk.calibration.solver import solver
from rtk.samplers.calibrated import Calibrated
from tests.oracles import DOUBLE, skewed
from tests.rtk.calibration.cases import (
    model_of,
    skewed_base,
    skewed_calibration,
    skewed_moments,
    skewed_pilot,
)


@cache
def selected(count: int) -> Calibrated:
    return selection.select(
        model_of(skewed().score, 2), trial(), skewed_base(), skewed_moments(), 5.0, count
    )


@cache
def trial() -> Trial:
    return Trial.of(skewed_pilot())


def error(chosen: Calibrated) -> float:
    return trial().error(model_of(skewed().score, 2), chosen)


@pytest.mark.parametrize("count", [1, 2, 3, 6, 7, 17])
def test_it_is_no_worse_than_its_first_candidate(count: int) -> None:
    width = skewed_pilot().narrow_variance
    path = nodes.choose(skewed_moments(), count, width, selection.EXPONENTS[0])
    first = solver(skewed_base(), skewed_moments(), 5.0, path, selection.HISTORIES[0])
    assert error(selected(count)) <= error(first)
    assert len(selected(count).steps) == count


@pytest.mark.parametrize("count", [1, 2, 3, 5, 6, 12, 30, 500])
def test_nodes_are_levels_of_the_pilot(count: int) -> None:
    """Increasing, without the first one, each used once; no more than there are."""
    times = [process.time_from_noise_level(sigma) for sigma in skewed_pilot().sigmas[1:]]
    found = [step.t_hi for step in selected(count).steps]
    assert len(found) == min(count, len(times))
    places = [times.index(t) for t in found]
    assert all(a < b for a, b in itertools.pairwise(places))


def test_more_scores_err_less() -> None:
    errors = [error(selected(count)) for count in (1, 2, 3, 6, 12, 30)]
    assert errors == sorted(errors, reverse=True), errors
    assert errors[-1] < 0.02


def test_the_search_finds_a_minimum_within_its_bounds() -> None:
    """Distances to a path at the border are minimised, node by node, in steps of at most two."""
    goal, levels = (1, 2, 9), 10

    def distance(path: tuple[int, ...]) -> float:
        assert path[0] >= 1
        assert path[-1] < levels
        assert all(a < b for a, b in itertools.pairwise(path))
        return float(sum(abs(a - b) for a, b in zip(path, goal, strict=True)))

    start = (2, 4, 8)
    found, best = selection._search(start, distance(start), levels, distance)
    assert (found, best) == (goal, 0.0)


def test_no_solver_is_tried_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []

    def remembered(*arguments: Any) -> Calibrated:
        made.append(arguments[3:])
        return solver(*arguments)

    monkeypatch.setattr(selection, "solver", remembered)
    selected.__wrapped__(5)
    tried = made[:-1]  # The last one is the solver that is returned.
    assert len(tried) == len(set(tried)) > len(selection.EXPONENTS)


def test_the_error_is_the_distance_of_the_ends() -> None:
    """By hand from the samples that the solver itself draws, with the pilot's start as x_init."""
    chosen = selected(4)
    start = skewed_pilot().y[0][: selection.CHAINS]
    x = torch.exp(torch.tensor(-5.0, dtype=DOUBLE)) * start
    ends = rtk.sample(skewed().score, 2, len(x), chosen, 4, dtype=DOUBLE, x_init=x).samples
    away = ends - skewed_pilot().ends[: selection.CHAINS]
    distance = away.square().mean(1).sqrt() / math.sqrt(skewed_pilot().narrow_variance)
    pull = (away * trial().score).sum(1)[distance < 3.0].mean().abs() / 2.0
    assert error(chosen) == pytest.approx(float(distance.mean() + pull.clamp_max(1.0)), rel=1e-6)
    exact = skewed().score(ends, 0.0)
    assert (
        float(torch.corrcoef(torch.stack([exact.flatten(), trial().score.flatten()]))[0, 1]) > 0.9
    )


def test_a_solver_that_diverges_is_infinitely_bad() -> None:
    def breaks(x: Tensor, t: float) -> Tensor:
        return torch.full_like(x, 1e308)

    assert trial().error(model_of(breaks, 2), selected(4)) == math.inf


def test_a_trial_of_a_solver_with_noise_is_refused() -> None:
    with pytest.raises(TypeError, match="asked for noise"):
        selection.NoNoise().normal()


def test_a_solver_does_not_depend_on_those_made_before() -> None:
    one, two = (rtk.calibrate(skewed().score, 2, dtype=DOUBLE) for _ in range(2))
    for nfe in (3, 9):
        one.solver(nfe, skewed().score, dtype=DOUBLE)
    assert (
        two.solver(9, skewed().score, dtype=DOUBLE).steps
        == one.solver(9, skewed().score, dtype=DOUBLE).steps
        == skewed_calibration().solver(9, skewed().score, dtype=DOUBLE).steps
    )
