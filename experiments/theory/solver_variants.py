"""The calibrated solver with one part left out or replaced by something plainer.

All variants but the first lack the selection on trial chains, which could make up for what is left
out. "no selection" is therefore what the variants below it are to be compared with.
"""

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from experiments.theory.interpolating import Interpolating
from rtk.calibration import base as bases
from rtk.calibration import consistency, moments, nodes, pilot, selection
from rtk.calibration.calibration import make_model
from rtk.calibration.model import Model
from rtk.calibration.moments import Moments
from rtk.calibration.pilot import Pilot
from rtk.calibration.selection import Trial
from rtk.calibration.solver import solver
from rtk.gaussian_base import GaussianBase
from rtk.samplers.base import Sampler
from rtk.samplers.calibrated import Calibrated
from rtk.score import Score
from rtk.segments import T_START

EXPONENT, HISTORY = 0.6, 4
"""Of the weight of the nodes, and the number of residuals of a prediction, without a selection."""
T = TypeVar("T")

FEWER = (64, 32, 16)
"""Smaller numbers of chains of the pilot."""


@dataclass(frozen=True, eq=False)
class Parts:
    """What a solver is made of.

    Attributes:
        cost: stage of the calibration -> score evaluations of one point, and seconds.
    """

    model: Model
    pilot: Pilot
    base: GaussianBase
    moments: Moments
    cost: dict[str, tuple[int, float]] = dataclasses.field(default_factory=dict)

    def plan(self, count: int) -> list[int]:
        """The levels of the nodes by dynamic programming."""
        count = min(count, len(self.pilot.sigmas) - 1)
        return nodes.choose(self.moments, count, self.pilot.narrow_variance, EXPONENT)

    def solver(self, path: list[int], history: int = HISTORY) -> Calibrated:
        """The solver with fitted coefficients at these nodes."""
        return solver(self.base, self.moments, T_START, path, history)

    def with_base(self, base: GaussianBase) -> "Parts":
        return dataclasses.replace(self, base=base, moments=moments.of(self.pilot, base))


def calibrated(score: Score, dimension: int, seed: int, chains: int = pilot.CHAINS) -> Parts:
    """The parts as `rtk.calibrate` makes them, in its order, with what each has cost."""
    model = make_model(score, (dimension,), None, None)
    generator = torch.Generator().manual_seed(seed)
    cost: dict[str, tuple[int, float]] = {}

    def timed(stage: str, work: Callable[[], T]) -> T:
        rows, started = model.score.evaluations, time.perf_counter()
        result = work()
        cost[stage] = model.score.evaluations - rows, time.perf_counter() - started
        return result

    run = timed("pilot", lambda: pilot.run(model, T_START, generator, count=chains))
    base = timed("base", lambda: bases.fit(model, run, generator))
    products = timed("moments", lambda: moments.of(run, base))
    timed("consistency", lambda: consistency.statistic(model, run.ends, run.rms, generator))
    return Parts(model, run, base, products, cost)


def selected(parts: Parts, nfe: int) -> Calibrated:
    """The best solver on trial chains, as `rtk.sample` has it."""
    trial = Trial.of(parts.pilot)
    return selection.select(parts.model, trial, parts.base, parts.moments, T_START, nfe)


def uncorrected(parts: Parts, nfe: int) -> Calibrated:
    """The predictor alone. The first node, which has no prediction, keeps its correction."""
    first, *others = parts.solver(parts.plan(nfe)).steps
    steps = [dataclasses.replace(s, corrector=(0.0,) * len(s.corrector)) for s in others]
    return Calibrated(parts.base, T_START, (first, *steps))


def between_ends(parts: Parts, nfe: int) -> list[int]:
    """Levels nearly uniform in ln(sigma), between the first and the last node of the plan."""
    plan = parts.plan(nfe)
    return even_levels(np.log(parts.pilot.sigmas), plan[0], plan[-1], len(plan))


def everywhere(parts: Parts, nfe: int) -> list[int]:
    """Levels nearly uniform in ln(sigma), from the start of the pilot to its end."""
    last = len(parts.pilot.sigmas) - 1
    return even_levels(np.log(parts.pilot.sigmas), 1, last, min(nfe, last))


def even_levels(u: NDArray[np.float64], first: int, last: int, count: int) -> list[int]:
    """``count`` different levels from ``first`` to ``last``, each near its place in even steps.

    Args:
        u: decreasing values of ln(sigma), one for each level.
        first, last: indices of levels; there must be ``count`` of them in between, with both ends.
    """
    wanted = np.linspace(u[first], u[last], count)
    near = np.abs(u[:, np.newaxis] - wanted).argmin(0)
    order = np.arange(count)
    # Where steps are shorter than those of the pilot, two may be nearest to the same level.
    up = np.maximum.accumulate(near - order) + order
    return [int(k) for k in np.minimum(up, last - (count - 1) + order)]


def identity(parts: Parts) -> GaussianBase:
    mean = torch.zeros(parts.model.dimension, dtype=torch.float64)
    return GaussianBase(mean, torch.ones_like(mean))


def one_variance(parts: Parts) -> GaussianBase:
    return bases.along(parts.pilot, torch.eye(parts.model.dimension, dtype=torch.float64)[:, :0])


def diagonal(parts: Parts) -> GaussianBase:
    return bases.along(parts.pilot, torch.eye(parts.model.dimension, dtype=torch.float64))


def plain(parts: Parts, nfe: int) -> Calibrated:
    """Nodes by dynamic programming and fitted coefficients, without a selection."""
    return parts.solver(parts.plan(nfe))


SOLVERS: dict[str, Callable[[Parts, int], Sampler]] = {
    "full": selected,
    "no selection": plain,
    "no corrector": uncorrected,
    "two residuals": lambda parts, nfe: parts.solver(parts.plan(nfe), 2),
    "one residual": lambda parts, nfe: parts.solver(parts.plan(nfe), 1),
    "even nodes": lambda parts, nfe: parts.solver(between_ends(parts, nfe)),
    "even nodes, whole path": lambda parts, nfe: parts.solver(everywhere(parts, nfe)),
    "polynomial coefficients": lambda parts, nfe: Interpolating(plain(parts, nfe), 3),
    "even nodes, whole path, polynomial": lambda parts, nfe: Interpolating(
        parts.solver(everywhere(parts, nfe)), 3
    ),
}
"""Variants of the solver for the same parts."""

BASES: dict[str, Callable[[Parts], GaussianBase]] = {
    "base: diagonal": diagonal,
    "base: one variance": one_variance,
    "base: N(0, I)": identity,
}
"""Plainer bases, each with nodes and coefficients of its own."""


def variants(
    score: Score, dimension: int, seed: int
) -> dict[str, tuple[Parts, Callable[[Parts, int], Sampler]]]:
    """Name -> the parts of a variant, and the function that makes its solver for a budget."""
    parts = calibrated(score, dimension, seed)
    named: dict[str, tuple[Parts, Callable[[Parts, int], Sampler]]] = {
        name: (parts, build) for name, build in SOLVERS.items()
    }
    named |= {name: (parts.with_base(base(parts)), plain) for name, base in BASES.items()}
    for chains in FEWER:
        named[f"{chains} chains"] = calibrated(score, dimension, seed, chains), plain
    return named


def memory(levels: int, chains: int, dimension: int) -> float:
    """Megabytes of a calibration at its peak, when arrays as large as the pilot's are in memory.

    Two are the pilot's points and denoised estimates, and two are these in the coordinates of the
    base. Four more are differences, copies and products that the fit of the base makes of them.
    """
    return 8.0 * 8.0 * levels * chains * dimension / 2**20
