"""DPM-Solver++(2M) and its SDE form: two-step exponential integrators in log-SNR.

Lu et al. 2022, arXiv 2211.01095. With ``h = lambda_lo - lambda_hi``, ``h'`` that of the segment
before, ``r = h' / h`` and ``D`` the denoised estimate (``D'`` the one before)::

    D~ = D + (D - D') / (2 r)
    ODE: z = (s_lo / s_hi) x - a_lo (e^-h - 1) D~
    SDE: z = (s_lo / s_hi) e^-h x + a_lo (1 - e^-2h) D~ + s_lo (1 - e^-2h)^(1/2) xi

``D~ = D``, the first-order step, on the first segment and on one that is much longer than the one
before: there the estimate would be extrapolated far beyond the two points that it is known at.
"""

import math
from dataclasses import dataclass

from torch import Tensor

from rtk import process
from rtk.checks import check_flag
from rtk.noise import Noise
from rtk.samplers.base import Info, OneScorePerSegment, Problem, State, score_at

LONGEST_RATIO = 2.0
"""Longest ``h / h'`` at which the estimate is extrapolated."""


@dataclass(frozen=True)
class DPMSolverPP2M(OneScorePerSegment):
    """The two-step multistep solver; ``stochastic=True`` for the SDE form.

    On a segment that ends at 0, ``h`` is infinite; there the step returns ``D``.
    """

    stochastic: bool = False

    def __post_init__(self) -> None:
        check_flag("stochastic", self.stochastic)

    def __call__(
        self, problem: Problem, state: State, t_lo: float, nfe: int, noise: Noise
    ) -> tuple[State, Info]:
        denoised = process.denoise(state.x, score_at(problem, state), state.t)
        if t_lo == 0.0:
            return State(denoised, t_lo), Info()
        h = process.log_snr(t_lo) - process.log_snr(state.t)
        target = self._extrapolate(state, denoised, h)
        shrink = process.sigma(t_lo) / process.sigma(state.t)
        if self.stochastic:
            fresh = -math.expm1(-2.0 * h)
            z = (
                shrink * math.exp(-h) * state.x
                + process.alpha(t_lo) * fresh * target
                + process.sigma(t_lo) * math.sqrt(fresh) * noise.normal()
            )
        else:
            z = shrink * state.x - process.alpha(t_lo) * math.expm1(-h) * target
        return State(z, t_lo, history=((state.t, denoised),)), Info()

    @staticmethod
    def _extrapolate(state: State, denoised: Tensor, h: float) -> Tensor:
        if not state.history:
            return denoised
        t_before, before = state.history[0]
        ratio = (process.log_snr(state.t) - process.log_snr(t_before)) / h
        if ratio < 1.0 / LONGEST_RATIO:
            return denoised
        return denoised + (denoised - before) / (2.0 * ratio)
