"""Fit the Gaussian base to a model: its principal directions, its mean and its variances."""

import math

import torch
from torch import Tensor

from rtk.calibration.model import Model
from rtk.calibration.pilot import Pilot
from rtk.gaussian_base import GaussianBase

FULL = 1024
"""Largest dimension in which all principal directions are computed."""
DIRECTIONS = 128
"""Number of principal directions in higher dimensions."""


def fit(model: Model, pilot: Pilot, generator: torch.Generator) -> GaussianBase:
    """The Gaussian ``N(m, C)`` whose denoiser is nearest to the model's along the pilot.

    The eigenvectors are those of the denoiser's Jacobian at a noise level three times as wide as
    the data, where the denoiser is nearly linear. Then, for each eigenvector on its own, the mean
    follows by linear regression over the levels at which the data are narrow, and the variance
    minimises ``sum_l h_l / sigma_l^2 E (D - m - c (y - m) / (c + sigma_l^2))^2`` over all levels,
    where ``h_l`` is the length of the level in ``ln(sigma)``.
    """
    ends = pilot.ends
    basis = principal_directions(model, ends.mean(0), 3.0 * _widest(ends), generator)
    return along(pilot, basis)


def along(pilot: Pilot, basis: Tensor) -> GaussianBase:
    """The mean and the variances of `fit` for given eigenvectors.

    Args:
        pilot: the trajectories.
        basis: orthonormal columns (d, k). If k < d, one variance is fitted to the rest, so that
            without columns there is a single one.
    """
    ends, widest = pilot.ends, _widest(pilot.ends)
    bare = GaussianBase(torch.zeros_like(ends[0]), torch.ones_like(ends[0]), basis)
    y = torch.stack([bare.coordinates(level) for level in pilot.y])
    denoised = torch.stack([bare.coordinates(level) for level in pilot.denoised])
    sigmas = torch.tensor(pilot.sigmas, dtype=torch.float64)
    mean = _means(y, denoised, sigmas, widest)
    known = basis.shape[1] if basis.shape[1] < basis.shape[0] else None
    variances = _variances(y - mean, denoised - mean, sigmas, widest, known)
    return GaussianBase(bare.point(mean[None])[0], variances, basis)


def _widest(ends: Tensor) -> float:
    """The standard deviation of points (n, d) in the direction in which it is largest."""
    return math.sqrt(float(torch.linalg.matrix_norm(ends - ends.mean(0), 2)) ** 2 / len(ends))


def principal_directions(
    model: Model, centre: Tensor, sigma: float, generator: torch.Generator
) -> Tensor:
    """Eigenvectors of the symmetric part of ``dD / dy`` at a point: (d, d), or (d, `DIRECTIONS`).

    The Jacobian is by central differences of the length sigma: 2 d score evaluations. Above the
    dimension `FULL` it is known on a random subspace only, refined once, and the eigenvectors are
    those of its restriction there (Halko, Martinsson and Tropp 2011).
    """
    d = len(centre)

    def times(directions: Tensor) -> Tensor:
        """The Jacobian times unit columns (d, k)."""
        ends = [model.denoise(centre + sign * sigma * directions.T, sigma) for sign in (1.0, -1.0)]
        return (ends[0] - ends[1]).T / (2.0 * sigma)

    if d <= FULL:
        jacobian = times(torch.eye(d, dtype=torch.float64))
        return torch.linalg.eigh(jacobian + jacobian.T)[1].flip(1).contiguous()
    trial = torch.randn(d, DIRECTIONS, generator=generator, dtype=torch.float64)
    for _ in range(2):
        trial = torch.linalg.qr(times(torch.linalg.qr(trial)[0]))[0]
    restricted = trial.T @ times(trial)
    return trial @ torch.linalg.eigh(restricted + restricted.T)[1].flip(1)


def _means(y: Tensor, denoised: Tensor, sigmas: Tensor, widest: float) -> Tensor:
    """The mean of each coordinate: the fixed point of the regression ``D = alpha + A y``."""
    wide = (sigmas > 2.0 * widest) & (sigmas < 10.0 * widest)
    if not bool(wide.any()):
        wide = sigmas > 2.0 * widest
    y, denoised = y[wide], denoised[wide]
    away = y - y.mean(1, keepdim=True)
    slope = (away * denoised).sum(1) / away.square().sum(1).clamp_min(1e-300)
    # The slope of a Gaussian lies between 0 and 1.
    slope = slope.clamp(0.0, 0.5)
    return ((denoised.mean(1) - slope * y.mean(1)) / (1.0 - slope)).mean(0)


def _variances(
    z: Tensor, denoised: Tensor, sigmas: Tensor, widest: float, known: int | None
) -> Tensor:
    """The variance of each coordinate; beyond the first ``known`` ones, one for all."""
    u = sigmas.log()
    lengths = torch.zeros_like(u)
    lengths[:-1] += 0.5 * (u[:-1] - u[1:])
    lengths[1:] += 0.5 * (u[:-1] - u[1:])
    weight = (lengths / sigmas.square())[:, None]
    zz, zd = z.square().mean(1), (z * denoised).mean(1)
    if known is not None:
        zz, zd = (
            torch.cat([part[:, :known], part[:, known:].sum(1, keepdim=True)], 1)
            for part in (zz, zd)
        )
    squares = sigmas.square()[:, None]

    def slopes(c: Tensor) -> tuple[Tensor, Tensor]:
        """First and approximate second derivative of the objective in ``ln c`` (Gauss-Newton)."""
        shrink = c / (c + squares)
        change = shrink * (1.0 - shrink)
        return (weight * change * (shrink * zz - zd)).sum(0), (weight * change**2 * zz).sum(0)

    def objective(c: Tensor) -> Tensor:
        shrink = c / (c + squares)
        return (weight * (shrink.square() * zz - 2.0 * shrink * zd)).sum(0)

    candidates = widest**2 * torch.logspace(-7, 0.7, 100, dtype=z.dtype)
    values = torch.stack([objective(c.expand(zz.shape[1])) for c in candidates])
    log_c = candidates[values.argmin(0)].log()
    low, high = candidates[0].log(), candidates[-1].log()
    for _ in range(60):
        first, second = slopes(log_c.exp())
        log_c = (log_c - (first / second.clamp_min(1e-300)).clamp(-0.2, 0.2)).clamp(low, high)
    variances = log_c.exp()
    if known is None:
        return variances
    rest = z.shape[2] - known
    return torch.cat([variances[:known], variances[known:].expand(rest)])
