"""Independent answers, and measurements that several tests share.

Densities and laws are computed in NumPy from their definitions. Of the code under test they use
only the parameters of a mixture.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

import rtk
from rtk import GaussianMixture
from rtk.sampler import make_method
from rtk.samplers.base import Fittable

Array = NDArray[np.float64]
DOUBLE = torch.float64
# Methods with a Metropolis test: rounding may turn it, exact energies serve it, and it rejects a
# proposal whose score is broken.
ADJUSTED = ("rtk-mala", "rtk-hmc", "rtk-ghmc")

FITTED = [name for name in rtk.methods() if isinstance(make_method(name, {}), Fittable)]
"""The methods that are fitted to a model first; they choose their own segments."""
PLAIN = [name for name in rtk.methods() if name not in FITTED]
"""The other methods."""


def mixture_of(
    weights: Sequence[float], means: Sequence[Sequence[float]], covariances: object
) -> GaussianMixture:
    """The mixture with these parameters, in double precision."""
    return GaussianMixture(
        torch.tensor(weights, dtype=DOUBLE),
        torch.tensor(means, dtype=DOUBLE),
        torch.as_tensor(covariances, dtype=DOUBLE),
    )


def skewed() -> GaussianMixture:
    """Three unequal modes in the plane without any symmetry that could hide a wrong sign."""
    return mixture_of([0.6, 0.3, 0.1], [[-1.5, 0.5], [1.0, 1.0], [0.5, -1.5]], [0.2, 0.3, 0.1])


def gaussian(mean: float, variance: float) -> GaussianMixture:
    """``N(mean, variance)`` on the line."""
    return mixture_of([1.0], [[mean]], variance)


def covariance_forms() -> dict[str, Tensor | float]:
    """Covariances of three components in R^3, in every form that a mixture accepts."""
    factors = torch.randn(3, 3, 3, generator=torch.Generator().manual_seed(5), dtype=DOUBLE)
    return {
        "scalar": 0.4,
        "per component": torch.tensor([0.2, 0.5, 1.1], dtype=DOUBLE),
        "diagonal": torch.tensor([[0.2, 0.5, 1.1], [0.3, 0.1, 0.6], [0.9, 0.4, 0.15]]).double(),
        "full": factors @ factors.mT + 0.2 * torch.eye(3, dtype=DOUBLE),
    }


FORMS = [*covariance_forms()]


def spatial(form: str) -> GaussianMixture:
    """A mixture of three unequal components in R^3, with covariances of the given form."""
    means = torch.tensor([[-1.0, 0.3, 0.8], [1.2, -0.5, 0.0], [0.4, 1.5, -1.1]], dtype=DOUBLE)
    return GaussianMixture(torch.tensor([0.5, 0.3, 0.2]), means, covariance_forms()[form])


def dense_covariances(mixture: GaussianMixture) -> Array:
    """The covariance matrices of shape (m, d, d), for covariances in any form."""
    covariances = mixture.covariances.numpy()
    if covariances.ndim == 3:
        return np.asarray(covariances)
    columns = covariances if covariances.ndim == 2 else covariances.reshape(-1, 1)
    diagonal = np.broadcast_to(columns, mixture.means.shape)
    return np.asarray(diagonal[:, :, None] * np.eye(mixture.dimension))


def mixture_moments(mixture: GaussianMixture, t: float = 0.0) -> tuple[Array, Array]:
    """The mean of shape (d,) and the covariance of shape (d, d) of ``p_t``."""
    weights, means = mixture.weights.numpy(), np.exp(-t) * mixture.means.numpy()
    noise = 1.0 - np.exp(-2.0 * t)
    covariances = np.exp(-2 * t) * dense_covariances(mixture) + noise * np.eye(mixture.dimension)
    mean = weights @ means
    second = np.einsum("m,mde->de", weights, covariances + means[:, :, None] * means[:, None, :])
    return mean, second - np.outer(mean, mean)


def assert_average(values: Tensor, expected: Array | float, bias: float = 0.0) -> None:
    """Check that the mean over rows is ``expected``, up to 5 standard errors and a bias."""
    values = values.double()
    error = np.abs(values.mean(0).numpy() - expected)
    allowed = 5.0 * values.std(0).numpy() / np.sqrt(len(values)) + bias
    assert np.all(error <= allowed), f"error {error}, allowed {allowed}"


def assert_moments(samples: Tensor, mean: Array, covariance: Array, bias: float = 0.0) -> None:
    """Check the mean and the covariance of the rows, up to 5 standard errors and a bias."""
    assert_average(samples, mean, bias)
    away = samples.double() - torch.from_numpy(np.asarray(mean, dtype=np.float64))
    assert_average(away[:, :, None] * away[:, None, :], covariance, bias)


def assert_law(samples: Tensor, cdf: Callable[[Array], Array], bins: int = 60) -> None:
    """Check that independent draws on the line follow ``cdf``, by chi-square over equal bins.

    The smallest p-value that passes is that of 5 sigma, 2.9e-7.
    """
    ranks = cdf(samples.double().flatten().numpy())
    counts = np.histogram(ranks, bins, (0.0, 1.0))[0]
    p = stats.chisquare(counts).pvalue
    assert p > 2.9e-7, f"p = {p:.2g}"


class CountingScore:
    """A score that counts the rows it was asked for, and records the times."""

    def __init__(self, function: Callable[[Tensor, float], Tensor]) -> None:
        self.function, self.rows = function, 0
        self.times: list[float] = []

    def __call__(self, x: Tensor, t: float) -> Tensor:
        self.rows += len(x)
        self.times.append(t)
        return self.function(x, t)


class ScriptedNoise:
    """Noise that is fixed beforehand: every call returns the same normal or uniform numbers."""

    def __init__(self, normal: Tensor, uniform: Tensor | None = None) -> None:
        self.n, self._normal, self._uniform = len(normal), normal, uniform

    def normal(self) -> Tensor:
        return self._normal

    def uniform(self) -> Tensor:
        assert self._uniform is not None
        return self._uniform


@dataclass(frozen=True)
class Law:
    """A Gaussian law on a vector of states, which affine maps transform."""

    mean: Array
    covariance: Array

    def push(
        self, matrix: Sequence[Sequence[float]], offset: Sequence[float], noise: object = 0.0
    ) -> "Law":
        """The law of ``A y + b + N(0, noise)``."""
        a, b = np.array(matrix, dtype=np.float64), np.array(offset, dtype=np.float64)
        spread = np.asarray(noise, dtype=np.float64)
        return Law(a @ self.mean + b, a @ self.covariance @ a.T + spread)


@dataclass(frozen=True)
class LineKernel:
    """The reverse transition kernel of a mixture on the line at one ``x``, in NumPy."""

    weights: Sequence[float]
    means: Sequence[float]
    variances: Sequence[float]
    x: float
    t_hi: float
    t_lo: float
    grid: Array = field(default_factory=lambda: np.linspace(-8.0, 8.0, 4001))

    def _logits(self, z: Array) -> tuple[Array, Array]:
        a, s2 = np.exp(-self.t_lo), -np.expm1(-2 * self.t_lo)
        variances = a**2 * np.array(self.variances) + s2
        away = z[..., None] - a * np.array(self.means)
        logits = np.log(self.weights) - away**2 / (2 * variances) - np.log(variances) / 2
        return logits, -away / variances

    def potential(self, z: Array) -> Array:
        """The potential ``g(z)`` up to a constant."""
        logits, _ = self._logits(z)
        eta = self.t_hi - self.t_lo
        tilt = (self.x - np.exp(-eta) * z) ** 2 / (2 * -np.expm1(-2 * eta))
        return np.asarray(tilt - np.logaddexp.reduce(logits, axis=-1))

    def gradient(self, z: Array) -> Array:
        """The derivative ``g'(z)``."""
        logits, pulls = self._logits(z)
        share = np.exp(logits - logits.max(-1, keepdims=True))
        score = (share * pulls).sum(-1) / share.sum(-1)
        eta = self.t_hi - self.t_lo
        return np.asarray(
            (np.exp(-2 * eta) * z - np.exp(-eta) * self.x) / -np.expm1(-2 * eta) - score
        )

    def density(self) -> Array:
        """The normalised density on the grid."""
        g = self.potential(self.grid)
        return normalised(np.exp(g.min() - g), self.grid)


def normalised(values: Array, grid: Array) -> Array:
    """The values divided by their integral over an even grid."""
    return np.asarray(values / (values.sum() * (grid[1] - grid[0])))


def cdf_on_grid(density: Array, grid: Array) -> Callable[[Array], Array]:
    """The distribution function of a density on an even grid, by the trapezoid rule."""
    steps = 0.5 * (density[1:] + density[:-1])
    below = np.concatenate(([0.0], np.cumsum(steps)))
    return lambda z: np.asarray(np.interp(z, grid, below / below[-1]))


def draw(**options: Any) -> rtk.Result:
    """16 samples of the skewed mixture, unless the options of `rtk.sample` say otherwise."""
    arguments: dict[str, Any] = {"score": skewed().score, "shape": 2, "n": 16, **options}
    return rtk.sample(**arguments)
