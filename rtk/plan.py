"""A run before its chains: the segments, and how many scores may be spent by the end of each."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rtk import segments as grids
from rtk.checks import check_count, check_flag, check_positive
from rtk.samplers.base import Problem, Sampler
from rtk.samplers.ddpm import DDPM
from rtk.score import LogProb, Score, ScoreAndLogProb
from rtk.segments import T_START, Times


@dataclass(frozen=True)
class Crossing:
    """One segment of a run: who crosses it, and how many scores may be spent by its end."""

    sampler: Sampler
    t_hi: float
    t_lo: float
    allowance: int


@dataclass(frozen=True)
class Plan:
    """What to sample from, and the segments with their budgets."""

    problem: Problem
    crossings: list[Crossing]


def make_plan(
    score: Score,
    sampler: Sampler,
    nfe: int,
    log_prob: LogProb | None = None,
    segments: int | Sequence[float] | None = None,
    denoise: bool | None = None,
    t_start: float | None = None,
    score_and_log_prob: ScoreAndLogProb | None = None,
) -> Plan:
    """The plan of `rtk.sample` with these arguments, checked.

    The budget is spread evenly over the segments; what one leaves unspent goes to the next.
    """
    nfe = check_count("nfe", nfe)
    problem = Problem.of(score, log_prob, score_and_log_prob)
    times = _make_times(segments, sampler, nfe, problem, t_start)
    if denoise is None:
        denoise = times[-1] > 0.0
    elif check_flag("denoise", denoise) and times[-1] == 0.0:
        raise ValueError("denoise=True needs segments that end above 0, these end at 0")
    count = len(times) - 1
    minimum = sampler.minimum_nfe(count, problem) + denoise
    if nfe < minimum:
        raise ValueError(
            f"nfe={nfe} is below the minimum of {type(sampler).__name__} on {count} segments"
            f"{' and a denoising step' if denoise else ''}, expected at least {minimum}"
        )
    crossings = [
        Crossing(sampler, t_hi, t_lo, round((nfe - denoise) * (k + 1) / count))
        for k, (t_hi, t_lo) in enumerate(itertools.pairwise(times))
    ]
    if denoise:
        # Tweedie's estimate is the DDPM step to 0, which has no noise.
        crossings.append(Crossing(DDPM(), times[-1], 0.0, nfe))
    return Plan(problem, crossings)


def _make_times(
    segments: int | Sequence[float] | None,
    sampler: Sampler,
    nfe: int,
    problem: Problem,
    t_start: float | None,
) -> Times:
    if isinstance(segments, Iterable):
        if t_start is not None:
            raise ValueError("t_start sets where a default grid begins, but segments= has times")
        return grids.check(segments)
    t_start = T_START if t_start is None else check_positive("t_start", t_start)
    if segments is None:
        return sampler.default_times(nfe, problem, t_start)
    return grids.log_snr(check_count("segments", segments), t_start)
