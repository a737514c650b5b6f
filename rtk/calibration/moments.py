"""Inner products along the pilot: all that the fits of nodes and coefficients need to know.

In the coordinates of the base, ``z``, the change between two levels that the base does not explain
is ``T_ik = z_k - E_ik z_i = e_k (S_k - S_i)``, with ``e_k = (c + sigma_k^2)^(1/2)`` and ``S_k`` the
integral of ``r / e`` over ``ln(sigma)`` from the first level to level k. It is computed from the
residuals ``r`` of the score along the pilot by interpolation between four levels. The last index
stands for ``sigma = 0``, where there is no residual.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rtk.calibration import exponential
from rtk.calibration.pilot import Pilot
from rtk.gaussian_base import GaussianBase

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Moments:
    """Means over chains and coordinates, for the levels ``0 ... L - 1`` and the end ``L``.

    Attributes:
        sigmas: noise levels, shape (L + 1,); the last one is 0.
        residuals: ``<r_a, r_b>``, shape (L, L).
        mixed: ``<T_ik, r_a>`` at [k, i, a], shape (L + 1, L, L).
        changes: ``<T_ik, T_ik>`` at [k, i], shape (L + 1, L).
    """

    sigmas: Array
    residuals: Array
    mixed: Array
    changes: Array


def of(pilot: Pilot, base: GaussianBase) -> Moments:
    """The moments of a pilot with respect to a base."""
    residuals = residuals_of(pilot, base)
    levels, chains, _ = residuals.shape
    total = integrals(residuals, pilot.sigmas, base.variances)
    sigmas = torch.tensor([*pilot.sigmas, 0.0], dtype=residuals.dtype)
    spread = (base.variances + sigmas[:, None] ** 2).sqrt()
    # Sums over chains alone, for each coordinate: (L + 1, L, m) and (L + 1, L + 1, m).
    with_residual = torch.einsum("kpm,apm->kam", total, residuals)
    with_total = torch.einsum("kpm,ipm->kim", total, total)
    scale = 1.0 / (chains * pilot.y.shape[2])
    to_end = torch.einsum("km,iam->kia", spread, with_residual)
    own = torch.einsum("km,kam->ka", spread, with_residual)
    squares = torch.diagonal(with_total).T
    changes = (
        torch.einsum("km,km->k", spread**2, squares)[:, None]
        - 2.0 * torch.einsum("km,kim->ki", spread**2, with_total)
        + spread**2 @ squares.T
    )
    gram = torch.einsum("apm,bpm->ab", residuals, residuals)
    return Moments(
        sigmas.numpy(),
        (scale * gram).numpy(),
        (scale * (own[:, None, :] - to_end[:, :levels])).numpy(),
        (scale * changes[:, :levels].clamp_min(0.0)).numpy(),
    )


def residuals_of(pilot: Pilot, base: GaussianBase) -> Tensor:
    """The residuals of the score at each level in the coordinates of the base, (L, chains, m)."""
    return torch.stack(
        [
            base.coordinates(base.residual(denoised, y, sigma))
            for denoised, y, sigma in zip(pilot.denoised, pilot.y, pilot.sigmas, strict=True)
        ]
    )


def integrals(residuals: Tensor, sigmas: list[float], variances: Tensor) -> Tensor:
    """``S_k`` of the module's docstring for all levels and for the end, (L + 1, chains, m)."""
    u = np.log(sigmas)
    levels = len(u)
    parts = [torch.zeros_like(residuals[0])]
    for k in range(levels - 1):
        first = min(max(0, k - 1), max(0, levels - 4))
        near = slice(first, first + 4)
        weights = exponential.weights(u[k], u[k + 1], list(u[near]), variances)
        parts.append(torch.einsum("jm,jpm->pm", weights, residuals[near]))
    # Below the last level the residual falls like sigma^2.
    sigma = sigmas[-1]
    tail = ((variances + sigma**2).sqrt() - variances.sqrt()) / sigma**2
    parts.append(tail * residuals[-1])
    return torch.stack(parts).cumsum(0)
