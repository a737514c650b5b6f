"""References and metrics that the tests of several files share."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch

from rtk import metrics
from rtk.metrics import Metric, Reference
from rtk.metrics.estimate import Array
from rtk.targets.gaussian_mixture import GaussianMixture

TOTAL_VARIATIONS: list[Metric] = [
    metrics.marginal_accuracy,
    metrics.halved_marginal_accuracy,
    metrics.histogram_tv,
    metrics.mode_weight_tv,
    metrics.radial_tv,
]
TRANSPORTS: list[Metric] = [
    partial(metrics.sliced_w2, projections=20, replicates=5),
    partial(metrics.w2, size=20, replicates=5),
    partial(metrics.energy_distance, size=50, replicates=5),
    partial(metrics.sinkhorn_cost, size=20, regularisation=1.0),
]


def reference_of(
    weights: list[float], means: object, covariances: object, size: int = 2000
) -> Reference:
    """The reference of the mixture with these numbers, in double precision."""

    def tensor(values: object) -> torch.Tensor:
        return torch.as_tensor(np.asarray(values, dtype=np.float64))

    return Reference.of(GaussianMixture(tensor(weights), tensor(means), tensor(covariances)), size)


def parts(reference: Reference) -> Iterator[tuple[float, Array, Array]]:
    """Weight, mean and covariance of each component."""
    return zip(reference.weights, reference.means, reference.covariances, strict=True)


def generator(seed: int) -> np.random.Generator:
    """Random numbers whose seeds are not those that the metrics use themselves."""
    return np.random.default_rng([seed, 17])
