"""DDIM: the probability-flow ODE by one exponential Euler step per segment.

Song, Meng and Ermon 2021, arXiv 2010.02502.
"""

from dataclasses import dataclass

from rtk import process
from rtk.noise import Noise
from rtk.samplers.base import Info, OneScorePerSegment, Problem, State, score_at


@dataclass(frozen=True)
class DDIM(OneScorePerSegment):
    """``z = a_lo D + s_lo (x - a_hi D) / s_hi`` with ``D = E[x_0 | x]``; no noise."""

    def __call__(
        self, problem: Problem, state: State, t_lo: float, nfe: int, noise: Noise
    ) -> tuple[State, Info]:
        denoised = process.denoise(state.x, score_at(problem, state), state.t)
        residual = (state.x - process.alpha(state.t) * denoised) / process.sigma(state.t)
        return State(process.alpha(t_lo) * denoised + process.sigma(t_lo) * residual, t_lo), Info()
