"""The best of a few solvers for a small number of scores, tried on chains of the pilot."""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from torch import Tensor

from rtk import process
from rtk.calibration import nodes
from rtk.calibration.model import Model, default_device
from rtk.calibration.moments import Moments
from rtk.calibration.pilot import Pilot
from rtk.calibration.solver import solver
from rtk.gaussian_base import GaussianBase
from rtk.samplers.base import Problem, State
from rtk.samplers.calibrated import Calibrated

EXPONENTS = (0.6, 0.4, 0.8, 0.2, 0.0, 1.0)
HISTORIES = (4, 2, 1)
MOST_TRIED = 24
"""Budgets above this one take the exponent and the history that were best for it."""
MOST_SEARCHED = 6
"""Budgets up to this one also have their nodes moved one by one."""
SWEEPS = 2
CHAINS = 32

Path = tuple[int, ...]
"""The levels of the pilot that are the nodes of a solver, in order."""


@dataclass(frozen=True)
class Trial:
    """Where some chains of the pilot begin and end, which is what a solver should reproduce.

    Attributes:
        start: at level 0 of the pilot, (chains, d).
        end: at ``sigma = 0``.
        score: at the last level of the pilot.
        width: the root of the pilot's narrow variance.
    """

    start: Tensor
    end: Tensor
    score: Tensor
    width: float

    @classmethod
    def of(cls, pilot: Pilot) -> "Trial":
        noise = (pilot.y[-1] - pilot.denoised[-1])[:CHAINS]
        score = -noise / pilot.sigmas[-1] ** 2
        return cls(
            pilot.y[0][:CHAINS], pilot.ends[:CHAINS], score, math.sqrt(pilot.narrow_variance)
        )

    def error(self, model: Model, candidate: Calibrated) -> float:
        """How far the solver's ends are from the pilot's.

        It is the mean over chains of the root mean square per coordinate, relative to the narrow
        width, plus the mean of ``<error, score>``, relative to its spread, at most 1. The second
        term sees small errors that all chains have in common; it is taken over the chains whose
        error is below three widths, as the others ended in another mode.
        """
        error = end_of(model, candidate, self.start) - self.end
        distance = error.square().mean(1).sqrt() / self.width
        near = distance < 3.0
        drift = 0.0
        if bool(near.any()):
            along = (error * self.score).sum(1)[near].mean()
            drift = min(1.0, abs(float(along)) / math.sqrt(2.0 * error.shape[1]))
        total = float(distance.mean()) + drift
        return total if math.isfinite(total) else math.inf


class NoNoise:
    """A solver of the probability flow draws nothing."""

    n = 0

    def normal(self) -> Tensor:
        raise TypeError("a solver of the probability flow asked for noise")

    uniform = normal


def end_of(model: Model, candidate: Calibrated, y: Tensor) -> Tensor:
    """The ends of chains that begin at ``y`` (n, d) at the solver's start; without noise."""
    times = candidate.default_times(len(candidate.steps), Problem(model.score))
    x = (process.alpha(times[0]) * y).to(model.device, model.dtype).reshape(-1, *model.shape)
    state = State(x, times[0])
    with default_device(model.device):
        for t_lo in times[1:]:
            state, _ = candidate(Problem(model.score), state, t_lo, 1, NoNoise())
    return state.x.flatten(1).to(y)


def select(
    model: Model, trial: Trial, base: GaussianBase, moments: Moments, t_start: float, count: int
) -> Calibrated:
    """The solver with ``count`` nodes that has the smallest error on the trial."""
    levels = len(moments.sigmas) - 1
    count = min(count, levels - 1)
    tried = min(count, MOST_TRIED)

    def plan(exponent: float, number: int) -> Path:
        return tuple(nodes.choose(moments, number, trial.width**2, exponent))

    # Several exponents can have the same plan, and a search comes back to plans that it knows.
    @cache
    def error(path: Path, history: int) -> float:
        return trial.error(model, solver(base, moments, t_start, path, history))

    history = HISTORIES[0]
    errors = {exponent: error(plan(exponent, tried), history) for exponent in EXPONENTS}
    exponent = min(errors, key=errors.__getitem__)
    path, best = plan(exponent, tried), errors[exponent]
    for other in HISTORIES[1:]:
        if other < tried and (found := error(path, other)) < best:
            best, history = found, other
    if count <= MOST_SEARCHED:
        path, best = _search(path, best, levels, lambda moved: error(moved, history))
    if count > tried:
        path = plan(exponent, count)
    return solver(base, moments, t_start, path, history)


def _search(
    path: Path, best: float, levels: int, error: Callable[[Path], float]
) -> tuple[Path, float]:
    """Move one node at a time to a neighbouring level, as long as that lowers the error."""
    for _ in range(SWEEPS):
        before = best
        for place, step in itertools.product(range(len(path)), (-2, -1, 1, 2)):
            moved = (*path[:place], path[place] + step, *path[place + 1 :])
            inside = moved[0] >= 1 and moved[-1] < levels
            if not inside or any(a >= b for a, b in itertools.pairwise(moved)):
                continue
            if (found := error(moved)) < best:
                path, best = moved, found
        if best == before:
            break
    return path, best
