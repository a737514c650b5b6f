"""The errors by which samples are compared with a target.

On mixtures these are the error of the modes, ``J = (mode-weight TV + radial TV) / 2``, the sliced
W2 distance and the energy distance; on other targets the last two. All are above zero for exact
samples, too. `floor` measures by how much.
"""

from collections.abc import Iterator
from functools import lru_cache

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


def judge(x: Array, exact: Array, target: Target) -> dict[str, float]:
    """Metric -> error of the samples ``x`` (n, d), given as many exact samples of the target."""
    judged = (
        {} if not isinstance(target, GaussianMixture) else {"mode_error": mode_error(x, target)}
    )
    return judged | {
        "sliced_w2": metrics.sliced_w2(x, exact, replicates=2, projections=PROJECTIONS).value,
        "energy_distance": energy_distance(x[:PAIRED], exact[:PAIRED]),
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


def energy_distance(x: Array, y: Array) -> float:
    """``(2 mean |x - y| - mean |x - x'| - mean |y - y'|)^(1/2)`` over all pairs (n, d), (k, d).

    A sample's distance from itself is among them. So unlike `rtk.metrics.energy_distance` this has
    a bias, is never negative, and has a floor (Szekely and Rizzo 2013, J. Stat. Plan. Inference
    143, 1249).
    """
    a, b = torch.from_numpy(x), torch.from_numpy(y)
    squared = 2.0 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()
    return float(squared.clamp(min=0.0).sqrt())


def bounded(samples: Tensor) -> Array:
    """Samples in float64, with what is not a number or beyond `FAR` put there."""
    far = torch.nan_to_num(samples.double(), nan=FAR, posinf=FAR, neginf=-FAR).clamp(-FAR, FAR)
    return np.asarray(far.cpu().numpy())


def floor(target: Target, n: int, replicates: int, seed: int) -> Iterator[dict[str, float]]:
    """The errors of ``n`` exact samples against ``n`` others, in independent replicates."""
    for replicate in range(replicates):
        x, exact = (draw(target, n, job.derive_seed(seed, replicate, k)) for k in ("x", "exact"))
        yield judge(x, exact, target)
