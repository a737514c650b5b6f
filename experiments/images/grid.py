"""The settings of a method on images: the times of its segments, and options of its sampler.

A candidate of the configuration has the arguments of the grid, which are `GRID`, and options of the
sampler, such as ``step_size``. The grid ends above 0, so that the last score evaluation denoises to
0. A candidate without a rule leaves the times to the method.
"""

import json
import math
from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import Any

import rtk
from rtk import segments
from rtk.sampler import make_sampler
from rtk.samplers.base import Problem, Sampler
from rtk.score import CountedScore, Score
from rtk.segments import Times

Candidate = Mapping[str, Any]

GRID = ("rule", "count", "t_start", "t_end", "exponent")
T_END = 1e-3
"""OU time at which the grid ends if the configuration names none: noise of 4.5 % of a pixel."""


def times(
    sampler: Sampler, score: Score, nfe: int, rule: str, count: int | None = None, **options: Any
) -> Times:
    """The times of the segments that the configuration asks for.

    Args:
        sampler: the sampler, which says how many scores a segment needs.
        score: the score.
        nfe: number of score evaluations, of which the last one denoises.
        rule: name of a function of `rtk.segments`.
        count: number of segments, at most. If it is None, or if the scores do not suffice for it,
            there are as many segments as they suffice for.
        **options: other arguments of the rule.
    """
    affordable = max(1, (nfe - 1) // sampler.minimum_nfe(1, Problem(CountedScore(score))))
    make = getattr(segments, rule)
    result: Times = make(min(count or affordable, affordable), **{"t_end": T_END, **options})
    return result


def keywords(
    sampler: Mapping[str, Any], candidate: Candidate, score: Score, nfe: int
) -> dict[str, Any]:
    """The keywords of `rtk.sample` that depend on the method.

    Args:
        sampler: the method and its fixed options, from the configuration.
        candidate: the other settings.
        score: the score.
        nfe: number of score evaluations.
    """
    options = {name: value for name, value in candidate.items() if name not in GRID}
    own = {**sampler, **options}
    if "rule" not in candidate:
        return own
    of_the_run = signature(rtk.sample).parameters
    fields = {name: value for name, value in own.items() if name not in of_the_run}
    grid = {name: candidate[name] for name in GRID if name in candidate}
    return own | {"segments": times(make_sampler(own["method"], fields), score, nfe, **grid)}


def chosen(tuned: str | Path, nfe: int) -> Candidate:
    """The candidate that the tuning chose, in its file, for the nearest number of evaluations."""
    found: dict[str, Candidate] = json.loads(Path(tuned).read_text(encoding="utf-8"))["chosen"]
    return found[min(found, key=lambda tried: abs(math.log(int(tried) / nfe)))]
