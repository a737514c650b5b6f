"""Checks of targets that several of their tests share."""

import math
from collections.abc import Callable
from typing import Any

import mpmath
import pytest
import torch
from torch import Tensor

from rtk import process
from rtk.targets import Target
from tests.oracles import DOUBLE

TIMES = (0.02, 0.6)


def noised_samples(target: Target, n: int, t: float, seed: int = 0) -> Tensor:
    """Samples of ``p_t`` made from samples of ``p_0``."""
    generator = torch.Generator().manual_seed(seed)
    x = target.sample(n, 0.0, generator, DOUBLE)
    noise = torch.randn(x.shape, generator=generator, dtype=DOUBLE)
    return process.alpha(t) * x + process.sigma(t) * noise


def assert_integral(
    target: Target, density: Callable[[list[Any], float, float], Any], x: list[float], t: float
) -> None:
    """``p_t`` at one point is the textbook integral ``density(x, a, s^2)``, computed by mpmath.

    The score is compared with a central difference of its logarithm, whose error is below 1e-8.
    """
    a, s2, h = math.exp(-t), -math.expm1(-2 * t), 1e-5
    point = torch.tensor([x], dtype=DOUBLE)
    expected = float(mpmath.log(density(x, a, s2)))
    assert target.log_prob(point, t).item() == pytest.approx(expected, abs=1e-10)
    for i, slope in enumerate(target.score(point, t)[0]):
        up, down = list(x), list(x)
        up[i], down[i] = x[i] + h, x[i] - h
        ratio = mpmath.log(density(up, a, s2) / density(down, a, s2))
        assert slope.item() == pytest.approx(float(ratio) / (2 * h), rel=1e-6, abs=1e-6)


def assert_normalised(target: Target, t: float) -> None:
    """The density sums to one on a grid; beyond it Student's t has a mass below 1e-7."""
    if target.dimension == 1:
        line = torch.linspace(-250.0, 250.0, 10_001, dtype=DOUBLE)
        points = line[:, None]
    else:
        line = torch.linspace(-9.0, 9.0, 181, dtype=DOUBLE)
        points = torch.cartesian_prod(line, line)
    cell = float(line[1] - line[0]) ** target.dimension
    assert float(target.log_prob(points, t).exp().sum()) * cell == pytest.approx(1.0, abs=1e-4)
