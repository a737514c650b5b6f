"""The pilot: a few chains, carried accurately along the probability flow.

Coordinates are ``y = x / a_t`` and ``sigma = s_t / a_t``. The solver is a predictor-corrector that
is exponential in the flow of ``N(0, I)``: the residual of the score is interpolated in
``ln(sigma)`` over the last levels. Each level costs one score, and the difference between
prediction and correction sets the next step.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm.auto import tqdm

from rtk import process
from rtk.calibration import exponential
from rtk.calibration.model import Model

CHAINS = 128
TOLERANCE = 1e-4
SHORTEST, LONGEST = 0.06, 0.5
"""Bounds on a step in ``ln(sigma)``."""
NARROW, CLEAN = 0.3, 0.006
"""Values of ``E |noise estimate|^2 / d``: where the width of the narrowest part is read off, and
where so little noise is left that the remaining way is linear."""
FINEST = 4e-3
"""Lowest noise level, relative to the spread of the data."""


@dataclass(frozen=True, eq=False)
class Pilot:
    """Trajectories of the probability flow.

    Attributes:
        sigmas: the noise levels, decreasing.
        y: where the score was evaluated at each level, shape (levels, chains, d): the predictions,
            which differ from the corrected chains by about `TOLERANCE`.
        denoised: ``D(y, sigma)``, the same shape.
        ends: the chains at ``sigma = 0``, shape (chains, d).
        rms: root mean square deviation of the chains' ends from their mean, per coordinate.
        narrow_variance: variance of the narrowest part of the data: ``1 / Gamma - sigma^2`` at the
            first level with ``sigma^2 Gamma < 0.3``, with ``Gamma = E |score|^2 / d``.
    """

    sigmas: list[float]
    y: Tensor
    denoised: Tensor
    ends: Tensor
    rms: float
    narrow_variance: float


def run(
    model: Model,
    t_start: float,
    generator: torch.Generator,
    progress: bool = False,
    count: int = CHAINS,
) -> Pilot:
    """Carry ``count`` chains from ``t_start`` down, until the noise is negligible."""
    start = start_noise(count, model.dimension, generator)
    one = torch.ones(1, dtype=torch.float64)
    sigma = process.sigma(t_start) / process.alpha(t_start)
    y = chains = math.sqrt(1.0 + sigma**2) * start
    u, step = [math.log(sigma)], 0.3
    points: list[Tensor] = []
    estimates: list[Tensor] = []
    residuals: list[Tensor] = []
    noise_left: list[float] = []
    bar = tqdm(desc="pilot", unit="level", disable=not progress)
    while True:
        sigma = math.exp(u[-1])
        points.append(y)
        estimates.append(model.denoise(y, sigma))
        residuals.append(estimates[-1] - y / (1.0 + sigma**2))
        if len(u) > 1:
            corrected = _step(chains, u[-2], u[-1], u[-4:], residuals[-4:], one)
            change = ((corrected - y) / sigma).square().clamp_max(1.0)
            error = math.sqrt(float(change.mean()))
            factor = min(1.4, max(0.6, (TOLERANCE / max(error, 1e-300)) ** 0.25))
            step = min(LONGEST, max(SHORTEST, step * factor))
            chains = corrected
        noise_left.append(float(((y - estimates[-1]) / sigma).square().mean()))
        if noise_left[-1] == 0.0:
            raise FloatingPointError(
                f"the score is 0 at every point at the noise level {sigma:.3g}, so that the model "
                "cannot be calibrated. Expected a score that leads away from the noise"
            )
        bar.update()
        rms = float((estimates[-1] - estimates[-1].mean(0)).square().mean().sqrt())
        if _is_done(sigma, noise_left, u, rms):
            break
        u.append(max(u[-1] - step, math.log(0.5 * FINEST * rms)))
        y = _step(chains, u[-2], u[-1], u[-4:-1], residuals[-3:], one)
    bar.close()
    # Below the last level y - D falls like sigma^2, so that half of it is left to go.
    ends = chains + 0.5 * (estimates[-1] - points[-1])
    sigmas = [math.exp(value) for value in u]
    narrow = _narrow(sigmas, noise_left)
    return Pilot(sigmas, torch.stack(points), torch.stack(estimates), ends, rms, narrow)


def start_noise(chains: int, d: int, generator: torch.Generator) -> Tensor:
    """Antithetic standard normal noise (chains, d), with unit covariance if chains > 2 d.

    In higher dimensions only the mean square is made exact.
    """
    half = torch.randn(chains // 2, d, generator=generator, dtype=torch.float64)
    if chains > 2 * d:
        root = torch.linalg.cholesky(half.T @ half / len(half))
        half = torch.linalg.solve_triangular(root, half.T, upper=False).T
    else:
        half = half / half.square().mean().sqrt()
    return torch.cat([half, -half])


def _step(
    y: Tensor, u_from: float, u_to: float, u: list[float], residuals: list[Tensor], one: Tensor
) -> Tensor:
    """One exponential step in the base ``N(0, I)`` with the residuals at the levels ``u``."""
    spread_from, spread_to = (math.sqrt(1.0 + math.exp(2.0 * end)) for end in (u_from, u_to))
    total = y / spread_from
    for weight, residual in zip(exponential.weights(u_from, u_to, u, one), residuals, strict=True):
        total = total + weight * residual
    return spread_to * total


def _is_done(sigma: float, noise_left: list[float], u: list[float], rms: float) -> bool:
    if noise_left[-1] < CLEAN or sigma < FINEST * rms:
        return True
    # An imperfect score has a noise estimate that stops falling with sigma: there is no more to
    # learn from it. A true one falls like sigma^2 where it is small.
    back = [k for k in range(len(u) - 1) if u[k] - u[-1] > 0.7]
    return bool(back) and noise_left[-1] < 0.1 and noise_left[-1] > 0.7 * noise_left[back[-1]]


def _narrow(sigmas: list[float], noise_left: list[float]) -> float:
    """The narrow variance of `Pilot`; where no level is that clean, that at the last one."""
    sigma, left = next(
        (pair for pair in zip(sigmas, noise_left, strict=True) if pair[1] < NARROW),
        (sigmas[-1], noise_left[-1]),
    )
    return sigma**2 * max(1.0 / left - 1.0, 1e-6)
