"""The flow's solution against that of a Gaussian, which is known, and the distance by hand."""

import itertools
import math

import pytest
import torch
from torch import Tensor

import rtk
from experiments.images.flow_distance import distance, solve
from rtk import process
from tests.oracles import DOUBLE

MEAN, VARIANCE = 0.3, 0.2
NOISE = torch.randn(6, 1, 2, 2, generator=torch.Generator().manual_seed(0), dtype=DOUBLE)


def law(t: float) -> tuple[float, float]:
    """Mean and standard deviation of the Gaussian at an OU time."""
    a = process.alpha(t)
    return a * MEAN, math.sqrt(a**2 * VARIANCE + process.variance(t))


def exact(t: float) -> Tensor:
    """The flow of a Gaussian keeps the standardised state; at 0 the state at 1e-4, denoised."""
    if t == 0.0:
        x = exact(1e-4)
        return (x + process.variance(1e-4) * score(x, 1e-4)) / process.alpha(1e-4)
    (mean_start, std_start), (mean, std) = law(5.0), law(t)
    return mean + std / std_start * (NOISE - mean_start)


def score(x: Tensor, t: float | Tensor) -> Tensor:
    mean, std = law(float(t))
    return (mean - x) / std**2


def solved(steps: int) -> dict[float, Tensor]:
    return solve(score, NOISE, [3.0, 0.5], steps)


@pytest.mark.parametrize("t", [3.0, 0.5, 0.0])
def test_the_solution_converges_with_second_order(t: float) -> None:
    errors = [float((solved(steps)[t] - exact(t)).abs().max()) for steps in (64, 128, 256)]
    assert errors[-1] < 2e-4
    ratios = [coarse / fine for coarse, fine in itertools.pairwise(errors)]
    assert ratios == pytest.approx([4.0, 4.0], rel=0.15)


def test_the_solution_begins_at_the_noise() -> None:
    states = solved(8)
    assert {*states} == {5.0, 3.0, 0.5, 0.0}
    assert torch.equal(states[5.0], NOISE)


def test_distance_is_the_mean_of_the_images() -> None:
    others = torch.zeros(2, 1, 1, 2)
    images = torch.tensor([[[[3.0, 4.0]]], [[[0.0, 0.0]]]])
    found = distance(images, others)
    root = math.sqrt(12.5)
    assert found.value == pytest.approx(root / 2)
    assert found.standard_error == pytest.approx(root / 2)


def test_a_sampler_that_is_accurate_ends_at_the_solution() -> None:
    """Another sampler from the recorded state: the states are those of one path."""
    flow = solved(128)
    ends = rtk.sample(
        score,
        (1, 2, 2),
        6,
        "dpm++2m",
        nfe=400,
        dtype=DOUBLE,
        x_init=flow[3.0],
        t_start=3.0,
    ).samples
    assert distance(ends, flow[0.0]).value < 1e-3
    assert distance(ends.roll(1, 0), flow[0.0]).value > 0.1
