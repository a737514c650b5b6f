"""B8, beyond mixtures: all samplers on one target whose p_t is no Gaussian mixture.

The score is exact (`rtk.targets.base`); its error, against the brute force of `dense_rule`, is
measured here too, so that nobody takes it for the sampler's. Samplers run with the defaults of
`rtk.sample`. Every metric is a total variation of cells whose probabilities are exact, the first of
a target being the one it is judged by, chosen before anything was run; besides there are the sliced
Wasserstein and energy distances to exact samples.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats

import rtk
from experiments.beyond_mixtures import dense_rule
from experiments.runs import PICTURE, mean_acceptance, seed_name
from experiments.workflow import job, tidy
from rtk import metrics
from rtk.targets import BEYOND_MIXTURES, ManyWell, Rings, StudentT, Target

Array = NDArray[np.float64]

BINS = 20
"""Cells of equal probability of the one-dimensional metrics."""
TAIL = 0.01
"""Probability of the tail of the radius of Student's t."""
EXACT_REPLICATES = 4
CHUNK = 256
"""Chains whose quadrature fits the cache of a core."""
STRETCH = 1.5
WIDE = 3.0
"""Points beyond p_t: its samples times the one, normal draws times the other."""

Cells = tuple[Callable[[Array], NDArray[np.intp]], Array]


@cache
def cells(name: str) -> Mapping[str, Cells]:
    """Metric -> the cell of each sample, and the exact probability of each cell."""
    target = BEYOND_MIXTURES[name]()
    if name == "funnel":
        return {
            "neck_tv": even(lambda x: x[:, 0], stats.norm(scale=3.0).ppf),
            "scale_tv": even(
                lambda x: (x[:, 1:] ** 2).sum(1) * np.exp(-x[:, 0]), stats.chi2(9).ppf
            ),
        }
    if isinstance(target, ManyWell):
        grid = np.linspace(-4.0, 4.0, 80_001)
        below = np.cumsum(np.exp(-(grid**4) + 6.0 * grid**2 + 0.5 * grid))
        right = 1.0 - float(np.interp(0.0, grid, below / below[-1]))
        bits = (np.arange(2**target.wells)[:, None] >> np.arange(target.wells)) & 1
        return {
            "well_tv": (
                lambda x: (x[:, : target.wells] > 0.0) @ (1 << np.arange(target.wells)),
                np.where(bits, right, 1.0 - right).prod(1),
            ),
            "marginal_tv": even(lambda x: x[:, 0], lambda p: np.interp(p, below / below[-1], grid)),
        }
    if isinstance(target, Rings):
        return {
            "radial_tv": even(plane_radius, lambda p: ring_quantile(target, p)),
            "ring_tv": between(plane_radius, (1.5, 2.5), ring_cdf(target, np.array([1.5, 2.5]))),
        }
    assert isinstance(target, StudentT)
    law = stats.f(target.dimension, target.nu)
    return {
        "radial_tv": even(lambda x: (x**2).mean(1), law.ppf),
        "tail_tv": between(lambda x: (x**2).mean(1), law.ppf([1.0 - TAIL]), [1.0 - TAIL]),
    }


def even(statistic: Callable[[Array], Array], quantile: Callable[[Array], Any]) -> Cells:
    """`BINS` cells of equal probability of a statistic with that quantile function."""
    levels = np.arange(1, BINS) / BINS
    return between(statistic, quantile(levels), levels)


def between(
    statistic: Callable[[Array], Array], edges: Iterable[float], below: Iterable[float]
) -> Cells:
    """The cells between the edges, below which the target has the probabilities ``below``."""
    ends = np.asarray(edges)
    return lambda x: np.searchsorted(ends, statistic(x)), np.diff([0.0, *below, 1.0])


def plane_radius(x: Array) -> Array:
    """Distance from the origin in the first two coordinates."""
    return np.asarray(np.hypot(x[:, 0], x[:, 1]))


def ring_cdf(target: Rings, radius: Array) -> Array:
    """Distribution function of the radius, a mixture of Rice laws."""
    law = stats.rice(np.array(target.radii) / target.width, scale=target.width)
    return np.asarray(law.cdf(radius[:, None]) @ np.array(target.weights))


def ring_quantile(target: Rings, levels: Array) -> Array:
    """Its inverse, to 1e-5 in the radius."""
    radius = np.linspace(0.0, max(target.radii) + 8.0 * target.width, 100_001)
    return np.interp(levels, ring_cdf(target, radius), radius)


def judge(name: str, x: Array, exact: Array) -> dict[str, metrics.Estimate]:
    """All metrics of samples (n, d), given as many exact ones.

    A sample that is not finite is in a cell of its own, which has no probability; the distances
    leave it out.
    """
    finite = np.isfinite(x).all(axis=1)
    found = {}
    for metric, (cell, masses) in cells(name).items():
        numbers = np.full(len(x), len(masses))
        numbers[finite] = cell(x[finite])
        found[metric] = metrics.frequency_tv(numbers, np.append(masses, 0.0))
    kept = x[finite]
    return found | {
        "sliced_w2": metrics.sliced_w2(kept, exact),
        "energy_distance": metrics.energy_distance(kept, exact, size=len(kept) // 20),
    }


def score_errors(
    name: str, times: Iterable[float], points: int, generator: torch.Generator
) -> dict[float, tuple[float, float]]:
    """Time -> largest relative error of the score, largest absolute error of log p_t.

    At ``points`` samples of p_t, as many times `STRETCH`, and as many of ``N(0, WIDE^2 I)``; errors
    and scores by their Euclidean norms.
    """
    target = BEYOND_MIXTURES[name]()
    found = {}
    for t in times:
        on = noised(target, points, t, generator)
        wide = torch.randn(on.shape, generator=generator, dtype=on.dtype)
        x = torch.cat((on, STRETCH * noised(target, points, t, generator), WIDE * wide))
        log_prob, score = dense_rule.RULES[name](x.numpy(), t)
        away = np.linalg.norm(target.score(x, t).numpy() - score, axis=1)
        found[t] = (
            float((away / np.linalg.norm(score, axis=1)).max()),
            float(np.abs(target.log_prob(x, t).numpy() - log_prob).max()),
        )
    return found


def noised(target: Target, n: int, t: float, generator: torch.Generator) -> torch.Tensor:
    """``n`` samples of p_t."""
    x = target.sample(n, 0.0, generator, torch.float64)
    noise = torch.randn(x.shape, generator=generator, dtype=torch.float64)
    return rtk.process.alpha(t) * x + rtk.process.sigma(t) * noise


def main() -> None:
    started = time.perf_counter()
    snakemake = job.start()
    params = snakemake.params
    name = params.target
    target = BEYOND_MIXTURES[name]()

    def seed_of(*parts: int | str) -> int:
        return job.derive_seed(params.seed, "beyond_mixtures", name, *parts)

    def draw(*parts: int | str) -> Array:
        generator = torch.Generator().manual_seed(seed_of("exact", *parts))
        return target.sample(params.chains, 0.0, generator, torch.float64).numpy()

    def columns(method: str, *parts: int | str) -> dict[str, Any]:
        return {
            "experiment": "beyond_mixtures",
            "target": name,
            "method": method,
            "settings": json.dumps(params.methods.get(method, {})),
            "seed": seed_of(seed_name(method), *parts),
            "nfe_asked": 0,
            "nfe": 0,
        }

    exact = draw("reference")
    table: list[tidy.Row] = []
    for repetition in range(EXACT_REPLICATES):
        found = judge(name, draw(repetition), draw(repetition, "reference"))
        table += tidy.rows(found, **columns("exact", repetition), repetition=repetition)
    generator = torch.Generator().manual_seed(seed_of("score"))
    errors = score_errors(name, params.score_times, params.score_points, generator)
    for t, (score, log_prob) in errors.items():
        both = {"score_error": (score, np.nan), "log_prob_error": (log_prob, np.nan)}
        table += tidy.rows(both, **columns("exact", "score"), t=t)
    pictures = {"exact": exact[: params.kept, PICTURE]}
    for method, options in params.methods.items():
        for nfe in params.nfe:
            begun = time.perf_counter()
            result = rtk.sample(
                target.score,
                target.dimension,
                params.chains,
                nfe=nfe,
                seed=seed_of(seed_name(method), nfe),
                log_prob=target.log_prob if options.get("energy") == "exact" else None,
                dtype=torch.float64,
                chunk=CHUNK,
                nonfinite="keep",
                **options,
            )
            x = result.samples.numpy()
            table += tidy.rows(
                judge(name, x, exact),
                **columns(method, nfe) | {"nfe_asked": nfe, "nfe": result.nfe},
                nonfinite=len(result.diagnostics.nonfinite),
                acceptance=mean_acceptance(result.diagnostics),
                seconds=time.perf_counter() - begun,
            )
            if nfe == params.pictured:
                pictures[method] = x[: params.kept, PICTURE]
    job.write(snakemake.output, table, pictures, config=dict(params.items()), started=started)


if __name__ == "__main__":
    main()
