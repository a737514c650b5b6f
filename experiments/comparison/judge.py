"""The errors by which samples are compared with a target.

On mixtures these are the error of the modes, ``J = (mode-weight TV + radial TV) / 2``, the sliced
W2 distance and the energy distance; on other targets the last two. All are above zero for exact
samples, too. `floor` measures by how much.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import torch
from torch import Tensor

from experiments.comparison.targets import Array, draw
from experiments.workflow import job
from rtk import metrics
from rtk.targets import GaussianMixture, Target

PROJECTIONS = 25
"""Directions of the sliced distance, for each of its two halves of the samples."""
PAIRED = 1000
"""Most samples of either side in the energy distance, whose cost is quadratic in them."""
FAR = 1e6
"""Where chains are put that have left all bounds or are not numbers, so that they count."""


@dataclass(frozen=True, eq=False)
class Exact:
    """Exact samples (n, d) of a target, with which many sets of samples are compared."""

    samples: Array

    @cached_property
    def spread(self) -> float:
        """``mean |y - y'|`` over all pairs of the first `PAIRED` samples."""
        return _mean_distance(self.samples[:PAIRED], self.samples[:PAIRED])


def judge(x: Array, exact: Exact, target: Target) -> dict[str, float]:
    """Metric -> error of the samples ``x`` (n, d), given as many exact samples of the target."""
    judged = (
        {} if not isinstance(target, GaussianMixture) else {"mode_error": mode_error(x, target)}
    )
    return judged | {
        "sliced_w2": metrics.sliced_w2(
            x, exact.samples, replicates=2, projections=PROJECTIONS
        ).value,
        "energy_distance": energy_distance(x, exact),
    }


def mode_error(x: Array, mixture: GaussianMixture) -> float:
    """``J = (mode-weight TV + radial TV) / 2``, in [0, 1]."""
    reference = _reference(mixture)
    weights = metrics.mode_weight_tv(x, reference).value
    return 0.5 * (weights + metrics.radial_tv(x, reference).value)


@lru_cache(maxsize=1)
def _reference(mixture: GaussianMixture) -> metrics.Reference:
    """The mixture for the metrics, kept for the next samples of it."""
    return metrics.Reference.of(mixture, size=1)


def energy_distance(x: Array, exact: Exact) -> float:
    """``(2 mean |x - y| - mean |x - x'| - mean |y - y'|)^(1/2)`` over all pairs (n, d), (k, d).

    Of either side the first `PAIRED` samples are taken. A sample's distance from itself is among
    the pairs. So unlike `rtk.metrics.energy_distance` this has a bias, is never negative, and has a
    floor (Szekely and Rizzo 2013, J. Stat. Plan. Inference 143, 1249).
    """
    x, y = x[:PAIRED], exact.samples[:PAIRED]
    squared = 2.0 * _mean_distance(x, y) - _mean_distance(x, x) - exact.spread
    return math.sqrt(max(squared, 0.0))


def _mean_distance(x: Array, y: Array) -> float:
    """``mean |x - y|`` over all pairs of rows of ``x`` (n, d) and ``y`` (k, d)."""
    return float(torch.cdist(torch.from_numpy(x), torch.from_numpy(y)).mean())


def bounded(samples: Tensor) -> Array:
    """Samples in float64, with what is not a number or beyond `FAR` put there."""
    far = torch.nan_to_num(samples.double(), nan=FAR, posinf=FAR, neginf=-FAR).clamp(-FAR, FAR)
    return np.asarray(far.cpu().numpy())


def floor(target: Target, n: int, replicates: int, seed: int) -> Iterator[dict[str, float]]:
    """The errors of ``n`` exact samples against ``n`` others, in independent replicates."""
    for replicate in range(replicates):
        x, exact = (draw(target, n, job.derive_seed(seed, replicate, k)) for k in ("x", "exact"))
        yield judge(x, Exact(exact), target)
