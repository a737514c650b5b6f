"""The exact kernel of a mixture as a sampler, to see errors that are not those of an inner chain.

With exact kernels the segments compose exactly, so the only error is that of the start, ``N(0, I)``
instead of ``p_T``.
"""

from dataclasses import dataclass

from rtk import segments
from rtk.noise import Noise
from rtk.samplers.base import Info, Problem, State
from rtk.segments import T_START, Times
from rtk.targets.gaussian_mixture import GaussianMixture


@dataclass(frozen=True)
class ExactKernel:
    """``z ~ p(z at t_lo | x at t_hi)`` of a mixture, drawn exactly; no score is evaluated."""

    mixture: GaussianMixture

    def __post_init__(self) -> None:
        if not isinstance(self.mixture, GaussianMixture):
            kind = type(self.mixture).__name__
            raise TypeError(f"mixture must be a GaussianMixture, got {kind}")

    def __call__(
        self, problem: Problem, state: State, t_lo: float, nfe: int, noise: Noise
    ) -> tuple[State, Info]:
        kernel = self.mixture.reverse_transition(state.x, state.t, t_lo)
        return State(kernel.transform(noise.uniform(), noise.normal()), t_lo), Info()

    def default_times(self, nfe: int, problem: Problem, t_start: float = T_START) -> Times:
        return segments.uniform(5, t_start)

    def minimum_nfe(self, segments: int, problem: Problem) -> int:
        return 0
