"""From nodes to a solver: the coefficients of every step."""

from collections.abc import Sequence

import numpy as np

from rtk import process
from rtk.calibration.fit import coefficients
from rtk.calibration.moments import Array, Moments
from rtk.gaussian_base import GaussianBase
from rtk.samplers.calibrated import Calibrated, Step


def solver(
    base: GaussianBase, moments: Moments, t_start: float, nodes: Sequence[int], history: int
) -> Calibrated:
    """The solver with scores at these levels of the pilot.

    Args:
        base: the Gaussian whose flow is exact.
        moments: of the pilot with respect to the base.
        t_start: OU time of level 0.
        nodes: increasing indices of levels, from 1.
        history: the number of residuals that a prediction uses; a correction uses one more.
    """
    end = len(moments.sigmas) - 1
    times = [*(process.time_from_noise_level(sigma) for sigma in moments.sigmas[[*nodes]]), 0.0]
    steps = []
    path, predicted = [0, *nodes, end], np.zeros(0)
    for k in range(1, len(path) - 1):
        known = path[k:0:-1]
        corrected = coefficients(moments, path[k - 1], path[k], known[: history + 1])[0]
        corrected[1 : 1 + len(predicted)] -= predicted
        predicted = coefficients(moments, path[k], path[k + 1], known[:history])[0]
        below = process.noise_level(times[k])
        steps.append(Step(times[k - 1], times[k], _floats(corrected), _floats(predicted), below))
    return Calibrated(base, t_start, tuple(steps))


def _floats(values: Array) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
