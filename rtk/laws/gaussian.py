"""Gaussian laws with diagonal covariances, and the distances between them in closed form."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log1p

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Gaussian:
    """``N(mean, diag variance)``, both of shape (d,) and float64.

    Raises:
        ValueError: for other shapes, values that are not finite, negative variances.
    """

    mean: Array
    variance: Array

    def __init__(self, mean: ArrayLike, variance: ArrayLike) -> None:
        mean, variance = np.array(mean, dtype=float), np.array(variance, dtype=float)
        if mean.ndim != 1 or mean.shape != variance.shape:
            raise ValueError(
                "mean and variance must be vectors of one length, got shapes "
                f"{mean.shape} and {variance.shape}"
            )
        if not (np.isfinite(mean).all() and np.isfinite(variance).all() and variance.min() >= 0):
            raise ValueError("mean must be finite, and variance finite and non-negative")
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "variance", variance)

    def power(self, copies: int) -> "Gaussian":
        """The joint law of ``copies`` independent draws, in ``copies d`` coordinates."""
        return Gaussian(np.tile(self.mean, copies), np.tile(self.variance, copies))


def kl(p: Gaussian, q: Gaussian) -> float:
    """``KL(p | q) = sum_i [u_i - log(1 + u_i) + (m_i - n_i)^2 / w_i] / 2``.

    ``p = N(m, v)``, ``q = N(n, w)``, ``u_i = v_i / w_i - 1``; nats.
    """
    _check_densities(p, q)
    u = (p.variance - q.variance) / q.variance
    shift = (p.mean - q.mean) ** 2 / q.variance
    return float(0.5 * (u - np.log1p(u) + shift).sum())


def w2(p: Gaussian, q: Gaussian) -> float:
    """``W_2(p, q) = (sum_i (m_i - n_i)^2 + (v_i^(1/2) - w_i^(1/2))^2)^(1/2)``."""
    _check_dimensions(p, q)
    shift = (p.mean - q.mean) ** 2
    return float(np.sqrt((shift + (np.sqrt(p.variance) - np.sqrt(q.variance)) ** 2).sum()))


def tv(p: Gaussian, q: Gaussian, tolerance: float = 1e-10) -> float:
    """Total variation ``int |p - q| / 2`` to the relative ``tolerance``, in any dimension.

    From ``min(1, e^-l) = int e^{(i y - 1/2) l} / (y^2 + 1/4) dy / (2 pi)`` at ``l = log(p / q)``::

        TV = (1/pi) int_0^oo Re[1 - psi(y)] / (y^2 + 1/4) dy,
        psi(y) = int p^{1/2 + i y} q^{1/2 - i y} dx,

    where for product Gaussians, with ``a_i = (v_i + w_i) / 2``, ``r_i = (w_i - v_i) / (2 a_i)``,
    ``d_i = (m_i - n_i)^2 / a_i`` and ``f_i = 1 + 2 i y r_i``::

        log psi = sum_i [log(1 - r_i^2) / 4 + i y artanh r_i - log(f_i) / 2
                         - (y^2 + 1/4) d_i / (2 f_i)].

    Nothing cancels when p and q are close, so a tiny distance keeps its digits. The integral is
    taken by the trapezoid rule in ``log y`` along a ray on which psi decays; the singularities lie
    on the imaginary axis, so the ray may be turned by less than a right angle.

    Raises:
        ArithmeticError: if halving the step does not settle to the tolerance.
    """
    _check_densities(p, q)
    average = 0.5 * (p.variance + q.variance)
    pairs = np.stack(((q.variance - p.variance) / (2 * average), (p.mean - q.mean) ** 2 / average))
    (ratio, shift), copies = np.unique(pairs, axis=1, return_counts=True)
    scale = np.sqrt((copies * (2 * ratio**2 + shift)).sum())
    if scale == 0.0:
        return 0.0

    def log_psi(y: NDArray[np.complex128]) -> NDArray[np.complex128]:
        y = y[:, np.newaxis]
        tilt = 2j * y * ratio
        terms = 0.25 * np.log1p(-(ratio**2)) + 1j * y * np.arctanh(ratio) - 0.5 * log1p(tilt)
        total: NDArray[np.complex128] = (
            terms - 0.5 * (y**2 + 0.25) * shift / (1 + tilt)
        ) @ copies.astype(float)
        return total

    def ray(step: float, angle: float) -> NDArray[np.complex128]:
        return np.exp(np.arange(-36.0, 36.0, step) + 1j * angle) / scale

    def trapezoid(step: float) -> float:
        y = ray(step, angle)
        integrand = -np.expm1(log_psi(y)) * y / (y**2 + 0.25)
        return float(integrand.real.sum() * step / np.pi)

    # A turned ray must not meet large values of psi; the real axis, the last resort, has |psi| < 1.
    # Finer rays end further out than the coarsest, so it is looked at up to twice as far.
    angles = (0.4, -0.4, 0.2, -0.2, 0.1, -0.1, 0.0)
    angle = next(a for a in angles if log_psi(2.0 * ray(0.25, a)).real.max() <= 1.0)
    coarse = trapezoid(0.25)
    for halvings in range(1, 9):
        fine = trapezoid(0.25 * 0.5**halvings)
        if abs(fine - coarse) <= tolerance * fine:
            return fine
        coarse = fine
    raise ArithmeticError(f"total variation is not settled to {tolerance}: {coarse}, then {fine}")


def _check_dimensions(p: Gaussian, q: Gaussian) -> None:
    if p.mean.shape != q.mean.shape:
        raise ValueError(
            f"expected laws of one dimension, got {len(p.mean)} and {len(q.mean)} coordinates"
        )


def _check_densities(p: Gaussian, q: Gaussian) -> None:
    _check_dimensions(p, q)
    if p.variance.min() == 0.0 or q.variance.min() == 0.0:
        raise ValueError("expected laws with densities, got a variance of zero")
