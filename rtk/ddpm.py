"""DDPM: one ancestral Gaussian step per segment (Ho, Jain and Abbeel 2020, arXiv 2006.11239)."""

import math
from dataclasses import dataclass

from rtk import process, segments
from rtk.noise import Noise
from rtk.segments import Times
from rtk.step import Info, Problem, State, score_at


class OneScorePerSegment:
    """Grid and cost of the samplers without an inner chain: as many segments as scores."""

    def default_times(self, nfe: int, problem: Problem) -> Times:
        # The last score is spent on the denoising step from the end of the grid to 0.
        return segments.log_snr(max(1, nfe - 1))

    def minimum_nfe(self, segments: int, problem: Problem) -> int:
        return segments


@dataclass(frozen=True)
class DDPM(OneScorePerSegment):
    """``z = E[x_lo | x, D] + Var[x_lo | x, D]^(1/2) xi`` with ``D = E[x_0 | x]``."""

    def __call__(
        self, problem: Problem, state: State, t_lo: float, nfe: int, noise: Noise
    ) -> tuple[State, Info]:
        denoised = process.denoise(state.x, score_at(problem, state), state.t)
        mean, variance = process.posterior(state.x, denoised, state.t, t_lo)
        return State(mean + math.sqrt(variance) * noise.normal(), t_lo), Info()
