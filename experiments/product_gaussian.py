"""Whole chains on products of centred Gaussians, by the affine map of each segment.

For ``N(0, v)`` a segment maps ``x -> slope x + spread^(1/2) xi`` in each coordinate by itself, so
the law at the end of a chain of any length is a sum in closed form. `rtk.gaussian_law.sample_law`
reads the same laws off the samplers' code, which the tests compare; its time grows as the square of
the inner steps, this one's as their logarithm.

A mean ``m`` moves all chains by ``a_t m`` and is left out: only the start ``N(0, I)`` knows it.
Arrays have shape (segments, coordinates); variances ``v`` shape (coordinates,).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rtk.gaussian_law import Gaussian
from rtk.segments import Times
from rtk.uld import coefficients

Array = NDArray[np.float64]

FRICTION = 2.0


class Maps(NamedTuple):
    """Slope and added variance of each segment, both (segments, coordinates)."""

    slope: Array
    spread: Array


def law(maps: Maps, times: Times, mean: ArrayLike = 0.0) -> Gaussian:
    """Law at the end of the chain from ``N(0, I)`` at the grid's start, for data of this mean."""
    # What is left of a segment's end at the end of the chain.
    left = np.cumprod(maps.slope[::-1], axis=0)[::-1]
    after = np.concatenate((left[1:], np.ones_like(left[:1])))
    variance = left[0] ** 2 + (after**2 * maps.spread).sum(0)
    return Gaussian(mean - left[0] * np.exp(-times[0]) * mean, variance)


def ddpm(variance: Array, times: Times) -> Maps:
    """Tweedie's mean and the posterior variance (`rtk.ddpm`); the mean is exact for Gaussians."""
    (a, s2), (a_lo, s2_lo), kept = _schedule(times)
    fresh = 1.0 - kept**2
    denoised = a * variance / (a**2 * variance + s2)
    slope = (a_lo * fresh * denoised + kept * s2_lo) / s2
    return Maps(slope, s2_lo * fresh / s2 + 0.0 * slope)


def ddim(variance: Array, times: Times) -> Maps:
    """The probability-flow ODE by one exponential step (`rtk.ddim`)."""
    (a, s2), (a_lo, s2_lo), _ = _schedule(times)
    denoised = a * variance / (a**2 * variance + s2)
    slope = a_lo * denoised + np.sqrt(s2_lo / s2) * (1.0 - a * denoised)
    return Maps(slope, np.zeros_like(slope))


def rtk(
    method: str, variance: Array, times: Times, step_size: float, inner_steps: ArrayLike = np.inf
) -> Maps:
    """RTK-ULD or RTK-ULA from the DDPM warm start, with the smallest variance as data_variance.

    ``step_size`` is relative to the curvature, as in `rtk.transition_step`; ``inner_steps`` is one
    number or one for each segment. The inner chain starts at the kernel's mean, so only its
    covariance moves, ``C_n = S + A^n (C_0 - S) A^n^T`` with the invariant ``S = A S A^T + Q``;
    infinitely many steps leave ``S``.

    Raises:
        ValueError: if the chain has no invariant law, as with too large a step.
    """
    start = ddpm(variance, times)
    (_, _), (a_lo, s2_lo), kept = _schedule(times)
    tilt = kept**2 / (1.0 - kept**2)
    scale = 1.0 / (a_lo**2 * variance.min() + s2_lo) + tilt
    # In units of length scale^(-1/2) and of time likewise.
    precision = (1.0 / (a_lo**2 * variance + s2_lo) + tilt) / scale
    matrix, noise = {"rtk-ula": _ula, "rtk-uld": _uld}[method](precision, step_size)
    if not (np.abs(np.linalg.eigvals(matrix)) < 1.0).all():
        raise ValueError(f"{method} with step_size={step_size} has no invariant law")
    invariant = _invariant(matrix, noise)
    first = np.zeros_like(matrix) + np.eye(matrix.shape[-1])
    first[..., 0, 0] = start.spread * scale
    steps = np.broadcast_to(inner_steps, len(matrix))
    power = np.zeros_like(matrix)
    for count in np.unique(steps[np.isfinite(steps)]):
        power[steps == count] = np.linalg.matrix_power(matrix[steps == count], int(count))
    reached = invariant + power @ (first - invariant) @ power.mT
    return Maps(start.slope, reached[..., 0, 0] / scale)


def _ula(precision: Array, step_size: float) -> tuple[Array, Array]:
    """Matrix and noise of a step on ``z``."""
    return (1.0 - step_size * precision)[..., None, None], np.array([[2.0 * step_size]])


def _uld(precision: Array, step_size: float) -> tuple[Array, Array]:
    """Matrix and noise of a step on ``(z, velocity)``."""
    c = coefficients(step_size, FRICTION)
    matrix = np.empty((*precision.shape, 2, 2))
    matrix[..., 0, 0], matrix[..., 0, 1] = 1.0 - c.push * precision, c.kick
    matrix[..., 1, 0], matrix[..., 1, 1] = -c.kick * precision, c.decay
    return matrix, np.array([[c.variance_z, c.covariance], [c.covariance, c.variance_v]])


def _invariant(matrix: Array, noise: Array) -> Array:
    """The covariance with ``S = A S A^T + Q``, as a linear system for its entries."""
    size = matrix.shape[-1]
    kronecker = np.einsum("...ij,...kl->...ikjl", matrix, matrix)
    system = np.eye(size**2) - kronecker.reshape(*matrix.shape[:-2], size**2, size**2)
    found = np.linalg.solve(system, noise.reshape(size**2, 1))
    return np.asarray(found.reshape(matrix.shape))


def _schedule(times: Times) -> tuple[tuple[Array, Array], tuple[Array, Array], Array]:
    """``(a, s^2)`` at the noisy and at the clean ends, and ``e^-eta``; all (segments, 1)."""
    t = np.array(times)[:, None]
    a, s2 = np.exp(-t), -np.expm1(-2.0 * t)
    return (a[:-1], s2[:-1]), (a[1:], s2[1:]), np.exp(np.diff(t, axis=0))
