"""B10: what the calibrated solver consists of, what each part is worth, and what it costs.

- Ablation: parts of the solver are left out or replaced by something plainer
  (`experiments.theory.solver_variants`), on the mixtures that samplers are tuned on. Each
  repetition has a pilot and chains of its own, which all variants share. Two errors are measured.
  The error of the modes, ``J = (mode-weight TV + radial TV) / 2``, is that of the samples and has
  a floor. The distance is that from where an accurate solution of the flow takes the same start:
  the median over chains of the root mean square per coordinate, relative to the width of the
  narrowest component.
- Plan: the noise levels of the scores beside those of common grids, and the coefficients beside
  those that DPM-Solver++(2M) has on the same nodes.
- Cost: score evaluations of one point and seconds, stage by stage, and memory.
"""

import math
import resource
import sys
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

import rtk
from experiments.comparison.judge import bounded, mode_error
from experiments.comparison.targets import draw
from experiments.theory import solver_variants
from experiments.theory.solver_variants import Parts
from experiments.workflow import job, tidy
from rtk import process, segments, targets
from rtk.calibration import kernels, pilot
from rtk.samplers.base import Sampler
from rtk.samplers.calibrated import Calibrated

RIVAL = "dpm++2m"
FLOOR_REPLICATES = 8
"""Sets of exact samples whose mean error is the floor."""
TRIALS = 128
"""Chains whose distance from an accurate solution is measured."""
T_LAST = 1e-3
"""Where DPM-Solver++(2M), and the grids beside the plan, have their last score."""


@dataclass(frozen=True)
class Settings:
    """Sizes of the study.

    Attributes:
        chains: target -> number of chains.
        nfe: numbers of score evaluations.
        repetitions: pilots and sets of chains; at least 2.
        dimensions: of the wide mixtures on which memory is measured, ascending.
    """

    chains: dict[str, int]
    nfe: list[int]
    repetitions: int
    dimensions: list[int]


def accurate(parts: Parts, xi: Tensor) -> Tensor:
    """The end of the flow that begins at ``xi`` at the start, by an accurate solution."""
    start, end = process.noise_level(segments.T_START), parts.pilot.sigmas[-1]
    y = math.sqrt(1.0 + start**2) * xi
    y = kernels.accurate(parts.model, parts.base, y, start, end)
    return kernels.last_part(parts.model, parts.base, y, end, 0.0)


def ablation_rows(name: str, n: int, nfe: list[int], repetition: int, seed: int) -> list[tidy.Row]:
    """Both errors of all variants, and of DPM-Solver++(2M), on one target."""
    mixture = targets.mixture(name)
    d = mixture.dimension
    own = job.derive_seed(seed, "calibrated_solver", name, repetition)
    named = solver_variants.variants(mixture.score, d, own)
    parts, _ = named["full"]
    xi = pilot.start_noise(TRIALS, d, torch.Generator().manual_seed(own + 1))
    ends, width = accurate(parts, xi), math.sqrt(float(mixture.variances.min()))
    table: list[tidy.Row] = []
    for variant in (RIVAL, *named):
        for budget in nfe:
            rows, started = parts.model.score.evaluations, time.perf_counter()
            method: str | Sampler = RIVAL
            if variant != RIVAL:
                own_parts, build = named[variant]
                method = build(own_parts, budget)
            if variant == "full":
                spent = parts.model.score.evaluations - rows, time.perf_counter() - started
                table += cost_rows(name, own, repetition, {"selection": spent}, budget)
                if repetition == 0 and isinstance(method, Calibrated):
                    table += plan_rows(name, own, method, budget)
            double = torch.float64
            result = rtk.sample(mixture.score, d, n, method, budget, own, dtype=double)
            again = rtk.sample(
                mixture.score, d, TRIALS, method, budget, own, dtype=double, x_init=xi
            )
            distance = (again.samples - ends).square().mean(1).sqrt().median() / width
            errors = {"mode_error": mode_error(bounded(result.samples), mixture)}
            errors["distance"] = float(distance)
            table += tidy.rows(
                {metric: (value, math.nan) for metric, value in errors.items()},
                target=name,
                method=RIVAL if variant == RIVAL else "calibrated",
                settings=variant,
                seed=own,
                nfe_asked=budget,
                nfe=result.nfe,
                repetition=repetition,
            )
    return table + cost_rows(name, own, repetition, parts.cost)


def floor_rows(name: str, n: int, seed: int) -> list[tidy.Row]:
    """The error of the modes of as many exact samples."""
    mixture = targets.mixture(name)
    seeds = [
        job.derive_seed(seed, "calibrated_solver", name, "exact", k)
        for k in range(FLOOR_REPLICATES)
    ]
    floor = rtk.metrics.Estimate.of_replicates(
        [mode_error(draw(mixture, n, one), mixture) for one in seeds]
    )
    common = {"target": name, "method": "exact", "settings": "", "seed": seeds[0]}
    return tidy.rows({"mode_error": floor}, **common)


def cost_rows(
    name: str, seed: int, repetition: int, cost: dict[str, tuple[int, float]], nfe: int = 0
) -> list[tidy.Row]:
    """Score evaluations and seconds of each stage; ``nfe_asked`` is that of the solver, if any."""
    return [
        {"target": name, "method": "calibrated", "settings": stage, "seed": seed}
        | {"nfe_asked": nfe, "repetition": repetition, "metric": metric, "value": float(value)}
        for stage, spent in cost.items()
        for metric, value in zip(("rows", "seconds"), spent, strict=True)
    ]


def plan_rows(name: str, seed: int, solver: Calibrated, nfe: int) -> list[tidy.Row]:
    """Noise levels of the scores, and the coefficients of the steps, of a solver.

    The column ``node`` counts the scores from 0, and ``lag`` the residuals that a coefficient
    belongs to, from the newest one.
    """
    count = max(1, nfe - 1)
    grids = {
        "calibrated": [process.noise_level(step.t_hi) for step in solver.steps],
        "log_snr": [*map(process.noise_level, segments.log_snr(count, t_end=T_LAST))],
        "karras": [*map(process.noise_level, segments.karras(count, t_end=T_LAST))],
    }
    common = {"target": name, "seed": seed, "nfe_asked": nfe, "repetition": 0}
    levels = [
        {"method": grid, "settings": "", "metric": "sigma", "node": k, "value": value}
        for grid, sigmas in grids.items()
        for k, value in enumerate(sigmas)
    ]
    return [{**common, **row} for row in [*levels, *coefficient_rows(solver)]]


def coefficient_rows(solver: Calibrated) -> list[tidy.Row]:
    """The coefficients of a solver, and those of the predictor of DPM-Solver++(2M) on its nodes."""
    sigmas = np.array([*(process.noise_level(step.t_hi) for step in solver.steps), 0.0])
    kinds = {
        ("calibrated", "predictor"): [step.predictor for step in solver.steps],
        ("calibrated", "corrector"): [step.corrector for step in solver.steps],
        (RIVAL, "predictor"): two_m(sigmas),
    }
    return [
        {"method": method, "settings": kind, "metric": kind, "value": value}
        | {"node": node, "lag": lag}
        for (method, kind), steps in kinds.items()
        for node, step in enumerate(steps)
        for lag, value in enumerate(step)
    ]


def two_m(sigmas: np.ndarray) -> list[tuple[float, ...]]:
    """Weights of the denoised estimates in each step of DPM-Solver++(2M) between noise levels.

    With ``h_k = ln(sigma_k / sigma_k+1)`` and ``r = h_k-1 / h_k``, a step adds
    ``(1 - exp(-h_k)) ((1 + 1/(2r)) D_k - 1/(2r) D_k-1)`` to a multiple of ``y`` (Lu et al. 2022,
    arXiv 2211.01095). The first step and the last one, to 0, take ``D_k`` alone.
    """
    steps: list[tuple[float, ...]] = [(1.0 - sigmas[1] / sigmas[0],)]
    u = np.log(sigmas[:-1])
    for k in range(1, len(sigmas) - 2):
        half = 0.5 * (u[k] - u[k + 1]) / (u[k - 1] - u[k])
        whole = 1.0 - sigmas[k + 1] / sigmas[k]
        steps.append((whole * (1.0 + half), -whole * half))
    return [*steps, (1.0,)][: len(sigmas) - 1]


def memory_rows(dimension: int, seed: int) -> list[tidy.Row]:
    """Peak memory of a calibration beyond what the process had, and that of the formula.

    The mixture has six modes of width 1/2 at the distance 4 in random directions. The peak of a
    process only ever rises, so the smaller dimensions have to come first.
    """
    mixture = targets.asymmetric(dimension, 4.0, (0.5, 0.5))
    before, started = peak_memory(), time.perf_counter()
    parts = solver_variants.calibrated(mixture.score, dimension, seed)
    measured = {
        "seconds": time.perf_counter() - started,
        "peak": peak_memory() - before,
        "formula": solver_variants.memory(len(parts.pilot.sigmas), pilot.CHAINS, dimension),
        "rows": float(parts.model.score.evaluations),
    }
    common = {"target": f"d={dimension}", "method": "calibrated", "settings": "memory"}
    exact = {name: (value, 0.0) for name, value in measured.items()}
    return tidy.rows(exact, **common, seed=seed, dimension=dimension)


def peak_memory() -> float:
    """The largest resident size of the process so far in MB; Linux counts KiB, macOS bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def rows(settings: Settings, seed: int) -> list[tidy.Row]:
    """Memory, floors, and for every repetition and target the ablation, the plan and the cost."""
    table: list[tidy.Row] = []
    # First, as the peak of the process is to be that of the calibrations.
    for dimension in settings.dimensions:
        table += memory_rows(dimension, job.derive_seed(seed, "calibrated_solver", dimension))
    for name, n in tqdm(settings.chains.items()):
        table += floor_rows(name, n, seed)
        for repetition in range(settings.repetitions):
            table += ablation_rows(name, n, settings.nfe, repetition, seed)
    missing = {"repetition": -1, "node": -1, "lag": -1, "dimension": -1}
    return [{**missing, **row} for row in table]


if __name__ == "__main__":
    job.study(rows, Settings)
