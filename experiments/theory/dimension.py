"""B4: score evaluations for a total variation eps as the dimension grows, without sampling noise.

Two targets. Products of ``N(1, 1/4)`` and ``N(1, 2)``, on which unadjusted samplers have Gaussian
laws in closed form (`rtk.laws.closed_form`), from the start at T to the samples. And
``N(1, I/4)``, for MALA: each of its kernels is an isotropic Gaussian around the mean of the DDPM
warm start, so that MALA's exact law there is that of a radius (`rtk.laws.grid`).

Every curve is the least cost under its step's rule, found by bisection; a "rule" is a step (or, for
DDPM and DDIM, a grid) that theory names and that was fixed beforehand, "optimised" the best of a
grid of steps. Lengths of segments are the theory's eta* on [0, T], ``T = log(2 M^(1/2) / eps)``
with ``M = E|x_0|^2``: the start ``N(0, I)`` then costs at most about eps / 4.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.theory.search import least
from experiments.workflow import job
from rtk import segments
from rtk.laws import closed_form as gaussian_steps
from rtk.laws import gaussian as gaussian_law
from rtk.laws import grid as grid_law
from rtk.laws import radial
from rtk.laws.gaussian import Gaussian
from rtk.segments import Times

Array = NDArray[np.float64]
Row = dict[str, Any]

MEAN = 1.0
VARIANCES = np.array([0.25, 2.0])
PRODUCT = Gaussian(np.full(2, MEAN), VARIANCES)
# The largest Jacobian norm of the scores of both targets over all times.
LIPSCHITZ = 4.0

# The paper's Gaussian start has precision 4 L, the sharpest kernel 3 L; the mode is the DDPM start
# of the last segment.
STARTS = {"warm": 0.75, "cold": 0.0}

# Inner steps that leave nothing of the start, whatever their size.
FOREVER = 2**40

# Exponents of the grids T u^p of DDPM and DDIM; the first is the theory's.
GRID_POWERS = (1.0, 1.5, 2.0, 3.0)
# Spacing of the grids of steps, as a factor.
FINER = 2.0**-0.5


@dataclass(frozen=True)
class Settings:
    """Sizes of the study.

    Attributes:
        dimensions: dimensions in which the cost is measured.
        accuracies: total variations to reach.
        methods: samplers, by the names that they have in results.
    """

    dimensions: list[int]
    accuracies: list[float]
    methods: list[str]


def end_time(second_moment: float, eps: float) -> float:
    """``T = log(2 M^(1/2) / eps)``."""
    return math.log(2.0 * math.sqrt(second_moment) / eps)


def product_end_time(dimension: int, eps: float) -> float:
    return end_time(dimension * (MEAN**2 + VARIANCES.mean()), eps)


def product_tv(step: gaussian_steps.Step, times: Times, dimension: int) -> float:
    """TV of a chain's law from the product target of this dimension, an even number."""
    copies = dimension // len(VARIANCES)
    law = gaussian_steps.law(step, PRODUCT, times)
    return gaussian_law.tv(law.power(copies), PRODUCT.power(copies), tolerance=1e-6)


def solver_nfe(method: str, dimension: int, eps: float, power: float = 1.0) -> int:
    """Least steps of DDPM or DDIM on the grid ``T u^power``; each is one score."""
    end = product_end_time(dimension, eps)

    def enough(count: int) -> bool:
        times = segments.power(count, end, 0.0, power)
        return product_tv(gaussian_steps.PLAIN_STEPS[method], times, dimension) <= eps

    # A single step to 0 returns a law without a density.
    return least(enough, start=2)


def langevin_nfe(
    method: str, dimension: int, eps: float, step_size: float
) -> tuple[int, int] | None:
    """Segments and least inner steps of RTK-ULD or RTK-ULA; None if its floor is above eps."""
    times = segments.from_lipschitz(LIPSCHITZ, product_end_time(dimension, eps))

    def enough(inner_steps: int) -> bool:
        step = partial(
            gaussian_steps.RTK_STEPS[method],
            step_size=step_size,
            steps=inner_steps,
            start=gaussian_steps.ddpm,
        )
        return product_tv(step, times, dimension) <= eps

    return (len(times) - 1, least(enough)) if enough(FOREVER) else None


def rule_step(method: str, dimension: int, eps: float) -> float:
    """Steps of the theory, relative to the curvature: those of its bounds with constant one."""
    if method == "rtk-uld":
        return eps / math.sqrt(dimension)
    if method == "rtk-ula":
        return eps**2 / dimension
    return 1.0 / dimension


def falling_steps(largest: float) -> Iterator[float]:
    return (largest * FINER**k for k in itertools.count())


def solver_rows(method: str, dimension: int, eps: float) -> list[Row]:
    costs = [solver_nfe(method, dimension, eps, power) for power in GRID_POWERS]
    return [
        {"rule": "theory", "nfe": costs[0], "segments": costs[0]},
        {"rule": "optimised", "nfe": min(costs), "segments": min(costs)},
    ]


def langevin_rows(method: str, dimension: int, eps: float) -> list[Row]:
    """The rule's cost, and the least over falling steps until smaller ones only cost more."""

    def row(rule: str, step_size: float) -> Row | None:
        found = langevin_nfe(method, dimension, eps, step_size)
        if found is None:
            return None
        count, inner = found
        # A score for the warm start, one for each step.
        cost = {"nfe": count * (inner + 1), "segments": count, "inner_steps": inner}
        return {"rule": rule, "step_size": step_size, **cost}

    theory = row("theory", rule_step(method, dimension, eps))
    if theory is None:
        raise ArithmeticError(f"the rule's step of {method} does not reach {eps} in d={dimension}")
    best: Row | None = None
    for step_size in falling_steps(1.0):
        here = row("optimised", step_size)
        if best is not None and here is not None and here["nfe"] > 1.2 * best["nfe"]:
            break
        if best is None or (here is not None and here["nfe"] < best["nfe"]):
            best = here
    assert best is not None
    return [theory, best]


def radial_path(
    dimension: int, step_size: float, starts: list[float], stop: float, most: int
) -> Array:
    """TV of MALA on ``N(0, I)`` after 0, 1, ... steps from ``N(0, variance I)``, (steps, starts).

    Until all are at most ``stop``, or for ``most`` steps.
    """
    high = math.sqrt(dimension) + 7.0
    grid = grid_law.Grid(0.0, high, max(300, math.ceil(high / (0.5 * math.sqrt(2 * step_size)))))
    matrix = radial.mala_matrix(grid, dimension, step_size)
    target = radial.law(grid, dimension)
    law = np.stack(
        [
            # The mode is the cell at the origin.
            radial.law(grid, dimension, variance) if variance > 0.0 else np.eye(grid.cells)[0]
            for variance in starts
        ]
    )
    path = [grid_law.tv(law, target)]
    while path[-1].max() > stop and len(path) <= most:
        law = law @ matrix
        path.append(grid_law.tv(law, target))
    return np.stack(path)


def first(path: Array, eps: float) -> float:
    """Steps until the path is at most eps; infinity if it never is."""
    below = path <= eps
    return float(below.argmax()) if below.any() else math.inf


def mala_rows(dimension: int, accuracies: list[float]) -> list[tuple[float, Row]]:
    """(eps, row) of RTK-MALA: K segments, each to TV ``eps / (2 K)``, which adds up to eps / 2.

    Metric "steps" is for one kernel to TV eps, without the segments.
    """
    second_moment = dimension * (MEAN**2 + 1.0 / LIPSCHITZ)
    counts = {
        eps: len(segments.from_lipschitz(LIPSCHITZ, end_time(second_moment, eps))) - 1
        for eps in accuracies
    }
    stop = min(eps / (2 * count) for eps, count in counts.items())
    starts = [*STARTS.values()]
    theory = rule_step("rtk-mala", dimension, math.nan)
    # A bound that ends a chain which does not converge; this one takes about d log(d / eps) steps.
    paths = {"theory": {theory: radial_path(dimension, theory, starts, stop, 50 * dimension)}}
    most = len(paths["theory"][theory])
    third = min(1.0, 1.1 * dimension ** (-1 / 3))
    paths["third"] = {third: radial_path(dimension, third, starts, stop, 4 * most)}
    # Below d^(-1/2) / 2 smaller steps only take longer, in every dimension tried.
    smallest = max(theory, 0.5 * dimension**-0.5)
    steps = itertools.takewhile(lambda step: step >= smallest, falling_steps(0.95))
    paths["optimised"] = {step: radial_path(dimension, step, starts, stop, most) for step in steps}
    rows: list[tuple[float, Row]] = []
    for (rule, tried), eps, (s, start) in itertools.product(
        paths.items(), accuracies, enumerate(STARTS)
    ):
        count = counts[eps]
        for metric, accuracy in (("nfe", eps / (2 * count)), ("steps", eps)):
            inner, step_size = min((first(p[:, s], accuracy), step) for step, p in tried.items())
            if math.isinf(inner):
                continue
            # A score for a segment's chain, one for each step; the warm start reuses the last.
            nfe = count * (int(inner) + 1) + 1 if metric == "nfe" else int(inner)
            cost = {"nfe": nfe, "segments": count, "inner_steps": inner, "step_size": step_size}
            rows.append((eps, {"rule": rule, "start": start, "metric": metric, **cost}))
    return rows


def measure(method: str, dimension: int, accuracies: list[float]) -> list[Row]:
    """All rows of one method in one dimension."""
    if method == "rtk-mala":
        found = mala_rows(dimension, accuracies)
    else:
        make = langevin_rows if method.startswith("rtk") else solver_rows
        found = [(eps, row) for eps in accuracies for row in make(method, dimension, eps)]
    return [{"method": method, "dimension": dimension, "eps": eps, **row} for eps, row in found]


def rows(settings: Settings, seed: int) -> list[Row]:
    """Costs of every sampler in every dimension; nothing is random."""
    return [
        {
            "target": "isotropic" if method == "rtk-mala" else "product",
            "settings": f"rule={row['rule']}",
            "metric": "nfe",
            "start": "",
            "value": float(row["nfe"]),
            **row,
        }
        for method in settings.methods
        for dimension in settings.dimensions
        for row in measure(method, dimension, settings.accuracies)
    ]


if __name__ == "__main__":
    job.study(rows, Settings)
