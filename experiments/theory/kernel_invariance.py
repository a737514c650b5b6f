"""B11: do fitted hops leave the law of the path alone? Without Monte Carlo noise, in one dimension.

A hop of the method "rtk" (`rtk.calibration.kernels`) predicts the probability flow from ``sigma``
to a level below the next one, and forward noise leads back up to it. If the prediction were exact,
both would carry ``p_sigma`` along, for any depth ``tau`` of the hops. Here the laws are vectors on
a grid, maps act on them by `rtk.laws.push_forward`, and total variations are compared with the
number of scores:

- ``samples``: between the law of the samples and ``p_0``, for each ``tau`` and for the calibrated
  flow;
- ``hop``: between ``p`` at the next level and the law that the predictor makes of the exact one at
  the level before, the largest over the hops;
- ``start``: between the law at the first node, after its correction, and ``p`` there;
- ``pilot``: between ``p_0`` and the law of the accurate solution that the fits learn from.

The target has two modes of unequal weights and widths. Corrections use the residual of the node
before as well, so that a chain is described by its place and its last place: its law is a matrix.
"""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

import rtk
from experiments.workflow import job, tidy
from rtk import process
from rtk.calibration import base as bases
from rtk.calibration import kernels, moments, pilot, selection
from rtk.calibration.calibration import make_model
from rtk.calibration.kernels import Levels
from rtk.calibration.model import Model
from rtk.calibration.pilot import Pilot
from rtk.calibration.selection import Trial
from rtk.gaussian_base import GaussianBase
from rtk.laws.grid import Array, Grid, tv
from rtk.laws.push_forward import blurred, edges, push_forward
from rtk.samplers.calibrated import Calibrated, Step
from rtk.score import Score
from rtk.segments import T_START

TARGET = rtk.GaussianMixture(
    [0.35, 0.65], [[-1.2], [1.0]], torch.tensor([0.09, 0.2], dtype=torch.float64)
)
FINER = 4
"""Factor in the number of cells for a flow: it is steep where it leads from one mode to another."""
NEGLIGIBLE = 1e-15
"""Probability of a last place whose share of the law is left out."""
REACH = 6.5
"""Half the width of a grid, in standard deviations of the base; a law has 1e-10 beyond it."""


@dataclass(frozen=True)
class Settings:
    """Sizes of the study.

    Attributes:
        nfe: numbers of score evaluations.
        taus: depths of the hops; 0 is the flow, 1 has the noise of DDPM.
        cells: of the grid.
    """

    nfe: list[int]
    taus: list[float]
    cells: int


@dataclass(frozen=True, eq=False)
class Calibrating:
    """What the solvers are made of."""

    model: Model
    pilot: Pilot
    base: GaussianBase

    @classmethod
    def of(cls, score: Score, seed: int) -> "Calibrating":
        model = make_model(score, (1,), None, torch.float64)
        generator = torch.Generator().manual_seed(seed)
        run = pilot.run(model, T_START, generator)
        return cls(model, run, bases.fit(model, run, generator))

    def flow(self, nfe: int) -> Calibrated:
        """The calibrated solver of the probability flow."""
        products = moments.of(self.pilot, self.base)
        trial = Trial.of(self.pilot)
        return selection.select(self.model, trial, self.base, products, T_START, nfe)

    def hops(self, nfe: int, tau: float, seed: int) -> Calibrated:
        """The sampler of kernels on its own levels, with hops of this depth."""
        width = math.sqrt(self.pilot.narrow_variance)
        levels = kernels.levels(nfe, self.base, self.pilot.rms, width)
        levels = Levels(levels.sigmas, tau, history=1)
        generator = torch.Generator().manual_seed(seed)
        start, finest = self.pilot.y[0], self.pilot.sigmas[-1]
        solver = kernels.fit(self.model, self.base, T_START, levels, finest, start, generator)
        if tau > 0.0:
            return solver
        # Hops of no depth end at the next level itself; otherwise rounding would leave some noise.
        steps = [
            dataclasses.replace(s, sigma_below=process.noise_level(s.t_lo)) for s in solver.steps
        ]
        return dataclasses.replace(solver, steps=tuple(steps))

    def residual(self, y: Array, sigma: float) -> Array:
        """``r`` at the places ``y`` (n,)."""
        points = torch.from_numpy(y).unsqueeze(1)
        return self.base.residual(self.model.denoise(points, sigma), points, sigma)[:, 0].numpy()

    def base_flow(self, y: Array, sigma_from: float, sigma_to: float) -> Array:
        """The flow of the base from places of any shape."""
        points = torch.from_numpy(y.reshape(-1, 1))
        return self.base.flow(points, sigma_from, sigma_to).numpy().reshape(y.shape)


def marginal(grid: Grid, sigma: float) -> Array:
    """``p_sigma``, the law of ``x_0 + sigma xi``."""
    t = process.time_from_noise_level(sigma)
    x = process.alpha(t) * grid.points
    return grid.law(TARGET.log_prob(x, t).numpy())


def normal(grid: Grid, mean: float, deviation: float) -> Array:
    """A normal law."""
    return grid.law(-0.5 * ((grid.centres - mean) / deviation) ** 2)


def flow_error(parts: Calibrating, path: Callable[[Tensor], Tensor], cells: int) -> float:
    """TV between the target and the law of ``path(xi)`` for a standard normal ``xi``."""
    noise, grid = Grid(-REACH, REACH, FINER * cells), final_grid(parts, FINER * cells)
    images = path(torch.from_numpy(edges(noise)).unsqueeze(1))[:, 0].numpy()
    law = push_forward(normal(noise, 0.0, 1.0), noise, images, grid)
    return float(tv(law, marginal(grid, 0.0)))


def path_laws(parts: Calibrating, solver: Calibrated, grid: Grid) -> Array:
    """The law of the samples of a solver whose hops have noise."""
    z, sigma = grid.centres, process.noise_level(solver.steps[0].t_hi)
    # [before, here]: the base leads exactly to the first node, where no residual is known.
    joint = normal(grid, float(parts.base.mean), float(parts.base.spread(sigma)))[np.newaxis]
    known = np.zeros(1)
    for step in solver.steps:
        sigma, end = process.noise_level(step.t_hi), process.noise_level(step.t_lo)
        residual = parts.residual(z, sigma)
        own, *before = step.corrector
        (prediction,) = step.predictor
        shift = (before[0] if before else 0.0) * known[:, np.newaxis]
        below = parts.base_flow(z + own * residual + shift, sigma, step.sigma_below)
        below = below + prediction * residual
        if end == 0.0:
            return final(parts, joint, known, sigma, step, grid)
        deviation = math.sqrt(end**2 - step.sigma_below**2)
        joint = blurred(joint.T, below.T, grid, deviation)
        known = residual
    raise AssertionError("a solver ends at 0")


def final(
    parts: Calibrating, joint: Array, known: Array, sigma: float, step: Step, grid: Grid
) -> Array:
    """The law at ``sigma = 0``, whose last hop has no noise, from that of (before, here)."""
    ends = edges(grid)
    residual = parts.residual(ends, sigma)
    own, *before = step.corrector
    law = np.zeros(grid.cells)
    for mass, last in zip(joint, known, strict=True):
        if mass.sum() > NEGLIGIBLE:
            shift = before[0] * last if before else 0.0
            corrected = ends + own * residual + shift
            images = parts.base_flow(corrected, sigma, 0.0) + step.predictor[0] * residual
            law += push_forward(mass, grid, images, grid)
    return law


def hop_error(parts: Calibrating, solver: Calibrated, grid: Grid) -> float:
    """The largest TV to ``p`` at the next level of what a hop's predictor makes of ``p``."""
    errors = []
    for step in solver.steps:
        sigma, end = process.noise_level(step.t_hi), process.noise_level(step.t_lo)
        law, fresh = marginal(grid, sigma), end**2 - step.sigma_below**2
        z = grid.centres if fresh > 0.0 else edges(grid)
        below = parts.base_flow(z, sigma, step.sigma_below)
        below = below + step.predictor[0] * parts.residual(z, sigma)
        if fresh > 0.0:
            law = blurred(law, below, grid, math.sqrt(fresh))
        else:
            law = push_forward(law, grid, below, grid)
        errors.append(float(tv(law, marginal(grid, end))))
    return max(errors)


def start_error(parts: Calibrating, solver: Calibrated, grid: Grid) -> float:
    """TV between the law at the first node, after its correction, and ``p`` there."""
    step = solver.steps[0]
    sigma, ends = process.noise_level(step.t_hi), edges(grid)
    law = normal(grid, float(parts.base.mean), float(parts.base.spread(sigma)))
    images = ends + step.corrector[0] * parts.residual(ends, sigma)
    return float(tv(push_forward(law, grid, images, grid), marginal(grid, sigma)))


def accurate_error(parts: Calibrating, cells: int) -> float:
    """TV between the target and the law of the accurate solution that the fits learn from."""
    start, finest = process.noise_level(T_START), parts.pilot.sigmas[-1]

    def path(xi: Tensor) -> Tensor:
        y = kernels.accurate(parts.model, parts.base, parts.base.draw(xi, start), start, finest)
        return kernels.last_part(parts.model, parts.base, y, finest, 0.0)

    return flow_error(parts, path, cells)


def samples_error(parts: Calibrating, solver: Calibrated, tau: float, cells: int) -> float:
    """TV between the law of the samples and the target."""
    if tau > 0.0:
        grid = final_grid(parts, cells)
        return float(tv(path_laws(parts, solver, grid), marginal(grid, 0.0)))
    start = process.noise_level(T_START)

    def path(xi: Tensor) -> Tensor:
        return selection.end_of(parts.model, solver, parts.base.draw(xi, start))

    return flow_error(parts, path, cells)


def final_grid(parts: Calibrating, cells: int) -> Grid:
    """A grid for the laws from the first node of the hops down."""
    reach = REACH * float(parts.base.spread(math.sqrt(float(parts.base.variances))))
    middle = float(parts.base.mean)
    return Grid(middle - reach, middle + reach, cells)


def rows(settings: Settings, seed: int) -> list[tidy.Row]:
    """Total variations for every number of scores and every depth of the hops."""
    own = job.derive_seed(seed, "kernel_invariance")
    parts = Calibrating.of(TARGET.score, own)
    cells, grid = settings.cells, final_grid(parts, settings.cells)
    table: list[tidy.Row] = []

    def add(method: str, tau: float, nfe: int, metric: str, value: float) -> None:
        row = {"target": "two modes", "method": method, "settings": f"tau={tau}", "seed": own}
        row |= {"tau": tau, "nfe": nfe, "nfe_asked": nfe, "metric": metric, "value": value}
        table.append(row)

    add("calibrated", 0.0, len(parts.pilot.sigmas), "pilot", accurate_error(parts, cells))
    for nfe in tqdm(settings.nfe):
        flow = parts.flow(nfe)
        add("calibrated", 0.0, nfe, "samples", samples_error(parts, flow, 0.0, cells))
        for tau in settings.taus:
            hops = parts.hops(nfe, tau, job.derive_seed(own, nfe))
            add("rtk", tau, nfe, "samples", samples_error(parts, hops, tau, cells))
            add("rtk", tau, nfe, "hop", hop_error(parts, hops, grid))
            add("rtk", tau, nfe, "start", start_error(parts, hops, grid))
    return table


if __name__ == "__main__":
    job.study(rows, Settings)
