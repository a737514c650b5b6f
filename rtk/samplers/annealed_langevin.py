"""Annealed Langevin dynamics (ALD): plain Langevin on ``p_t`` at each level of the grid.

Song and Ermon 2019, arXiv 1907.05600. There is no predictor and no kernel: the chain at one level
starts where the chain at the level before ended.
"""

from dataclasses import dataclass

from rtk import segments
from rtk.checks import check_nonnegative, check_positive
from rtk.mcmc.ula import ula
from rtk.noise import Noise
from rtk.samplers.base import Info, Problem, State, smoothness
from rtk.segments import T_START, Times


@dataclass(frozen=True, kw_only=True)
class AnnealedLangevin:
    """``z <- z + tau s(z, t_lo) + (2 tau)^(1/2) xi`` with ``tau = step_size / Gamma(t_lo)``.

    Args:
        step_size: relative to the smoothness bound ``Gamma`` (see `rtk.samplers.base.smoothness`).
        data_variance: variance of the narrowest Gaussian in the data; 0 is safe.
    """

    step_size: float = 0.25
    data_variance: float = 0.0

    def __post_init__(self) -> None:
        check_positive("step_size", self.step_size)
        check_nonnegative("data_variance", self.data_variance)

    def __call__(
        self, problem: Problem, state: State, t_lo: float, nfe: int, noise: Noise
    ) -> tuple[State, Info]:
        step_size = self.step_size / smoothness(t_lo, self.data_variance)
        z = ula(lambda z: -problem.score(z, t_lo), state.x, nfe, step_size, noise)
        return State(z, t_lo), Info(nfe, step_size)

    def default_times(self, nfe: int, problem: Problem, t_start: float = T_START) -> Times:
        return segments.log_snr(max(1, nfe // 5), t_start)

    def minimum_nfe(self, segments: int, problem: Problem) -> int:
        return segments
