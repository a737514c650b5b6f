"""What a sampler is: a way to carry chains across one segment of the reverse path.

`rtk.sample` cuts the path from noise to data into segments (paper, Algorithm 1) and calls one
sampler on each. DDPM, DDIM and RTK differ only in how they cross a segment.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from rtk import process, segments
from rtk.noise import Noise
from rtk.score import (
    CountedLogProb,
    CountedScore,
    CountedScoreAndLogProb,
    LogProb,
    Score,
    ScoreAndLogProb,
)
from rtk.segments import T_START, Times


@dataclass(frozen=True, eq=False)
class State:
    """Where the chains are, and what the next segment can reuse.

    Attributes:
        x: states at time ``t``, shape (n, *shape).
        t: OU time.
        score: ``s(x, t)`` if it is already known; the next segment then need not pay for it.
        history: times of the segments before and what a multistep solver extrapolates from them,
            mostly the denoised estimates ``E[x_0 | x]``; the newest first, as far as it keeps them.
    """

    x: Tensor
    t: float
    score: Tensor | None = None
    history: tuple[tuple[float, Tensor], ...] = ()


@dataclass(frozen=True, eq=False)
class Info:
    """What a sampler reports of one segment.

    Attributes:
        inner_steps, step_size: of the inner chain, if there is one.
        acceptance: fraction of accepted proposals of each chain, shape (n,), if there is a
            Metropolis test.
        stuck: chains whose score or energy was not finite, a mask of shape (n,).
    """

    inner_steps: int = 0
    step_size: float | None = None
    acceptance: Tensor | None = None
    stuck: Tensor | None = None


@dataclass(frozen=True)
class Problem:
    """What is sampled from: the counted score and, if it is known, the counted log-density.

    ``score_and_log_prob`` has both from one pass, if there is such a function.
    """

    score: CountedScore
    log_prob: CountedLogProb | None = None
    score_and_log_prob: CountedScoreAndLogProb | None = None

    @classmethod
    def of(
        cls, score: Score, log_prob: LogProb | None = None, both: ScoreAndLogProb | None = None
    ) -> "Problem":
        """The functions with counters at zero; ``both`` is ``score_and_log_prob``."""
        counted = CountedScore(score)
        if log_prob is None:
            if both is not None:
                raise ValueError("score_and_log_prob needs log_prob too")
            return cls(counted)
        energy = CountedLogProb(log_prob)
        pair = None if both is None else CountedScoreAndLogProb(both, counted, energy)
        return cls(counted, energy, pair)

    @property
    def log_prob_evaluations(self) -> int:
        """Evaluations of the log-density, each of one chain."""
        return 0 if self.log_prob is None else self.log_prob.evaluations

    def fresh(self) -> "Problem":
        """The same functions with counters of their own."""
        log_prob = None if self.log_prob is None else self.log_prob.function
        both = None if self.score_and_log_prob is None else self.score_and_log_prob.function
        return Problem.of(self.score.function, log_prob, both)


@runtime_checkable
class Sampler(Protocol):
    """How to cross a segment, how to cut the path by default, and what that costs at least."""

    def __call__(
        self, problem: Problem, state: State, t_lo: float, nfe: int, noise: Noise
    ) -> tuple[State, Info]:
        """Carry the chains from ``state.t`` to ``t_lo`` with at most ``nfe`` scores per chain."""

    def default_times(self, nfe: int, problem: Problem, t_start: float = T_START) -> Times:
        """Segments from ``t_start`` for a budget of ``nfe`` scores, if the caller gives none."""

    def minimum_nfe(self, segments: int, problem: Problem) -> int:
        """Scores that suffice to cross ``segments`` segments if none is reused."""


@runtime_checkable
class OwnStart(Protocol):
    """A sampler whose chains do not begin at ``N(0, I)``."""

    def initial(self, normal: Tensor, t: float) -> Tensor:
        """The states at the start ``t`` of a run, from standard normal draws."""


def initial(sampler: Sampler, normal: Tensor, t: float) -> Tensor:
    """Where a run begins: the sampler's own start if it has one, or the standard normal draws."""
    return sampler.initial(normal, t) if isinstance(sampler, OwnStart) else normal


class Fitted(Protocol):
    """What a method that is fitted to a model has learned of it.

    Attributes:
        rows: the score evaluations that it took, each of one point.
    """

    rows: int

    def break_even(self, nfe: int, rival: int) -> int:
        """Samples from which on ``nfe`` scores each and `rows` are fewer than ``rival`` each."""


@runtime_checkable
class Fittable(Protocol):
    """A method that has to see the model and the budget before there is a sampler.

    The sampler chooses its own segments.
    """

    def fit(
        self,
        score: Score,
        shape: tuple[int, ...],
        nfe: int,
        t_start: float | None,
        device: torch.device,
        dtype: torch.dtype,
    ) -> tuple[Sampler, Fitted]:
        """The sampler for ``nfe`` score evaluations per chain, and what was learned.

        ``t_start`` is the time at which the caller wants the chains to begin, if there is one.
        """


class OneScorePerSegment:
    """Grid and cost of the samplers without an inner chain: as many segments as scores."""

    def default_times(self, nfe: int, problem: Problem, t_start: float = T_START) -> Times:
        # The last score is spent on the denoising step from the end of the grid to 0.
        return segments.log_snr(max(1, nfe - 1), t_start)

    def minimum_nfe(self, segments: int, problem: Problem) -> int:
        return segments


def score_at(problem: Problem, state: State) -> Tensor:
    """``s(x, t)`` of a state: one evaluation, or none if the state contains it."""
    return problem.score(state.x, state.t) if state.score is None else state.score


def smoothness(t: float, data_variance: float) -> float:
    """``Gamma(t) = 1 / (a_t^2 v + s_t^2)``, an upper bound on ``-hess log p_t``.

    It holds if the data are ``N(0, v I)`` convolved with anything. ``data_variance`` is ``v``; 0 is
    safe for any data.
    """
    scale = process.alpha(t) ** 2 * data_variance + process.variance(t)
    if scale <= 0.0:
        raise ValueError(
            "a segment that ends at t = 0 needs data_variance > 0, the variance of the narrowest "
            "Gaussian in the data, to set its step size; or end the segments above 0"
        )
    return 1.0 / scale
