"""Analytic-DPM: DDPM with the optimal isotropic variance of the reverse step.

Bao et al. 2022, arXiv 2201.06503. With ``D = E[x_0 | x]`` the DDPM step draws ``x_lo`` from the
Gaussian of ``x_lo`` given x and ``x_0 = D``. The true reverse step has in addition the uncertainty
of ``x_0``. Among Gaussians with the covariance ``v I`` the nearest one, in KL divergence, has::

    v = var + c^2 (s_hi^2 / a_hi^2) (1 - s_hi^2 Gamma(t_hi)),    Gamma(t) = E |score(x_t, t)|^2 / d

with ``var`` the variance of DDPM's step and ``c`` the coefficient of ``D`` in its mean (see
`rtk.process.posterior`). ``Gamma`` is measured once on noised data, by `second_moments`.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rtk import process
from rtk.checks import check_positive
from rtk.noise import ChainNoise, Noise
from rtk.samplers.base import Info, OneScorePerSegment, Problem, State, score_at
from rtk.score import CountedScore, Score
from rtk.segments import Times, check


@dataclass(frozen=True)
class SecondMoments:
    """Second moments of a score, as `second_moments` measures them.

    Attributes:
        times: decreasing OU times.
        noise_share: ``s^2 Gamma`` at these times, from 0 to 1: the part of the noise that the
            score predicts.
        evaluations: rows at which the score was evaluated to find them.
    """

    times: Times
    noise_share: tuple[float, ...]
    evaluations: int

    def at(self, t: float) -> float:
        """``s^2 Gamma`` at a time, linear in log-SNR between the times that were measured.

        Raises:
            ValueError: for a time outside of those.
        """
        if not self.times[-1] * (1 - 1e-9) <= t <= self.times[0] * (1 + 1e-9):
            raise ValueError(
                f"the second moments cover the times from {self.times[0]:.6g} to "
                f"{self.times[-1]:.6g}, got {t:.6g}; measure them on the grid of the run"
            )
        levels = [process.log_snr(time) for time in self.times]
        return float(np.interp(process.log_snr(t), levels, self.noise_share))


def second_moments(score: Score, data: Tensor, times: Times, seed: int = 0) -> SecondMoments:
    """Measure ``s^2 E |score(x_t, t)|^2 / d`` on the data, noised once for each time.

    Args:
        score: ``(x, t) -> grad log p_t(x)``, as for `rtk.sample`.
        data: draws of the data law, shape (n, *shape), in float32 or float64.
        times: decreasing OU times above 0, best those of the grid that samples will be drawn on.
        seed: names the noise.

    Raises:
        TypeError, ValueError: for data that are no such tensor, or times that are none.
    """
    if not isinstance(data, Tensor) or data.dtype not in (torch.float32, torch.float64):
        kind = data.dtype if isinstance(data, Tensor) else type(data).__name__
        raise TypeError(f"data must be a tensor of float32 or float64, got {kind}")
    if data.ndim < 2 or len(data) < 1:
        raise ValueError(f"data must have rows and shape (n, *shape), got {tuple(data.shape)}")
    times = check(times)
    check_positive("the last of times", times[-1])
    counted = CountedScore(score)
    noise = ChainNoise(seed, len(data), data.shape[1:], device=data.device, dtype=data.dtype)
    shares = []
    with torch.no_grad():
        for t in times:
            x = process.alpha(t) * data + process.sigma(t) * noise.normal()
            share = process.variance(t) * float(counted(x, t).double().square().mean())
            # The true value is at most 1; an estimate, or a wrong score, may be above it.
            shares.append(min(1.0, share))
    return SecondMoments(times, tuple(shares), counted.evaluations)


@dataclass(frozen=True)
class AnalyticDDPM(OneScorePerSegment):
    """``z = E[x_lo | x, D] + v^(1/2) xi``, ``AnalyticDDPM(second_moments(score, data, times))``.

    A step that ends at 0 has no noise, as in DDPM: there the data are shown, not their law.
    """

    moments: SecondMoments

    def __post_init__(self) -> None:
        if not isinstance(self.moments, SecondMoments):
            raise TypeError(
                f"moments must be those of second_moments(score, data, times), got {self.moments!r}"
            )

    def __call__(
        self, problem: Problem, state: State, t_lo: float, nfe: int, noise: Noise
    ) -> tuple[State, Info]:
        denoised = process.denoise(state.x, score_at(problem, state), state.t)
        if t_lo == 0.0:
            return State(denoised, t_lo), Info()
        mean, variance = process.posterior(state.x, denoised, state.t, t_lo)
        high, gap = process.variance(state.t), process.variance(state.t - t_lo)
        # c s_hi / a_hi, with c = a_lo gap / s_hi^2.
        spread = process.alpha(t_lo - state.t) * gap / math.sqrt(high)
        variance += spread**2 * (1.0 - self.moments.at(state.t))
        return State(mean + math.sqrt(variance) * noise.normal(), t_lo), Info()
