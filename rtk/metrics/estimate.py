"""What every metric returns and needs: an estimate with its error, and a reference to compare with.

Every metric is ``metric(samples, reference) -> Estimate``. Samples are a tensor or array of shape
(n, d) on any device; all arithmetic is float64 on the CPU. A `Reference` holds a mixture's
parameters and exact samples of it. It is made once: ``reference = Reference.of(mixture)``.

Rows of the samples must be independent and in no particular order: sorted rows make the standard
errors too small. Most metrics are biased upwards, so they are above zero for exact samples too;
`floor` measures by how much.

Raises, in all metrics:
    ValueError: for samples that do not have shape (n, d) with the target's d, that have non-finite
        rows (the message counts them), that are too few, or, where distances are computed, that
        have diverged.
    TypeError: for samples that are no array of real numbers, or a reference that is none.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from rtk.checks import check_count, check_seed
from rtk.targets.gaussian_mixture import GaussianMixture

Array = NDArray[np.float64]
Samples = Tensor | NDArray[np.floating[Any]]

# First words of the seeds, so that equal user seeds never give equal numbers in two places.
REFERENCE_STREAM, FLOOR_STREAM, PROJECTION_STREAM = 1, 2, 3
# The standard error of a mean of squared distances takes fourth powers of the coordinates, and the
# largest float64 is 1.8e308.
LARGEST = 1e75


@dataclass(frozen=True)
class Estimate:
    """A number and its Monte Carlo standard error, in the same unit."""

    value: float
    standard_error: float

    @classmethod
    def of_replicates(cls, values: ArrayLike) -> "Estimate":
        """The mean of independent values and its standard error.

        Args:
            values: shape (n,), at least two.

        Raises:
            ValueError: for fewer than two values, or an array of another shape.
        """
        values = np.asarray(values, dtype=float)
        if values.ndim != 1 or len(values) < 2:
            raise ValueError(
                "a standard error needs at least 2 independent values in an array of shape (n,), "
                f"got shape {values.shape}"
            )
        return cls(float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values))))

    @classmethod
    def of_one_sample(cls, parts: "Sequence[Estimate]") -> "Estimate":
        """The mean of estimates that were all made from the same samples.

        Their errors may be correlated in any way, so the standard error given is the mean of
        theirs, which is an upper bound.

        Raises:
            ValueError: for no estimates.
        """
        if not parts:
            raise ValueError("a mean needs at least one estimate, got none")
        return cls(
            sum(part.value for part in parts) / len(parts),
            sum(part.standard_error for part in parts) / len(parts),
        )


@dataclass(frozen=True, eq=False)
class Reference:
    """A Gaussian mixture in float64 and exact samples of it; `Reference.of` makes one.

    Two references are equal only if they are the same object.

    Attributes:
        weights: (m,).
        means: (m, d).
        covariances: (m, d, d).
        samples: (n, d), independent of every sampler under test.

    Raises:
        ValueError: for arrays whose shapes do not fit together.
    """

    weights: Array
    means: Array
    covariances: Array
    samples: Array

    def __post_init__(self) -> None:
        shapes = [np.shape(part) for part in (self.weights, self.means, self.covariances)]
        m, d = len(self.weights), np.shape(self.samples)[-1]
        if np.ndim(self.samples) != 2 or shapes != [(m,), (m, d), (m, d, d)]:
            raise ValueError(
                "expected weights (m,), means (m, d), covariances (m, d, d) and samples (n, d), "
                f"got shapes {shapes[0]}, {shapes[1]}, {shapes[2]} and {np.shape(self.samples)}"
            )

    @classmethod
    def of(cls, mixture: GaussianMixture, size: int = 50_000, seed: int = 0) -> "Reference":
        """The reference of ``mixture`` with ``size`` exact samples.

        Raises:
            TypeError: for a target that is not a `GaussianMixture`.
            ValueError: for a size below 1.
        """
        if not isinstance(mixture, GaussianMixture):
            raise TypeError(
                f"a Reference is made of a GaussianMixture, got {type(mixture).__name__}"
            )
        check_count("size", size)
        check_seed(seed)
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

    Args:
        metric: the metric, with its options fixed.
        reference: the mixture; as many fresh samples are drawn as it holds.
        size: the number of samples that the metric is given.
        replicates: the number of repetitions, at least 2.
        seed: of the samples of both sides.

    Returns:
        the mean over the replicates and its standard error. One set of exact samples scatters by
        ``replicates^(1/2)`` times that error.
    """
    check_reference(reference)
    check_count("size", size)
    check_count("replicates", replicates, 2)
    check_seed(seed)
    generator = np.random.default_rng([FLOOR_STREAM, seed])
    values = np.empty(replicates)
    for i in range(replicates):
        fresh = replace(reference, samples=reference.draw(len(reference.samples), generator))
        values[i] = metric(reference.draw(size, generator), fresh).value
    return Estimate.of_replicates(values)


def check_reference(reference: object) -> None:
    """Raise an error unless ``reference`` is a `Reference`."""
    if not isinstance(reference, Reference):
        hint = ", Reference.of makes one of it" if isinstance(reference, GaussianMixture) else ""
        raise TypeError(f"expected a Reference, got a {type(reference).__name__}{hint}")


def as_array(samples: Samples) -> Array:
    """Samples as float64 of shape (n, d), checked to be finite."""
    if isinstance(samples, Tensor) and not samples.is_complex() and samples.dtype != torch.bool:
        samples = samples.detach().to("cpu", torch.float64).numpy()
    try:
        x = np.asarray(samples)
    except ValueError:  # rows of different lengths
        x = np.empty(0, dtype=object)
    if x.dtype.kind not in "fiu":
        kind = type(samples).__name__
        hint = ", give its attribute samples" if hasattr(samples, "samples") else ""
        raise TypeError(
            f"samples must be a tensor or array of real numbers, shape (n, d), got a {kind}{hint}"
        )
    if x.ndim != 2 or x.shape[1] == 0:
        raise ValueError(f"samples must have shape (n, d), got {x.shape}")
    x = x.astype(np.float64, copy=False)
    bad = int(np.count_nonzero(~np.isfinite(x).all(axis=1)))
    if bad:
        raise ValueError(f"{bad} of {len(x)} samples are not finite")
    return x


def check_dimension(x: Array, expected: Array) -> None:
    """Raise an error unless samples have as many coordinates as the reference."""
    if x.shape[1] != expected.shape[1]:
        raise ValueError(
            f"samples have {x.shape[1]} coordinates, the reference has {expected.shape[1]}"
        )


def check_distances(x: Array) -> None:
    """Raise an error for samples whose distances cannot be computed in float64."""
    diverged = int(np.count_nonzero((np.abs(x) > LARGEST).any(axis=1)))
    if diverged:
        raise ValueError(
            f"{diverged} of {len(x)} samples have diverged: they have coordinates beyond "
            f"{LARGEST:g}, whose distances cannot be computed"
        )
