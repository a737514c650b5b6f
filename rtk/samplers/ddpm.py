"""DDPM: one ancestral Gaussian step per segment (Ho, Jain and Abbeel 2020, arXiv 2006.11239)."""

import math
from dataclasses import dataclass

from rtk import process
from rtk.noise import Noise
from rtk.samplers.base import Info, OneScorePerSegment, Problem, State, score_at


@dataclass(frozen=True)
class DDPM(OneScorePerSegment):
    """``z = E[x_lo | x, D] + Var[x_lo | x, D]^(1/2) xi`` with ``D = E[x_0 | x]``."""

    def __call__(
        self, problem: Problem, state: State, t_lo: float, nfe: int, noise: Noise
    ) -> tuple[State, Info]:
        denoised = process.denoise(state.x, score_at(problem, state), state.t)
        mean, variance = process.posterior(state.x, denoised, state.t, t_lo)
        return State(mean + math.sqrt(variance) * noise.normal(), t_lo), Info()
