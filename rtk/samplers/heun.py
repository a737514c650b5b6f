"""Heun's method of EDM: the probability-flow ODE in the noise level ``sigma = s / a``.

Karras et al. 2022, arXiv 2206.00364, Algorithms 1 and 2. With ``y = x / a`` and the denoised
estimate ``D`` the ODE is ``dy/dsigma = d(y, sigma) = (y - D) / sigma``, which is ``-s score``. A
segment from ``sigma`` to ``sigma'`` first raises the noise, if there is churn, and then takes a
step of the trapezoid rule::

    sigma^ = (1 + gamma) sigma,    y^ = y + S_noise (sigma^^2 - sigma^2)^(1/2) xi
    y'  = y^ + (sigma' - sigma^) d(y^, sigma^)
    y'' = y^ + (sigma' - sigma^) (d(y^, sigma^) + d(y', sigma')) / 2

which takes two scores. At ``sigma' = 0`` there is no second score, and the step returns ``D``.
"""

import math
from dataclasses import dataclass

from rtk import process, segments
from rtk.checks import check_nonnegative, check_number
from rtk.noise import Noise
from rtk.samplers.base import Info, Problem, State, score_at
from rtk.segments import T_START, Times

MOST_CHURN = math.sqrt(2.0) - 1.0
"""Largest ``gamma``: the variance of the noise is at most doubled."""


@dataclass(frozen=True, kw_only=True)
class Heun:
    """EDM's sampler; without churn it is deterministic.

    Args:
        churn: ``gamma``, which EDM writes as ``S_churn`` divided by the number of segments; from 0
            to ``sqrt(2) - 1``. The error of a segment vanishes with its length only if churn does.
        noise_scale: ``S_noise``, a factor of the added noise.
        churn_from, churn_to: ``S_tmin`` and ``S_tmax``, the noise levels ``s / a`` between which
            there is churn. The score is evaluated at up to ``(1 + churn) churn_to``.
    """

    churn: float = 0.0
    noise_scale: float = 1.0
    churn_from: float = 0.0
    churn_to: float = math.inf

    def __post_init__(self) -> None:
        if check_nonnegative("churn", self.churn) > MOST_CHURN:
            raise ValueError(f"churn must be at most sqrt(2) - 1 = 0.4142, got {self.churn}")
        check_nonnegative("noise_scale", self.noise_scale)
        check_nonnegative("churn_from", self.churn_from)
        if not check_number("churn_to", self.churn_to) >= self.churn_from:
            raise ValueError(
                f"churn_to must be at least churn_from={self.churn_from}, got {self.churn_to}"
            )

    def __call__(
        self, problem: Problem, state: State, t_lo: float, nfe: int, noise: Noise
    ) -> tuple[State, Info]:
        if self.churn > 0.0 and self.churn_from <= process.noise_level(state.t) <= self.churn_to:
            state = self._noisier(state, noise)
        return heun_step(problem, state, t_lo), Info()

    def _noisier(self, state: State, noise: Noise) -> State:
        raised = process.time_from_noise_level((1.0 + self.churn) * process.noise_level(state.t))
        # Rounding of a tiny churn must not lead below the state's own time.
        t = max(raised, state.t)
        step = t - state.t
        spread = self.noise_scale * process.sigma(step)
        return State(process.alpha(step) * state.x + spread * noise.normal(), t)

    def default_times(self, nfe: int, problem: Problem, t_start: float = T_START) -> Times:
        # The last score is spent on the denoising step from the end of the grid to 0.
        return segments.karras(max(1, (nfe - 1) // 2), t_start)

    def minimum_nfe(self, segments: int, problem: Problem) -> int:
        return 2 * segments


def heun_step(problem: Problem, state: State, t_lo: float) -> State:
    """A step of the trapezoid rule in ``s / a``: two scores, or one if it ends at 0."""
    step = process.noise_level(t_lo) - process.noise_level(state.t)
    y = state.x / process.alpha(state.t)
    slope = -process.sigma(state.t) * score_at(problem, state)
    x = process.alpha(t_lo) * (y + step * slope)
    if t_lo > 0.0:
        mean_slope = 0.5 * (slope - process.sigma(t_lo) * problem.score(x, t_lo))
        x = process.alpha(t_lo) * (y + step * mean_slope)
    return State(x, t_lo)
