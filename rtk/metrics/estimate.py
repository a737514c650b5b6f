"""What every metric returns and needs: an estimate with its error, and a reference to compare with.

Every metric is ``metric(samples, reference) -> Estimate``. Samples are a tensor or array of shape
(n, d) on any device; all arithmetic is float64 on the CPU. A `Reference` holds a mixture's
parameters and exact samples of it. It is made once: ``reference = Reference.of(mixture)``.

Rows of the samples must be independent and in no particular order: sorted rows make the standard
errors too small. Most metrics are biased upwards, so they are above zero for exact samples too;
`floor` measures by how much.

Raises, in all metrics:
    ValueError: for samples that do not have shape (n, d) with the target's d, that have non-finite
        rows (the message counts them), or that are too few.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from rtk.targets.gaussian_mixture import GaussianMixture

Array = NDArray[np.float64]
Samples = Tensor | NDArray[np.floating[Any]]

# First words of the seeds, so that equal user seeds never give equal numbers in two places.
REFERENCE_STREAM, FLOOR_STREAM, PROJECTION_STREAM = 1, 2, 3


@dataclass(frozen=True)
class Estimate:
    """A number and its Monte Carlo standard error."""

    value: float
    standard_error: float

    @classmethod
    def of_replicates(cls, values: ArrayLike) -> "Estimate":
        """Mean of independent values, shape (n,), and its standard error."""
        values = np.asarray(values, dtype=float)
        return cls(float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values))))

    @classmethod
    def of_one_sample(cls, parts: "Sequence[Estimate]") -> "Estimate":
        """Mean of estimates from the same samples.

        Their errors may add up, so the standard error given is the mean of theirs, an upper bound.
        """
        return cls(
            sum(part.value for part in parts) / len(parts),
            sum(part.standard_error for part in parts) / len(parts),
        )


@dataclass(frozen=True, eq=False)
class Reference:
    """A Gaussian mixture in float64 and exact samples of it.

    Attributes:
        weights: (m,).  means: (m, d).  covariances: (m, d, d).
        samples: (n, d), independent of every sampler under test.
    """

    weights: Array
    means: Array
    covariances: Array
    samples: Array

    @classmethod
    def of(cls, mixture: GaussianMixture, size: int = 50_000, seed: int = 0) -> "Reference":
        """The reference of ``mixture``, with ``size`` exact samples."""
        means = mixture.means.numpy()
        covariances = mixture.covariances.numpy()
        if covariances.ndim < 3:
            columns = covariances if covariances.ndim == 2 else covariances.reshape(-1, 1)
            covariances = np.broadcast_to(columns, means.shape)[:, :, None] * np.eye(means.shape[1])
        bare = cls(mixture.weights.numpy(), means, covariances, np.empty((0, means.shape[1])))
        return replace(
            bare, samples=bare.draw(size, np.random.default_rng([REFERENCE_STREAM, seed]))
        )

    def draw(self, n: int, generator: np.random.Generator) -> Array:
        """``n`` exact samples, shape (n, d)."""
        component = generator.choice(len(self.weights), n, p=self.weights)
        samples = generator.standard_normal((n, self.means.shape[1]))
        for k, root in enumerate(np.linalg.cholesky(self.covariances)):
            samples[component == k] = self.means[k] + samples[component == k] @ root.T
        return samples


Metric = Callable[[Samples, Reference], Estimate]


def floor(
    metric: Metric, reference: Reference, size: int, replicates: int = 10, seed: int = 0
) -> Estimate:
    """What ``metric`` gives for ``size`` exact samples, against fresh reference samples each time.

    The mean over the replicates and its standard error; one set of exact samples scatters by
    ``replicates^(1/2)`` times that error.
    """
    if replicates < 2:
        raise ValueError(f"a standard error needs at least 2 replicates, got {replicates}")
    generator = np.random.default_rng([FLOOR_STREAM, seed])
    values = np.empty(replicates)
    for i in range(replicates):
        fresh = replace(reference, samples=reference.draw(len(reference.samples), generator))
        values[i] = metric(reference.draw(size, generator), fresh).value
    return Estimate.of_replicates(values)


def as_array(samples: Samples) -> Array:
    """Samples as float64 of shape (n, d), checked to be finite."""
    if isinstance(samples, Tensor):
        samples = samples.detach().to("cpu", torch.float64).numpy()
    x = np.asarray(samples, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] == 0:
        raise ValueError(f"samples must have shape (n, d), got {x.shape}")
    bad = int(np.count_nonzero(~np.isfinite(x).all(axis=1)))
    if bad:
        raise ValueError(f"{bad} of {len(x)} samples are not finite")
    return x


def check_dimension(x: Array, expected: Array) -> None:
    if x.shape[1] != expected.shape[1]:
        raise ValueError(
            f"samples have {x.shape[1]} coordinates, the reference has {expected.shape[1]}"
        )
