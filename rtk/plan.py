"""A run before its chains: the segments, and how many scores may be spent by the end of each."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rtk import segments as grids
from rtk.checks import check_count
from rtk.samplers.base import Problem, Step
from rtk.samplers.ddpm import DDPM
from rtk.samplers.registry import make_step
from rtk.score import CountedLogProb, CountedScore, LogProb, Score
from rtk.segments import Times


@dataclass(frozen=True)
class Crossing:
    """One segment of a run: who crosses it, and how many scores may be spent by its end."""

    step: Step
    t_hi: float
    t_lo: float
    allowance: int


@dataclass(frozen=True)
class Plan:
    """A run before its chains: what to sample from, and the segments with their budgets."""

    problem: Problem
    crossings: list[Crossing]


def make_plan(
    score: Score,
    method: str | Step,
    nfe: int,
    log_prob: LogProb | None = None,
    segments: int | Sequence[float] | None = None,
    denoise: bool | None = None,
    **options: object,
) -> Plan:
    """The plan of `sample` with these arguments, checked.

    The budget is spread evenly; what a segment leaves unspent goes to the next.
    """
    nfe = check_count("nfe", nfe)
    problem = Problem(CountedScore(score), None if log_prob is None else CountedLogProb(log_prob))
    step = make_step(method, options)
    times = _make_times(segments, step, nfe, problem)
    if denoise is None:
        denoise = times[-1] > 0.0
    elif denoise and times[-1] == 0.0:
        raise ValueError("denoise=True needs segments that end above 0, these end at 0")
    count = len(times) - 1
    minimum = step.minimum_nfe(count, problem) + denoise
    if nfe < minimum:
        raise ValueError(
            f"nfe={nfe} is below the minimum of {method!r} on {count} segments"
            f"{' and a denoising step' if denoise else ''}, expected at least {minimum}"
        )
    crossings = [
        Crossing(step, t_hi, t_lo, round((nfe - denoise) * (k + 1) / count))
        for k, (t_hi, t_lo) in enumerate(itertools.pairwise(times))
    ]
    if denoise:
        # Tweedie's estimate is the DDPM step to 0, which has no noise.
        crossings.append(Crossing(DDPM(), times[-1], 0.0, nfe))
    return Plan(problem, crossings)


def _make_times(
    segments: int | Sequence[float] | None, step: Step, nfe: int, problem: Problem
) -> Times:
    if segments is None:
        return step.default_times(nfe, problem)
    if isinstance(segments, Iterable):
        return grids.check(segments)
    return grids.log_snr(check_count("segments", segments))
