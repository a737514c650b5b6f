"""B6: energy differences that are estimated from scores: their errors, their effect and their cost.

- `modes` takes one segment of two modes in one dimension (`experiments.theory.two_modes`), without
  Monte Carlo noise. It computes the errors of the energy difference and of the acceptance
  probability over stationary proposals, and the total variation of the invariant law, against the
  step size.
- `proposals` measures the same two errors on one segment of the mixture ``mild`` in ten dimensions,
  where the proposals start from exact draws of the kernel.
- `chains` compares whole chains on ``mild`` at equal numbers of score evaluations. Those of the
  estimators are counted, so an expensive estimator leaves fewer inner steps.

The paper's other way, a network for the energy, is not studied: it is another model and no
estimator.
"""

import itertools
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

import rtk
from experiments.theory import curvature, two_modes
from experiments.workflow import job
from rtk import metrics, segments, targets
from rtk.energy import SIMPSON, TRAPEZOID, EnergyDifference, Exact, Taylor, gauss_legendre
from rtk.kernel import Point, ReverseTransition
from rtk.laws import grid as grid_law
from rtk.laws.grid import Grid
from rtk.mcmc.mala import proposal_ratio

Rows = list[dict[str, Any]]

ESTIMATORS: dict[str, EnergyDifference] = {
    "exact": Exact(),
    "trapezoid": TRAPEZOID,
    "taylor": Taylor(),
    "gauss_1": gauss_legendre(1),
    "simpson": SIMPSON,
    "gauss_2": gauss_legendre(2),
    "gauss_3": gauss_legendre(3),
}

EXACT = Exact()
REACH = 4.0
"""Half the width of the grid."""
MILD_VARIANCE = 0.25
"""Variance of the components of ``mild``."""


@dataclass(frozen=True)
class Settings:
    """Sizes of the study.

    Attributes:
        step_sizes: inner step sizes, relative to one over the largest curvature.
        segments: number of segments of whole chains.
        cells: cells of the grid.
        proposals: number of proposals in ten dimensions.
        chains: number of whole chains for each estimator and each of `nfe`.
        nfe: numbers of score evaluations of whole chains.
    """

    step_sizes: list[float]
    segments: int
    cells: int
    proposals: int
    chains: int
    nfe: list[int]


def acceptance(
    kernel: ReverseTransition,
    here: Point,
    there: Point,
    step_size: float,
    energy: EnergyDifference = EXACT,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The estimated energy difference and the acceptance probability of each move, (n,) each."""
    difference = energy(kernel, here, there)
    delta = difference + proposal_ratio(here, there, step_size)
    return difference, delta.clamp_min(0.0).neg().exp()


# --- one segment of two modes, on a grid ---


def pairs(grid: Grid) -> tuple[ReverseTransition, Point, Point]:
    """The kernel with a chain for each pair of cells, and the two centres of each pair."""
    single = two_modes.kernel()
    kernel = replace(single, x=single.x.expand(grid.cells**2, 1))
    z = grid.points
    return kernel, kernel.at(z.repeat_interleave(grid.cells, 0)), kernel.at(z.repeat(grid.cells, 1))


def modes(relative_steps: list[float], cells: int) -> Rows:
    """Errors of the estimators and of the invariant laws; steps are relative to ``1 / (3 L)``."""
    grid = Grid(-REACH, REACH, cells)
    single = two_modes.kernel()
    law = grid_law.kernel_law(single, grid)
    kernel, here, there = pairs(grid)
    rows = Rows()
    for relative in relative_steps:
        step_size = relative / (3.0 * two_modes.LIPSCHITZ)
        proposals = grid_law.ula_matrix(single, grid, step_size)
        weight = (law[:, np.newaxis] * proposals).ravel()
        truth, accepted = acceptance(kernel, here, there, step_size)
        row = {"target": "two-modes", "step_size": relative, "standard_error": 0.0}
        floor = grid_law.tv(grid_law.stationary(proposals), law)
        rows.append(row | {"method": "ula", "metric": "tv", "value": float(floor)})
        for name, energy in ESTIMATORS.items():
            difference, estimated = acceptance(kernel, here, there, step_size, energy)
            matrix = grid_law.mala_matrix(single, grid, step_size, energy)
            values = {
                "energy_error": math.sqrt(weight @ (difference - truth).numpy() ** 2),
                "acceptance_error": float(weight @ (estimated - accepted).abs().numpy()),
                "tv": float(grid_law.tv(grid_law.stationary(matrix), law)),
            }
            rows += [
                row | {"method": name, "metric": metric, "value": value}
                for metric, value in values.items()
            ]
    return rows


# --- the mild mixture in ten dimensions, by simulation ---


def proposals(relative_steps: list[float], chains: int, seed: int) -> Rows:
    """Errors of the estimators for proposals from exact draws, which are the same for all."""
    mixture = targets.mixture("mild")
    lipschitz = curvature.lipschitz_bound(mixture, 0.0)
    t_hi = segments.critical_length(lipschitz)
    generator = torch.Generator().manual_seed(seed)
    x = mixture.sample(chains, t_hi, generator, torch.float64)
    kernel = ReverseTransition(mixture.score, x, t_hi, 0.0, mixture.log_prob)
    here = kernel.at(mixture.reverse_transition(x, t_hi, 0.0).sample(generator))
    normal = torch.randn(x.shape, generator=generator, dtype=x.dtype)
    rows = Rows()
    for relative in relative_steps:
        step_size = relative / (3.0 * lipschitz)
        there = kernel.at(here.z - step_size * here.gradient + math.sqrt(2 * step_size) * normal)
        truth, accepted = acceptance(kernel, here, there, step_size)
        for name, energy in ESTIMATORS.items():
            difference, estimated = acceptance(kernel, here, there, step_size, energy)
            square = metrics.Estimate.of_replicates((difference - truth).numpy() ** 2)
            root = math.sqrt(square.value)
            errors = {
                "energy_error": metrics.Estimate(
                    root, square.standard_error / (2.0 * root) if root else 0.0
                ),
                "acceptance_error": metrics.Estimate.of_replicates(
                    (estimated - accepted).abs().numpy()
                ),
            }
            rows += [
                {"target": "mild", "step_size": relative, "method": name}
                | {"metric": metric, "value": error.value, "standard_error": error.standard_error}
                for metric, error in errors.items()
            ]
    return rows


def error_of(samples: metrics.Samples, reference: metrics.Reference) -> metrics.Estimate:
    """The mean of three total variations: of marginals, of weights of the modes, and of radii."""
    accuracy = metrics.marginal_accuracy(samples, reference, interval=None)
    parts = [
        metrics.Estimate(1.0 - accuracy.value, accuracy.standard_error),
        metrics.mode_weight_tv(samples, reference),
        metrics.radial_tv(samples, reference),
    ]
    return metrics.Estimate.of_one_sample(parts)


def chains(budgets: list[int], count: int, segment_count: int, seed: int) -> Rows:
    """Errors of the samples of whole chains at equal numbers of scores, and of exact samples.

    The chains of all estimators have the same random numbers. RTK-ULA is there for comparison; it
    needs no energies.
    """
    mixture = targets.mixture("mild")
    reference = metrics.Reference.of(mixture, size=1)
    seed = job.derive_seed(seed, "energy_estimators", "chains")
    exact = mixture.sample(count, 0.0, torch.Generator().manual_seed(seed))
    runs = [("sample", 0, 0, exact)]
    for nfe, name in itertools.product(budgets, ["ula", *ESTIMATORS]):
        options: dict[str, Any] = {"method": "rtk-ula"}
        if name in ESTIMATORS:
            log_prob = mixture.log_prob if name == "exact" else None
            options = {"method": "rtk-mala", "energy": ESTIMATORS[name], "log_prob": log_prob}
        result = rtk.sample(
            mixture.score,
            mixture.dimension,
            count,
            nfe=nfe,
            seed=seed,
            segments=segments.log_snr(segment_count),
            data_variance=MILD_VARIANCE,
            **options,
        )
        runs.append((name, nfe, result.nfe, result.samples))
    rows = Rows()
    for name, nfe_asked, nfe, samples in runs:
        error = error_of(samples, reference)
        row = {
            "target": "mild",
            "method": name,
            "nfe_asked": nfe_asked,
            "nfe": nfe,
            "metric": "error",
        }
        rows.append(row | {"value": error.value, "standard_error": error.standard_error})
    return rows


def rows(settings: Settings, seed: int) -> Rows:
    """Errors on one segment, of single proposals, and of whole chains."""
    proposals_seed = job.derive_seed(seed, "energy_estimators", "proposals")
    table = [
        *modes(settings.step_sizes, settings.cells),
        *proposals(settings.step_sizes, settings.proposals, proposals_seed),
        *chains(settings.nfe, settings.chains, settings.segments, seed),
    ]
    table = [{"step_size": 0.0, "seed": seed, **row} for row in table]
    return [{"settings": f"step_size={row['step_size']}", **row} for row in table]


if __name__ == "__main__":
    job.study(rows, Settings)
