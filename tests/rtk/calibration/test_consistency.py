"""The statistic of consistency: its law if the score is exact, and its sign if it is not."""

import math

import numpy as np
import torch
from torch import Tensor

from rtk.calibration import consistency, pilot
from rtk.score import Score
from tests.oracles import DOUBLE, skewed
from tests.rtk.calibration.cases import generator, model_of

SEEDS = 60


def rippled(x: Tensor, t: float) -> Tensor:
    """The score with a smooth error, of 0.3 in units of the noise."""
    sigma = math.sqrt(-math.expm1(-2.0 * t))
    return skewed().score(x, t) + 0.3 / sigma * torch.sin(4.0 * x.flip(1))


def at_data(score: Score, seeds: int) -> np.ndarray:
    """The statistic at 128 independent points of the mixture, for each seed."""
    model = model_of(score, 2)
    values = []
    for seed in range(seeds):
        random = generator(seed)
        ends = skewed().sample(128, 0.0, random, dtype=DOUBLE)
        values.append(consistency.statistic(model, ends, 1.0, random))
    return np.array(values)


def at_ends(score: Score, seeds: int) -> np.ndarray:
    """The statistic at the end points of the pilot, which come in antithetic pairs."""
    model = model_of(score, 2)
    values = []
    for seed in range(seeds):
        random = generator(seed)
        run = pilot.run(model, 5.0, random)
        values.append(consistency.statistic(model, run.ends, run.rms, random))
    return np.array(values)


def test_it_is_standard_normal_for_an_exact_score() -> None:
    """60 seeds: the mean to 5/sqrt(60) = 0.65, the deviation to 5/sqrt(120) = 0.46."""
    values = at_data(skewed().score, SEEDS)
    assert abs(values.mean()) < 5.0 / math.sqrt(SEEDS)
    assert abs(values.std(ddof=1) - 1.0) < 5.0 / math.sqrt(2.0 * SEEDS)


def test_it_is_no_larger_at_the_ends_of_the_flow() -> None:
    """Ten seeds: the mean to 5/sqrt(10); antithetic ends make it, if anything, smaller."""
    values = at_ends(skewed().score, 10)
    assert abs(values.mean()) < 5.0 / math.sqrt(10)
    assert values.std(ddof=1) < 1.0 + 5.0 / math.sqrt(20)


def test_its_sign_is_that_of_a_noise_estimate_that_is_too_small() -> None:
    """Ten seeds with the score 10 per cent too large or too small: beyond 5/sqrt(10)."""
    large = at_data(lambda x, t: 1.1 * skewed().score(x, t), 10)
    small = at_data(lambda x, t: 0.9 * skewed().score(x, t), 10)
    assert large.mean() < -5.0 / math.sqrt(10)
    assert small.mean() > 5.0 / math.sqrt(10)


def test_a_smooth_error_is_found_at_the_ends_of_its_own_flow() -> None:
    values = at_ends(rippled, 5)
    assert bool((values < -consistency.CRITICAL).all()), values


def test_it_does_not_depend_on_the_units() -> None:
    """Data ten times as wide, with the same noise, have the same statistic."""

    def wide(x: Tensor, t: float) -> Tensor:
        """The score of ``10 x_0``, from that of ``x_0`` at the same ratio to the noise."""
        sigma = math.sqrt(math.expm1(2.0 * t)) / 10.0
        inner = 0.5 * math.log1p(sigma**2)
        y = math.exp(t) * x / 10.0
        gradient = math.exp(-inner) * rippled(math.exp(-inner) * y, inner)
        return math.exp(t) / 10.0 * gradient

    ends = skewed().sample(128, 0.0, generator(), dtype=DOUBLE)
    one = consistency.statistic(model_of(rippled, 2), ends, 1.0, generator(1))
    ten = consistency.statistic(model_of(wide, 2), 10.0 * ends, 10.0, generator(1))
    assert math.isclose(one, ten, rel_tol=1e-9)
