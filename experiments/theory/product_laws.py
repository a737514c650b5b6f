"""B4, beyond Gaussians: the total variation of samplers on products of one law, in any dimension.

The target is a product of d equal factors, each with mean 0 and variance 1
(`experiments.theory.factors`). Nothing is random.

- DDPM, DDIM and DPM-Solver++(2M) act on each coordinate by itself, so the law of one coordinate on
  a grid (`rtk.laws.solvers`) gives the distance in all dimensions (`rtk.laws.product`). The steps
  have equal lengths in log-SNR between `T_START` and `T_END`, and a last one leads to 0.
- So do RTK-ULA, RTK-LM and RTK-ULD (`rtk.laws.reverse_transition`). They run from the paper's
  Gaussian start on segments of the theory's length from `RTK_START` on, with the theory's step
  (`experiments.theory.step_rule`). Start time and segments are the same for all accuracies.
- RTK-MALA accepts or rejects all coordinates at once. Its whole chains are computed in one
  dimension (`rtk.laws.grid.segment_laws`), at the relative step 1. In d dimensions the step is
  computed with which half of the proposals from the kernel itself are accepted
  (`rtk.laws.acceptance`), on the last segment; rows of the metric ``step_size`` hold it.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

import rtk
from experiments.theory import factors
from experiments.theory.factors import SHAPES
from experiments.theory.search import log_snr_grid
from experiments.theory.step_rule import ORDERS, inner_chain
from experiments.workflow import job, tidy
from rtk.kernel import ReverseTransition
from rtk.laws import grid as grid_law
from rtk.laws import product, reverse_transition, solvers
from rtk.laws.acceptance import expected_acceptance
from rtk.laws.grid import Array, Grid
from rtk.laws.reverse_transition import Unadjusted, Widths, resampled
from rtk.samplers.base import Sampler, smoothness
from rtk.samplers.ddim import DDIM
from rtk.samplers.ddpm import DDPM
from rtk.samplers.dpm_solver import DPMSolverPP2M
from rtk.samplers.reverse_transition import RTKLM, RTKULA, RTKULD

T_START, T_END = 6.0, 1e-6
RTK_START = 4.0
"""Earliest start of RTK, where the factors are normal up to a TV of 1e-6."""
SOLVERS: dict[str, Sampler] = {"ddpm": DDPM(), "ddim": DDIM(), "dpm++2m": DPMSolverPP2M()}
CHAINS: dict[str, Callable[..., Unadjusted]] = {
    "rtk-ula": RTKULA,
    "rtk-lm": RTKLM,
    "rtk-uld": RTKULD,
}
EDGE = 10.0
"""Half the width of the solvers' grid; the factors have a mass below 1e-10 beyond it."""
HALF = 0.5
"""The acceptance for which the step of RTK-MALA is searched."""


@dataclass(frozen=True)
class Settings:
    """Sizes of the study.

    Attributes:
        dimensions: numbers of factors.
        nfe: numbers of score evaluations of the solvers, one per step.
        shares: total variations that the theory's step grants to one coordinate of one segment.
        inner_steps: inner steps of RTK-MALA per segment.
        cells: cells of the grid on which laws are compared.
        mala_cells: cells of the grid of RTK-MALA.
    """

    dimensions: list[int]
    nfe: list[int]
    shares: list[float]
    inner_steps: list[int]
    cells: int
    mala_cells: int


# --- solvers --------------------------------------------------------------------------------------


def times(nfe: int) -> list[float]:
    """Ends of ``nfe`` steps, of which the last one leads from `T_END` to 0."""
    ends: list[float] = log_snr_grid(T_START, T_END, nfe - 1).tolist()
    return ends


def target_law(factor: rtk.GaussianMixture, grid: Grid) -> Array:
    """The law of one coordinate of the target."""
    return grid.law(factor.log_prob(grid.points, 0.0).numpy())


def variations(shape: str, method: str, nfe: int, settings: Settings) -> list[float]:
    """The TV between the samples of a solver and the target in every dimension."""
    grid, factor = Grid(-EDGE, EDGE, settings.cells), SHAPES[shape]
    law = solvers.sample_law(factor.score, SOLVERS[method], grid, nfe, times(nfe))
    exact = target_law(factor, grid)
    return [product.tv(law, exact, d, tolerance=1e-6) for d in settings.dimensions]


def solver_rows(
    shape: str, settings: Settings, methods: Iterable[str] = SOLVERS
) -> Iterator[tidy.Row]:
    """A row for each solver, number of scores and dimension."""
    for method, nfe in itertools.product(methods, settings.nfe):
        for dimension, value in zip(
            settings.dimensions, variations(shape, method, nfe, settings), strict=True
        ):
            yield {"method": method, "settings": f"nfe={nfe}", "nfe": nfe} | {
                "dimension": dimension,
                "metric": "tv",
                "value": value,
            }


# --- chains of RTK without a Metropolis test ------------------------------------------------------


def chain_variations(
    shape: str, sampler: Unadjusted, settings: Settings, widths: Widths | None = None
) -> list[float]:
    """The TV between the samples of an unadjusted chain and the target in every dimension."""
    factor = SHAPES[shape]
    ends, edge = factors.theory_times(factor, RTK_START), factors.edge(factor)
    law, coarse = reverse_transition.sample_law(factor.score, sampler, ends, edge, widths)
    grid = Grid(-edge, edge, settings.cells)
    # Between the centres the law is known from its Fourier coefficients, up to rounding below zero.
    fine = np.maximum(grid.spacing * resampled(law, coarse, grid.centres), 0.0)
    exact = target_law(factor, grid)
    return [product.tv(fine, exact, d, tolerance=1e-6) for d in settings.dimensions]


def chain(shape: str, method: str, share: float) -> Unadjusted:
    """The sampler with the theory's step for this share."""
    step_size, steps = inner_chain(method, share)
    return CHAINS[method](
        step_size=step_size,
        inner_steps=steps,
        warm_start="gaussian",
        data_variance=factors.narrowest(SHAPES[shape]),
    )


def chain_rows(
    shape: str, settings: Settings, methods: Iterable[str] = ORDERS
) -> Iterator[tidy.Row]:
    """A row for each unadjusted chain, share and dimension."""
    count = len(factors.theory_times(SHAPES[shape], RTK_START)) - 1
    for method, share in itertools.product(methods, settings.shares):
        sampler = chain(shape, method, share)
        steps = sampler.inner_steps or 0
        for dimension, value in zip(
            settings.dimensions, chain_variations(shape, sampler, settings), strict=True
        ):
            yield {"method": method, "settings": f"share={share}", "nfe": count * steps} | {
                "dimension": dimension,
                "metric": "tv",
                "value": value,
                "segments": count,
                "inner_steps": steps,
                "step_size": sampler.step_size,
            }


# --- RTK-MALA -------------------------------------------------------------------------------------


def mala_laws(shape: str, inner_steps: Iterable[int], grid: Grid) -> dict[int, Array]:
    """The law of the samples in one dimension, by inner steps per segment, at the step 1."""
    factor, normal = SHAPES[shape], grid.law(-0.5 * grid.centres**2)
    laws = {steps: normal for steps in inner_steps}
    for t_hi, t_lo in itertools.pairwise(factors.theory_times(factor, RTK_START)):
        kernels = ReverseTransition(factor.score, grid.points, t_hi, t_lo, factor.log_prob)
        first, step_size = starts(factor, kernels, grid), 1.0 / curvature(factor, kernels)
        matrices = grid_law.segment_laws(kernels, first, grid, step_size, max(laws))
        laws = {steps: law @ matrices[steps] for steps, law in laws.items()}
    return laws


def mala_variations(shape: str, inner_steps: Iterable[int], cells: int) -> list[float]:
    """The TV between these laws and the target."""
    factor = SHAPES[shape]
    grid = Grid(-factors.edge(factor), factors.edge(factor), cells)
    exact = target_law(factor, grid)
    return [float(grid_law.tv(law, exact)) for law in mala_laws(shape, inner_steps, grid).values()]


def curvature(factor: rtk.GaussianMixture, kernel: ReverseTransition) -> float:
    """The bound on the kernel's curvature to which steps are relative."""
    return smoothness(kernel.t_lo, factors.narrowest(factor)) + kernel.tilt_precision


def starts(factor: rtk.GaussianMixture, kernels: ReverseTransition, grid: Grid) -> Array:
    """Laws of the paper's Gaussian start (`rtk.warm_start.gaussian`): masses (kernels, cells)."""
    gamma = smoothness(kernels.t_lo, factors.narrowest(factor))
    precision = 2.0 * gamma + kernels.tilt_precision
    means = -kernels.tilt_gradient(0.0 * kernels.x).numpy() / precision
    return np.stack([grid.law(-0.5 * precision * (grid.centres - mean) ** 2) for mean in means])


def accepted_step(shape: str, dimension: int) -> float:
    """The relative step at which the acceptance in kernels of the last segment falls to `HALF`."""
    factor = SHAPES[shape]
    edge = factors.edge(factor)
    t_hi, t_lo = factors.theory_times(factor, RTK_START)[-2:]
    width = math.sqrt(rtk.process.variance(t_hi - t_lo))
    nodes = Grid(-edge, edge, math.ceil(2.0 * edge / width))
    masses = nodes.law(factor.log_prob(nodes.points, t_hi).numpy())
    kernel = ReverseTransition(factor.score, nodes.points, t_hi, t_lo, factor.log_prob)
    bound = curvature(factor, kernel)
    grid = Grid(-edge, edge, math.ceil(2.0 * edge * math.sqrt(bound) / 0.4))

    def excess(log_step: float) -> float:
        step_size = math.exp(log_step) / bound
        return expected_acceptance(kernel, masses, grid, step_size, dimension) - HALF

    # At stationarity the step falls as d^(-1/3). It is sought from 1/80 of that to its eightfold.
    middle = math.log(dimension ** (-1.0 / 3.0))
    root: float = brentq(excess, middle - math.log(80.0), middle + math.log(8.0), xtol=1e-5)
    return math.exp(root)


def mala_rows(shape: str, settings: Settings) -> Iterator[tidy.Row]:
    """Whole chains in one dimension, and the accepted step in each dimension."""
    count = len(factors.theory_times(SHAPES[shape], RTK_START)) - 1
    values = mala_variations(shape, settings.inner_steps, settings.mala_cells)
    for steps, value in zip(settings.inner_steps, values, strict=True):
        # A segment needs a score at the start of its chain.
        yield {"method": "rtk-mala", "settings": f"inner_steps={steps}"} | {
            "nfe": count * (steps + 1),
            "dimension": 1,
            "metric": "tv",
            "value": value,
            "segments": count,
            "inner_steps": steps,
            "step_size": 1.0,
        }
    for dimension in settings.dimensions:
        yield {"method": "rtk-mala", "settings": f"acceptance={HALF}", "dimension": dimension} | {
            "metric": "step_size",
            "value": accepted_step(shape, dimension),
        }


def rows(settings: Settings, seed: int) -> list[tidy.Row]:
    """All samplers on every shape; nothing is random."""
    return [
        {"target": shape, **row}
        for shape in SHAPES
        for part in (solver_rows, chain_rows, mala_rows)
        for row in part(shape, settings)
    ]


if __name__ == "__main__":
    job.study(rows, Settings)
