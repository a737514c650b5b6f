"""A test, without knowledge of the data, whether a score is that of the sampler's own end points.

Let ``x_0`` be the end points of the probability flow and ``y = x_0 + sigma xi``. If the score is
that of their law, its noise estimate is ``E[xi | y]``, so that ``<xi - e(y), e(y)>`` has mean zero.
With the error of a learned score it has not.
"""

import math

import torch
from torch import Tensor

from rtk.calibration.model import Model

WIDEST, NARROWEST, LEVELS = 2.0, 0.3, 6
"""Noise levels, geometric between these multiples of the data's spread."""
CRITICAL = 2.5
"""Beyond this value, in either direction, the score is taken to be imperfect."""


def statistic(model: Model, ends: Tensor, rms: float, generator: torch.Generator) -> float:
    """The mean of ``<xi - e, e> / d`` over levels and antithetic draws, over its standard error.

    Args:
        model: the model; ``2 * LEVELS`` scores for each point.
        ends: end points of the probability flow, shape (chains, d).
        rms: the spread of the data per coordinate.
        generator: of the noise.

    Returns:
        about a standard normal number if the score is that of the law of the end points.
    """
    values = []
    for k in range(LEVELS):
        sigma = rms * WIDEST * (NARROWEST / WIDEST) ** (k / (LEVELS - 1))
        xi = torch.randn(ends.shape, generator=generator, dtype=ends.dtype)
        for draw in (xi, -xi):
            estimate = model.noise(ends + sigma * draw, sigma)
            values.append(((draw - estimate) * estimate).mean(1))
    mean = torch.stack(values).mean(0)
    return float(mean.mean() / (mean.std() / math.sqrt(len(mean))).clamp_min(1e-300))
