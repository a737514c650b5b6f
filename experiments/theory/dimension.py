"""B4: score evaluations for a total variation eps, as the dimension grows. All laws are exact.

There are two targets. The first is a product of ``N(1, 1/4)`` and ``N(1, 2)`` laws, on which the
laws of unadjusted samplers are Gaussians in closed form (`rtk.laws.closed_form`), from the start at
T to the samples. The second is ``N(1, I/4)``, for MALA: each of its kernels is an isotropic
Gaussian around the mean of the DDPM warm start, so that the exact law of MALA is that of a radius
(`rtk.laws.radial`).

DPUM, the probability flow with an underdamped corrector, has segments of the length 1 / L of its
theory, and as many steps of its relative size eps / d^(1/2) as make the length 1; the optimised
number of steps is the least that suffices.

Each number is the least cost under a rule for the step, by bisection. The rule ``theory`` is a step
size (for DDPM and DDIM, a grid) that the theory names and that was fixed beforehand. The rule
``optimised`` is the best of several. Segments have the theory's length ``eta*`` on [0, T], where
``T = log(2 M^(1/2) / eps)`` and ``M = E|x_0|^2``. The start ``N(0, I)`` then costs at most about
eps / 4.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.theory.search import corrected_times, least
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
LIPSCHITZ = 4.0
"""The largest Jacobian norm of the scores of both targets over all times."""

STARTS = {"warm": 0.75, "cold": 0.0}
"""Variance of the start of MALA over that of the kernel.

The precision of the paper's Gaussian start is 4 L, and that of the sharpest kernel is 3 L. The cold
start is the mode, where the DDPM warm start of the last segment lies.
"""
STATIONARY = 2**40
"""A number of inner steps after which nothing of the start remains, for all step sizes here."""
GRID_POWERS = (1.0, 1.5, 2.0, 3.0)
"""Exponents p of the grids ``T u^p`` of DDPM and DDIM; the first is the theory's."""
STEP_RATIO = 2.0**-0.5
"""Ratio of successive step sizes in a search."""


@dataclass(frozen=True)
class Settings:
    """Sizes of the study.

    Attributes:
        dimensions: dimensions in which the cost is measured.
        accuracies: total variations to reach.
        methods: names of the samplers, as in the results.
    """

    dimensions: list[int]
    accuracies: list[float]
    methods: list[str]


def end_time(second_moment: float, eps: float) -> float:
    """``T = log(2 M^(1/2) / eps)``."""
    return math.log(2.0 * math.sqrt(second_moment) / eps)


def product_end_time(dimension: int, eps: float) -> float:
    """The end time for the product target."""
    return end_time(dimension * (MEAN**2 + VARIANCES.mean()), eps)


def product_tv(step: gaussian_steps.Step, times: Times, dimension: int) -> float:
    """TV between the law of a chain and the product target, for an even dimension."""
    copies = dimension // len(VARIANCES)
    law = gaussian_steps.law(step, PRODUCT, times)
    return gaussian_law.tv(law.power(copies), PRODUCT.power(copies), tolerance=1e-6)


def solver_nfe(method: str, dimension: int, eps: float, power: float = 1.0) -> int:
    """The least number of steps of DDPM or DDIM on the grid ``T u^power``; a step is one score."""
    end = product_end_time(dimension, eps)

    def is_enough(count: int) -> bool:
        times = segments.power(count, end, 0.0, power)
        return product_tv(gaussian_steps.PLAIN_STEPS[method], times, dimension) <= eps

    # A single step to 0 returns a law without a density.
    return least(is_enough, start=2)


def langevin_nfe(
    method: str, dimension: int, eps: float, step_size: float
) -> tuple[int, int] | None:
    """Segments and least inner steps of RTK-ULD or RTK-ULA, or None if the floor is above eps."""
    times = segments.from_lipschitz(LIPSCHITZ, product_end_time(dimension, eps))

    def is_enough(inner_steps: int) -> bool:
        step = partial(
            gaussian_steps.RTK_STEPS[method],
            step_size=step_size,
            steps=inner_steps,
            start=gaussian_steps.ddpm,
        )
        return product_tv(step, times, dimension) <= eps

    return (len(times) - 1, least(is_enough)) if is_enough(STATIONARY) else None


def corrected_rows(method: str, dimension: int, eps: float) -> list[Row]:
    """The costs of DPUM with the theory's number of steps on a segment and with the least one."""
    times = corrected_times(product_end_time(dimension, eps), LIPSCHITZ)

    def is_enough(steps: int) -> bool:
        return product_tv(partial(gaussian_steps.dpum, steps=steps), times, dimension) <= eps

    def row(rule: str, steps: int) -> Row:
        count = len(times) - 1
        cost = {"nfe": 2 * steps * count, "segments": count, "inner_steps": 2 * steps}
        return {"rule": rule, "step_size": 1.0 / steps, **cost}

    theory = math.ceil(math.sqrt(dimension) / eps)
    if not is_enough(theory):
        raise ArithmeticError(f"{method}: {theory} steps do not reach {eps} in d={dimension}")
    return [row("theory", theory), row("optimised", least(is_enough))]


def rule_step(method: str, dimension: int, eps: float) -> float:
    """The theory's relative step size: that of its bounds, with the constant one."""
    if method == "rtk-uld":
        return eps / math.sqrt(dimension)
    if method == "rtk-ula":
        return eps**2 / dimension
    return 1.0 / dimension


def falling_steps(largest: float) -> Iterator[float]:
    """Step sizes that fall by the factor `STEP_RATIO`, without end."""
    return (largest * STEP_RATIO**k for k in itertools.count())


def solver_rows(method: str, dimension: int, eps: float) -> list[Row]:
    """The costs of DDPM or DDIM on the theory's grid and on the best one."""
    costs = [solver_nfe(method, dimension, eps, power) for power in GRID_POWERS]
    return [
        {"rule": "theory", "nfe": costs[0], "segments": costs[0]},
        {"rule": "optimised", "nfe": min(costs), "segments": min(costs)},
    ]


def langevin_rows(method: str, dimension: int, eps: float) -> list[Row]:
    """The costs of RTK-ULD or RTK-ULA at the theory's step size and at the best one.

    The search over falling step sizes ends where the cost exceeds the least one by 20 %.
    """

    def row(rule: str, step_size: float) -> Row | None:
        numbers = langevin_nfe(method, dimension, eps, step_size)
        if numbers is None:
            return None
        count, inner = numbers
        # The warm start needs one score, and so does each step.
        cost = {"nfe": count * (inner + 1), "segments": count, "inner_steps": inner}
        return {"rule": rule, "step_size": step_size, **cost}

    theory = row("theory", rule_step(method, dimension, eps))
    if theory is None:
        raise ArithmeticError(
            f"{method} at the theory's step does not reach {eps} in d={dimension}"
        )
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
    """TV between ``N(0, I)`` and the law of MALA after 0, 1, ... steps.

    Args:
        dimension: the dimension d.
        step_size: step size.
        starts: variances v of the starts ``N(0, v I)``.
        stop: the path ends where the TV of all starts is at most this.
        most: number of steps after which the path ends in any case.

    Returns:
        Total variations, (steps + 1, starts).
    """
    high = math.sqrt(dimension) + 7.0
    grid = grid_law.Grid(0.0, high, max(300, math.ceil(high / (0.5 * math.sqrt(2 * step_size)))))
    matrix = radial.mala_matrix(grid, dimension, step_size)
    target = radial.law(grid, dimension)
    law = np.stack(
        [
            # The cell at the origin holds the mode.
            radial.law(grid, dimension, variance) if variance > 0.0 else np.eye(grid.cells)[0]
            for variance in starts
        ]
    )
    path = [grid_law.tv(law, target)]
    while path[-1].max() > stop and len(path) <= most:
        law = law @ matrix
        path.append(grid_law.tv(law, target))
    return np.stack(path)


def steps_to(path: Array, eps: float) -> float:
    """The number of steps until a path is at most eps, or infinity if it never is."""
    below = path <= eps
    return float(below.argmax()) if below.any() else math.inf


def mala_rows(dimension: int, accuracies: list[float]) -> list[tuple[float, Row]]:
    """The costs of RTK-MALA, as pairs of eps and a row.

    Each of the K segments has a TV of ``eps / (2 K)``, so that all have eps / 2. The rows of the
    metric ``steps`` are for one kernel by itself and a TV of eps.
    """
    second_moment = dimension * (MEAN**2 + 1.0 / LIPSCHITZ)
    counts = {
        eps: len(segments.from_lipschitz(LIPSCHITZ, end_time(second_moment, eps))) - 1
        for eps in accuracies
    }
    stop = min(eps / (2 * count) for eps, count in counts.items())
    starts = [*STARTS.values()]
    theory = rule_step("rtk-mala", dimension, math.nan)
    # The last argument ends a chain that does not converge; this one needs d log(d / eps) steps.
    paths = {"theory": {theory: radial_path(dimension, theory, starts, stop, 50 * dimension)}}
    most = len(paths["theory"][theory])
    third = min(1.0, 1.1 * dimension ** (-1 / 3))
    paths["third"] = {third: radial_path(dimension, third, starts, stop, 4 * most)}
    # Step sizes below d^(-1/2) / 2 only take longer, in every dimension that was tried.
    smallest = max(theory, 0.5 * dimension**-0.5)
    steps = itertools.takewhile(lambda step: step >= smallest, falling_steps(0.95))
    paths["optimised"] = {step: radial_path(dimension, step, starts, stop, most) for step in steps}
    rows: list[tuple[float, Row]] = []
    for (rule, paths_of_rule), eps, (s, start) in itertools.product(
        paths.items(), accuracies, enumerate(STARTS)
    ):
        count = counts[eps]
        for metric, accuracy in (("nfe", eps / (2 * count)), ("steps", eps)):
            inner, step_size = min(
                (steps_to(p[:, s], accuracy), step) for step, p in paths_of_rule.items()
            )
            if math.isinf(inner):
                continue
            # A chain needs a score at its start and one per step; the warm start reuses the last.
            nfe = count * (int(inner) + 1) + 1 if metric == "nfe" else int(inner)
            cost = {"nfe": nfe, "segments": count, "inner_steps": inner, "step_size": step_size}
            rows.append((eps, {"rule": rule, "start": start, "metric": metric, **cost}))
    return rows


def measure(method: str, dimension: int, accuracies: list[float]) -> list[Row]:
    """All rows of one sampler in one dimension."""
    if method == "rtk-mala":
        costs = mala_rows(dimension, accuracies)
    else:
        ours = {"dpum": corrected_rows, "rtk-ula": langevin_rows, "rtk-uld": langevin_rows}
        make = ours.get(method, solver_rows)
        costs = [(eps, row) for eps in accuracies for row in make(method, dimension, eps)]
    return [{"method": method, "dimension": dimension, "eps": eps, **row} for eps, row in costs]


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
