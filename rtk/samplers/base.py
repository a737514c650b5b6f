"""What every sampler here is: a step that carries chains through one segment."""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from rtk import process, segments
from rtk.noise import Noise
from rtk.score import CountedLogProb, CountedScore
from rtk.segments import Times


@dataclass(frozen=True)
class State:
    """Where the chains are, and what the next step can reuse.

    Attributes:
        x: (n, *shape) at time ``t``.
        score: ``s(x, t)`` if it is already known; then the next step need not pay for it.
        previous: time and denoised estimate of the step before, for multistep solvers.
    """

    x: Tensor
    t: float
    score: Tensor | None = None
    previous: tuple[float, Tensor] | None = None


@dataclass(frozen=True)
class Info:
    """What a step reports: acceptance and ``stuck`` (a non-finite score) are per chain, (n,)."""

    inner_steps: int = 0
    step_size: float | None = None
    acceptance: Tensor | None = None
    stuck: Tensor | None = None


@dataclass(frozen=True)
class Problem:
    """What there is to sample from: the counted score and, if it is known, log-density."""

    score: CountedScore
    log_prob: CountedLogProb | None = None


class Step(Protocol):
    """A sampler: how to cross a segment, how to cut the path, and what it costs at least."""

    def __call__(
        self, problem: Problem, state: State, t_lo: float, nfe: int, noise: Noise
    ) -> tuple[State, Info]:
        """Carry the chains from ``state.t`` to ``t_lo`` with at most ``nfe`` scores a chain."""

    def default_times(self, nfe: int, problem: Problem) -> Times:
        """Segments for a total budget, when the caller gives none."""

    def minimum_nfe(self, segments: int, problem: Problem) -> int:
        """Score evaluations with which ``segments`` segments can be crossed, reusing none."""


def score_at(problem: Problem, state: State) -> Tensor:
    """``s(x, t)`` of a state: one evaluation, or none if the state knows it."""
    return problem.score(state.x, state.t) if state.score is None else state.score


class OneScorePerSegment:
    """Grid and cost of the samplers without an inner chain: as many segments as scores."""

    def default_times(self, nfe: int, problem: Problem) -> Times:
        # The last score is spent on the denoising step from the end of the grid to 0.
        return segments.log_snr(max(1, nfe - 1))

    def minimum_nfe(self, segments: int, problem: Problem) -> int:
        return segments


def smoothness(t: float, data_variance: float) -> float:
    """``Gamma(t) = 1 / (a_t^2 v + s_t^2)``, an upper bound on ``-hess log p_t``."""
    scale = process.alpha(t) ** 2 * data_variance + process.variance(t)
    if scale <= 0.0:
        raise ValueError(
            "a segment that ends at t = 0 needs data_variance > 0, the variance of the narrowest "
            "Gaussian in the data, to set its step size; or end the segments above 0"
        )
    return 1.0 / scale
