"""B2: the number of RTK's segments and of DDPM's steps, against the accuracy and the dimension.

The target is a product of Gaussians, so that all laws are in closed form (`rtk.laws.closed_form`).
RTK's segments have the theory's length ``eta*``, and their kernels are sampled exactly. Then the
only error is that of the start, and RTK needs ``K = ceil(T / eta*)`` segments for the earliest
start T whose error is eps. DDPM replaces each kernel by a Gaussian, and the study finds the least
number of its steps.

For the paper's mixtures the study counts the segments that the theory asks for, with the Lipschitz
constant as B1 measures it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import brentq

from experiments.theory import curvature, search
from experiments.workflow import job
from rtk import segments, targets
from rtk.laws import closed_form as gaussian_steps
from rtk.laws import gaussian as gaussian_law
from rtk.laws.gaussian import Gaussian

Array = NDArray[np.float64]
Rows = list[dict[str, Any]]

PAIR = Gaussian([1.0, 1.0], [0.25, 1.0])
"""The law of two coordinates; the target has d / 2 independent copies of it."""
LIPSCHITZ = 4.0
"""L of the scores of the target over all times, ``1 / 0.25``."""
SHARE = 0.25
"""The part of eps that DDPM's start may cost, and the part that its early stopping may cost."""


@dataclass(frozen=True)
class Settings:
    """Sizes of the study.

    Attributes:
        accuracies: total variations for which segments are counted, in ``dimension`` dimensions.
        accuracy: total variation for which segments are counted in all ``dimensions``.
        targets: mixtures on which segments are counted from ``mixture_time`` down to 0.
        times, points: times at which L of a mixture is measured, and the number of samples for it.
    """

    accuracies: list[float]
    dimension: int
    accuracy: float
    dimensions: list[int]
    targets: list[str]
    mixture_time: float
    times: list[float]
    points: int


def distance(law: Gaussian, dimension: int) -> float:
    """TV between the target and d / 2 independent copies of ``law``, a law of two coordinates."""
    copies = dimension // 2
    return gaussian_law.tv(law.power(copies), PAIR.power(copies), tolerance=1e-6)


def start_error(t: float, dimension: int) -> float:
    """TV between the target and samples that exact kernels make from ``N(0, I)`` at time t.

    It does not depend on the number of kernels.
    """
    return distance(gaussian_steps.law(gaussian_steps.exact_kernel, PAIR, [t, 0.0]), dimension)


def stop_error(t: float, dimension: int) -> float:
    """TV between ``p_t`` and the target."""
    a, s2 = math.exp(-t), -math.expm1(-2.0 * t)
    return distance(Gaussian(a * PAIR.mean, a**2 * PAIR.variance + s2), dimension)


def time_at(error: Callable[[float, int], float], eps: float, dimension: int) -> float:
    """The time at which an error that is monotone in t equals eps."""
    log_t: float = brentq(
        lambda u: math.log(error(math.exp(u), dimension) / eps), math.log(1e-9), math.log(14.0)
    )
    return math.exp(log_t)


def rtk_segments(eps: float, dimension: int) -> int:
    """The number of segments of length ``eta*`` up to the time whose start error is eps."""
    return math.ceil(time_at(start_error, eps, dimension) / segments.critical_length(LIPSCHITZ))


def uniform(t_start: float, t_end: float, steps: int) -> Array:
    """Times of equal steps in t that stop at ``t_end``."""
    return np.linspace(t_start, t_end, steps + 1)


def log_snr(t_start: float, t_end: float, steps: int) -> Array:
    """Times of equal steps in log-SNR, and of a last, denoising step from ``t_end`` to 0."""
    return search.log_snr_grid(t_start, t_end, steps - 1)


def quadratic(t_start: float, t_end: float, steps: int) -> Array:
    """Times that are quadratic in the number of the step, down to 0."""
    return search.quadratic_grid(t_start, steps)


GRIDS: dict[str, Callable[[float, float, int], Array]] = {
    "uniform": uniform,
    "log-SNR": log_snr,
    "quadratic": quadratic,
}


def ddpm_steps(name: str, eps: float, dimension: int) -> int:
    """The least number of DDPM steps on a grid of `GRIDS`, to one per cent."""
    t_start = time_at(start_error, SHARE * eps, dimension)
    t_end = time_at(stop_error, SHARE * eps, dimension)

    def is_enough(steps: int) -> bool:
        law = gaussian_steps.law(gaussian_steps.ddpm, PAIR, GRIDS[name](t_start, t_end, steps))
        # A variance of zero, as after a single step to 0, is at distance 1 from any density.
        return bool(law.variance.min() > 0.0) and distance(law, dimension) <= eps

    return search.least(is_enough, start=2, tolerance=0.01)


def counts(sweep: str, eps: float, dimension: int) -> Rows:
    """The numbers of RTK's segments and, for each grid, of DDPM's steps, one row each."""
    common = {"sweep": sweep, "target": "gaussian", "eps": eps, "dimension": dimension}
    rows = [{"method": "rtk-exact", "settings": "eta*", "value": rtk_segments(eps, dimension)}]
    rows += [
        {"method": "ddpm", "settings": name, "value": ddpm_steps(name, eps, dimension)}
        for name in GRIDS
    ]
    return [{**common, "metric": "segments", **row} for row in rows]


def mixture_rows(name: str, settings: Settings, seed: int) -> Rows:
    """L of a mixture, the largest over the times, and the number of segments of length ``eta*``."""
    mixture = targets.mixture(name)
    generator = torch.Generator().manual_seed(job.derive_seed(seed, "segment_count", name))
    lipschitz = max(
        curvature.lipschitz_constant(
            mixture, mixture.sample(settings.points, t, generator, torch.float64), t
        )
        for t in settings.times
    )
    count = math.ceil(settings.mixture_time / segments.critical_length(lipschitz))
    common = {"sweep": "mixture", "target": name, "eps": math.nan, "dimension": mixture.dimension}
    return [
        {**common, "method": "rtk-exact", "settings": "eta*", "metric": metric, "value": value}
        for metric, value in (("segments", count), ("lipschitz", lipschitz))
    ]


def rows(settings: Settings, seed: int) -> Rows:
    """Numbers over the accuracies, over the dimensions, and for the mixtures."""
    table = [row for eps in settings.accuracies for row in counts("eps", eps, settings.dimension)]
    table += [row for d in settings.dimensions for row in counts("dimension", settings.accuracy, d)]
    table += [row for name in settings.targets for row in mixture_rows(name, settings, seed)]
    return [{"seed": seed, **row} for row in table]


if __name__ == "__main__":
    job.study(rows, Settings)
