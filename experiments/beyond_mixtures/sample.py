"""B8: all samplers on one target that is no Gaussian mixture.

The score is exact up to quadrature (`rtk.targets.base`). Its error against the brute force of
`dense_rule` is measured as well, so that it is not mistaken for the error of a sampler. The
samplers run with the defaults of `rtk.sample`.

The metrics of a target are total variations between the frequencies and the exact probabilities of
some cells. The first of them, by which the target is judged, was chosen before anything was run.
Two more metrics are the sliced Wasserstein and the energy distance to exact samples.
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
from experiments.runs import PICTURE, mean_acceptance, needed_densities, seed_name
from experiments.workflow import job, tidy
from rtk import metrics
from rtk.targets import BEYOND_MIXTURES, ManyWell, Rings, StudentT, Target

Array = NDArray[np.float64]

BINS = 20
"""Number of cells of equal probability in the one-dimensional metrics."""
TAIL = 0.01
"""Probability of the tail of the radius of Student's t."""
EXACT_REPLICATES = 4
"""Sets of exact samples that are judged."""
CHUNK = 256
"""Number of chains at a time; their quadrature fits the cache of a core."""
STRETCH = 1.5
"""Factor by which samples of p_t are stretched for the errors of the score outside its bulk."""
WIDE = 3.0
"""Standard deviation of normal points for the errors of the score outside the bulk of p_t."""

Cells = tuple[Callable[[Array], NDArray[np.intp]], Array]
"""The function from samples (n, d) to the numbers of their cells (n,), and the probabilities."""


@cache
def cells(name: str) -> Mapping[str, Cells]:
    """Metric -> its cells and their exact probabilities, for the target of this name."""
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
    """`BINS` cells of equal probability, for a statistic with the given quantile function."""
    levels = np.arange(1, BINS) / BINS
    return between(statistic, quantile(levels), levels)


def between(
    statistic: Callable[[Array], Array], edges: Iterable[float], below: Iterable[float]
) -> Cells:
    """Cells of a statistic.

    Args:
        statistic: function of the samples (n, d) to numbers (n,).
        edges: edges of the cells, ascending.
        below: probability that the statistic is below each edge.
    """
    ends = np.asarray(edges)
    return lambda x: np.searchsorted(ends, statistic(x)), np.diff([0.0, *below, 1.0])


def plane_radius(x: Array) -> Array:
    """Distance from the origin in the first two coordinates."""
    return np.asarray(np.hypot(x[:, 0], x[:, 1]))


def ring_cdf(target: Rings, radius: Array) -> Array:
    """Distribution function of the radius of the rings, a mixture of Rice laws."""
    law = stats.rice(np.array(target.radii) / target.width, scale=target.width)
    return np.asarray(law.cdf(radius[:, None]) @ np.array(target.weights))


def ring_quantile(target: Rings, levels: Array) -> Array:
    """Quantile function of the radius of the rings, to 1e-5."""
    radius = np.linspace(0.0, max(target.radii) + 8.0 * target.width, 100_001)
    return np.interp(levels, ring_cdf(target, radius), radius)


def judge(name: str, x: Array, exact: Array) -> dict[str, metrics.Estimate]:
    """All metrics of samples (n, d), given exact samples (n, d).

    Samples that are not finite are in a cell of their own, whose probability is 0. The
    distances are those of the finite samples.
    """
    finite = np.isfinite(x).all(axis=1)
    judged = {}
    for metric, (cell, masses) in cells(name).items():
        numbers = np.full(len(x), len(masses))
        numbers[finite] = cell(x[finite])
        judged[metric] = metrics.frequency_tv(numbers, np.append(masses, 0.0))
    kept = x[finite]
    return judged | {
        "sliced_w2": metrics.sliced_w2(kept, exact),
        "energy_distance": metrics.energy_distance(kept, exact, size=len(kept) // 20),
    }


def score_errors(
    name: str, times: Iterable[float], points: int, generator: torch.Generator
) -> dict[float, tuple[float, float]]:
    """Largest errors of the score and of the log-density at each time.

    The errors are largest over ``points`` samples of p_t, as many samples times `STRETCH`, and as
    many draws of ``N(0, WIDE^2 I)``. The error of the score is relative, in Euclidean
    norms. That of the log-density is absolute.

    Returns:
        Time -> (error of the score, error of the log-density).
    """
    target = BEYOND_MIXTURES[name]()
    errors = {}
    for t in times:
        samples = noised(target, points, t, generator)
        wide = torch.randn(samples.shape, generator=generator, dtype=samples.dtype)
        x = torch.cat((samples, STRETCH * noised(target, points, t, generator), WIDE * wide))
        log_prob, score = dense_rule.RULES[name](x.numpy(), t)
        error = np.linalg.norm(target.score(x, t).numpy() - score, axis=1)
        errors[t] = (
            float((error / np.linalg.norm(score, axis=1)).max()),
            float(np.abs(target.log_prob(x, t).numpy() - log_prob).max()),
        )
    return errors


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
        judged = judge(name, draw(repetition), draw(repetition, "reference"))
        table += tidy.rows(judged, **columns("exact", repetition), repetition=repetition)
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
                **needed_densities(target, options, target.score),
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
