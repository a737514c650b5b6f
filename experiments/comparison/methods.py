"""The methods of the comparison: the settings that each may be tuned over, and its runs.

A method of the configuration has ``sampler``, fixed keywords of `rtk.sample`, and, unless it has no
freedom, ``candidates``: for each of some settings the list of its values. The candidates of the
method are all combinations. These settings are those of the grid,

- ``rule``: a grid of `rtk.segments`, by the name of its function; ``gits``, which is fitted to the
  score (`rtk.schedules.gits`); or ``optimised``, the optimised time steps of
  `rtk.schedules.optimised`;
- ``t_end``, ``exponent``, ``gamma``, ``order``: arguments of the rule;
- ``scores``: score evaluations for each segment, 1 if it is left out;

all others are options of the sampler, such as ``step_size``. A candidate without a rule leaves the
grid to the sampler.
"""

import itertools
from collections.abc import Mapping
from typing import Any

import torch

import rtk
from experiments.runs import needed_densities
from rtk import segments
from rtk.calibration.calibration import METHODS as CALIBRATED
from rtk.samplers import analytic_ddpm, dpm_solver_v3
from rtk.schedules import gits, optimised
from rtk.score import Score
from rtk.targets import GaussianMixture, Target

Candidate = dict[str, Any]

GRID = ("rule", "t_end", "exponent", "gamma", "order", "scores")
FITTED_TO_DATA = ("dpm-v3", "analytic-ddpm")
DATA = 1024
"""Draws of the target to which DPM-Solver-v3 and Analytic-DDPM are fitted."""
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


def grid(candidate: Candidate, nfe: int, score: Score, dimension: int) -> segments.Times | None:
    """The times of the segments, or None if the sampler chooses them.

    The last score evaluation is for the denoising step from the end of the grid to 0. The others
    make ``scores`` to a segment, in at least one segment.
    """
    if "rule" not in candidate:
        return None
    count = max(1, (nfe - 1) // candidate.get("scores", 1))
    if candidate["rule"] == "gits":
        fine = segments.karras(gits.FINE, t_end=candidate["t_end"])
        return gits.schedule(score, dimension, count, gamma=candidate["gamma"], grid=fine).times
    if candidate["rule"] == "optimised":
        return optimised.schedule(count, candidate["order"], t_end=candidate["t_end"])
    ends = {name: candidate[name] for name in ("t_end", "exponent") if name in candidate}
    times: segments.Times = getattr(segments, candidate["rule"])(count, **ends)
    return times


def fitted(
    sampler: Mapping[str, Any], target: Target, score: Score, seed: int
) -> tuple[dict[str, Any], int]:
    """The keywords of `rtk.sample` with all that is fitted to a score, and the rows that it took.

    The row is one score evaluation of one point. What a calibrated method spends later, when it
    sees a number of score evaluations for the first time, is not yet among them. Neither is what is
    fitted to a grid: the second moments of Analytic-DDPM, one row per draw of the data and time,
    and the schedules of GITS.
    """
    if sampler["method"] in CALIBRATED:
        calibration = rtk.calibrate(score, target.dimension)
        return {**sampler, "calibration": calibration}, calibration.rows
    if sampler["method"] in FITTED_TO_DATA:
        generator = torch.Generator().manual_seed(seed)
        n = DATA if isinstance(target, GaussianMixture) else DATA // 8
        data = target.sample(n, generator=generator)
        if sampler["method"] == "analytic-ddpm":
            return {**sampler, "data": data}, 0
        statistics = dpm_solver_v3.fit(score, data)
        return {**sampler, "method": rtk.DPMSolverV3(statistics)}, statistics.evaluations
    return dict(sampler), 0


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
        sampler: the fixed keywords of `rtk.sample`, as `fitted` returns them.
        candidate: the settings that were chosen.
        n, nfe, seed: as in `rtk.sample`.
        score: the target's own score, or one with an error.
    """
    options = {name: value for name, value in candidate.items() if name not in GRID}
    times = grid(candidate, nfe, score, target.dimension)
    if sampler["method"] == "analytic-ddpm" and times is not None:
        moments = analytic_ddpm.second_moments(score, sampler["data"], times)
        sampler = {"method": rtk.AnalyticDDPM(moments)}
    return rtk.sample(
        score,
        target.dimension,
        n,
        nfe=nfe,
        seed=seed,
        **needed_densities(target, sampler, score),
        segments=times,
        chunk=None if isinstance(target, GaussianMixture) else CHUNK,
        nonfinite="keep",
        **sampler,
        **options,
    )
