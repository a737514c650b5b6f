"""The methods of the comparison: the settings that each may be tuned over, and its runs.

A method of the configuration has ``sampler``, fixed keywords of `rtk.sample`, and, unless it has no
freedom, ``candidates``: for each of some settings the list of its values. The candidates of the
method are all combinations. These settings are those of the grid,

- ``rule``: a grid of `rtk.segments`, by the name of its function;
- ``t_end``, ``exponent``: arguments of the rule;
- ``scores``: score evaluations for each segment, 1 if it is left out;

all others are options of the sampler, such as ``step_size``. A candidate without a rule leaves the
grid to the sampler.
"""

import itertools
from collections.abc import Mapping
from typing import Any

import rtk
from experiments.runs import needed_log_prob
from rtk import segments
from rtk.score import Score
from rtk.targets import GaussianMixture, Target

Candidate = dict[str, Any]

GRID = ("rule", "t_end", "exponent", "scores")
CHUNK = 256
"""Chains at a time where the score is a quadrature, which then fits the cache of a core."""


def candidates(method: Mapping[str, Any]) -> list[Candidate]:
    """All combinations of the settings that a method may be tuned over; one if there are none."""
    values: Mapping[str, list[Any]] = method.get("candidates", {})
    return [
        dict(zip(values, chosen, strict=True)) for chosen in itertools.product(*values.values())
    ]


def check_budget(name: str, method: Mapping[str, Any], budget: int) -> None:
    """An error unless a method that is tuned has as many candidates as every other one."""
    count = len(candidates(method))
    if count != budget:
        raise ValueError(
            f"method {name} has {count} candidates, expected {budget}: all methods that are tuned "
            "must have the same number"
        )


def grid(candidate: Candidate, nfe: int) -> segments.Times | None:
    """The times of the segments, or None if the sampler chooses them.

    The last score evaluation is for the denoising step from the end of the grid to 0. The others
    make ``scores`` to a segment, in at least one segment.
    """
    if "rule" not in candidate:
        return None
    count = max(1, (nfe - 1) // candidate.get("scores", 1))
    ends = {name: candidate[name] for name in ("t_end", "exponent") if name in candidate}
    times: segments.Times = getattr(segments, candidate["rule"])(count, **ends)
    return times


def run(
    target: Target,
    sampler: Mapping[str, Any],
    candidate: Candidate,
    *,
    n: int,
    nfe: int,
    seed: int,
    score: Score,
) -> rtk.Result:
    """The samples of a method with one of its candidates.

    Args:
        target: the target.
        sampler: the fixed keywords of `rtk.sample`.
        candidate: the settings that were chosen.
        n, nfe, seed: as in `rtk.sample`.
        score: the target's own score, or one with an error.
    """
    options = {name: value for name, value in candidate.items() if name not in GRID}
    return rtk.sample(
        score,
        target.dimension,
        n,
        nfe=nfe,
        seed=seed,
        log_prob=needed_log_prob(target, sampler),
        segments=grid(candidate, nfe),
        chunk=None if isinstance(target, GaussianMixture) else CHUNK,
        nonfinite="keep",
        **sampler,
        **options,
    )
