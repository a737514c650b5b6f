"""B9: the error against the number of segments at a fixed number of score evaluations.

Many segments are short, so that each kernel is nearly the Gaussian of its warm start, but they
leave few inner steps. Few segments leave many steps, on kernels that are harder to sample. Here K
segments share the score evaluations evenly. They start from the DDPM warm start and are uniform in
t over [0, 5] or, for the Gaussian, also cubic, ``t = 5 u^3``. The theory asks for ``K* = 5 / eta*``
uniform segments.

- The first target is a Gaussian with variances from 1/4 to 2, on which laws are exact
  (`rtk.laws.closed_form`). RTK-ULD and RTK-ULA have the best step size for each K, and their
  default.
- The second target is a mixture of six overlapping modes at radius 1.2 and of width 0.5, which is
  simulated. RTK-ULD has the best step size on the Gaussian, and RTK-MALA has its default.
"""

import contextlib
import functools
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

import rtk
from experiments.runs import needed_densities, over_replicates
from experiments.theory import curvature
from experiments.workflow import job, tidy
from rtk import metrics, segments, targets
from rtk.laws import closed_form as gaussian_steps
from rtk.laws import gaussian as gaussian_law
from rtk.laws.gaussian import Gaussian
from rtk.metrics import Estimate, Reference
from rtk.segments import Times

Array = NDArray[np.float64]
Row = dict[str, Any]

VARIANCES = np.linspace(0.25, 2.0, 10)
GAUSSIAN = Gaussian(np.zeros(10), VARIANCES)
END = segments.T_START
FAMILIES: dict[str, Callable[[int], Times]] = {
    "uniform": lambda count: segments.uniform(count, END, 0.0),
    "cubic": lambda count: segments.power(count, END, 0.0, 3.0),
}
# The spacing is fine because the error has narrow minima, where the bias of a chain and the part of
# its start that has not decayed cancel.
STEP_SIZES = [2.0 ** (1 - k / 16) for k in range(113)]
COARSE = STEP_SIZES[::4]
"""The steps of the first measurement, which differ by a fifth and miss the narrow minima."""
OFF = 1.1
"""Factor by which a step size misses the best one, to show how narrow the minimum is."""
DEFAULT_STEPS = {"rtk-uld": 0.5, "rtk-ula": 0.2}

SAMPLERS: dict[str, dict[str, Any]] = {
    "rtk-uld": {"method": "rtk-uld"},
    "rtk-mala": {"method": "rtk-mala", "energy": "exact"},
    "rtk-mala-trapezoid": {"method": "rtk-mala", "energy": "trapezoid"},
}
MARGINAL_BINS = 40
"""Bins of the marginals; finer ones would show the noise of some thousand samples."""
FLOOR_REPLICATES = 5
"""Sets of exact samples that are judged."""


@dataclass(frozen=True)
class Settings:
    """Sizes of the study.

    Attributes:
        counts, nfe: numbers of segments and of score evaluations on the Gaussian.
        mixture_counts, mixture_nfe: numbers of segments and the number of score evaluations on the
            mixtures.
        sizes: mappings of ``dimension`` and of ``chains``, the number of chains simulated in it.
        methods: samplers on the Gaussian.
    """

    counts: list[int]
    nfe: list[int]
    mixture_counts: list[int]
    mixture_nfe: int
    sizes: list[dict[str, int]]
    methods: list[str]


def theory_count(lipschitz: float) -> int:
    """``K* = 5 / eta*``, rounded up."""
    return math.ceil(END / segments.critical_length(lipschitz))


def gaussian_lipschitz() -> float:
    """The largest Jacobian norm of the scores of the Gaussian over all times."""
    return float(1.0 / min(VARIANCES.min(), 1.0))


def mild(dimension: int) -> rtk.GaussianMixture:
    """The mixture of six overlapping modes."""
    return targets.asymmetric(dimension, 1.2, (0.5, 0.5))


def mild_lipschitz(dimension: int) -> float:
    """A bound on the Jacobian norms of the mixture's scores over all times."""
    mixture = mild(dimension)
    return max(curvature.lipschitz_bound(mixture, t) for t in np.linspace(0.0, END, 501))


def affordable(counts: list[int], theory: int, most: int) -> list[int]:
    """The numbers of segments that the score evaluations suffice for, ascending.

    Args:
        counts: numbers of segments to choose from.
        theory: the theory's number, which is added to them.
        most: the largest number that is affordable; it replaces the theory's if that is larger.
    """
    return sorted({min(theory, most), *(count for count in counts if count <= most)})


def inner_steps(nfe: int, count: int) -> Array:
    """Inner steps of each segment, (count,): its scores less one for the warm start."""
    spent = np.round(nfe * np.arange(count + 1) / count)
    return np.asarray(np.diff(spent) - 1.0)


def gaussian_samples(method: str, times: Times, nfe: int, step_size: float) -> Gaussian:
    """The law of the samples in the ten coordinates; ValueError if the chain diverges."""
    step = functools.partial(
        gaussian_steps.RTK_STEPS[method],
        step_size=step_size,
        steps=inner_steps(nfe, len(times) - 1),
        start=gaussian_steps.ddpm,
    )
    return gaussian_steps.law(step, GAUSSIAN, times)


@functools.cache
def divergences(method: str, family: str, count: int, nfe: int) -> dict[float, float]:
    """The KL to the Gaussian of every step size at which the chain is stable."""
    times = FAMILIES[family](count)
    result = {}
    for step_size in STEP_SIZES:
        with contextlib.suppress(ValueError):
            law = gaussian_samples(method, times, nfe, step_size)
            result[step_size] = gaussian_law.kl(law, GAUSSIAN)
    return result


def best_step(
    method: str, family: str, count: int, nfe: int, among: Sequence[float] = STEP_SIZES
) -> float:
    """The step size with the least KL to the Gaussian; it is the same in every dimension."""
    found = divergences(method, family, count, nfe)
    return min((size for size in among if size in found), key=lambda size: found[size])


def gaussian_rows(method: str, dimension: int, nfe: int, counts: list[int]) -> list[Row]:
    """Exact TV and KL to the Gaussian for each number of segments and each rule for the step."""
    copies = dimension // len(VARIANCES)
    rows: list[Row] = []
    # A segment costs at least a warm start and one step.
    counts = affordable(counts, theory_count(gaussian_lipschitz()), nfe // 2)
    for family, count in itertools.product(FAMILIES, counts):
        best = best_step(method, family, count, nfe)
        coarse = best_step(method, family, count, nfe, COARSE)
        rules = {"best": best, "coarse": coarse, "off": OFF * best}
        rules["default"] = DEFAULT_STEPS[method]
        for rule, step_size in rules.items():
            try:
                law = gaussian_samples(method, FAMILIES[family](count), nfe, step_size)
            except ValueError:  # the step size is beyond the limit of stability
                continue
            distances = {
                "tv": gaussian_law.tv(law.power(copies), GAUSSIAN.power(copies), 1e-6),
                "kl": copies * gaussian_law.kl(law, GAUSSIAN),
            }
            common = {"family": family, "segments": count, "step": rule, "step_size": step_size}
            rows += [
                {**common, "metric": name, "value": value, "nfe": nfe, "standard_error": 0.0}
                for name, value in distances.items()
            ]
    return rows


def judge(samples: metrics.Samples, reference: Reference) -> dict[str, Estimate]:
    """Three total variations between the samples and the mixture, and their mean as ``error``.

    They compare the marginals, the weights of the modes, and the radii about the modes.
    """
    accuracy = metrics.marginal_accuracy(samples, reference, MARGINAL_BINS)
    variations = {
        "marginal_tv": Estimate(1.0 - accuracy.value, accuracy.standard_error),
        "mode_weight_tv": metrics.mode_weight_tv(samples, reference),
        "radial_tv": metrics.radial_tv(samples, reference),
    }
    return variations | {"error": Estimate.of_one_sample([*variations.values()])}


def mixture_rows(
    method: str, dimension: int, nfe: int, counts: list[int], chains: int, seed: int
) -> list[Row]:
    """Errors of simulated samples of the mixture; the method ``exact`` stands for exact samples."""
    mixture = mild(dimension)
    reference = Reference.of(mixture, size=1)

    if method == "exact":
        replicates = [
            judge(reference.draw(chains, np.random.default_rng([seed, k])), reference)
            for k in range(FLOOR_REPLICATES)
        ]
        return tidy.rows(over_replicates(replicates), segments=0, nfe=0)
    rows: list[Row] = []
    options = dict(SAMPLERS[method])
    # A Metropolis chain also needs the score of its start.
    most = nfe // (2 if method == "rtk-uld" else 3)
    for count in affordable(counts, theory_count(mild_lipschitz(dimension)), most):
        times = FAMILIES["uniform"](count)
        if method == "rtk-uld":
            options["step_size"] = best_step(method, "uniform", count, nfe)
        result = rtk.sample(
            mixture.score,
            dimension,
            chains,
            nfe=nfe,
            seed=job.derive_seed(seed, count),
            **needed_densities(mixture, options, mixture.score),
            segments=times,
            data_variance=float(mixture.variances.min()),
            **options,
        )
        rows += tidy.rows(judge(result.samples, reference), segments=count, nfe=result.nfe)
    step = "best" if method == "rtk-uld" else "default"
    return [{**row, "family": "uniform", "step": step} for row in rows]


def rows(settings: Settings, seed: int) -> list[Row]:
    """The theory's numbers of segments, exact errors on the Gaussian, and simulations."""
    table: list[Row] = []
    for size in tqdm(settings.sizes):
        dimension, chains = size["dimension"], size["chains"]
        table += theory_rows(dimension)
        for method, nfe in itertools.product(settings.methods, settings.nfe):
            common = {"target": "gaussian", "method": method, "dimension": dimension}
            exact = gaussian_rows(method, dimension, nfe, settings.counts)
            table += [{**common, "nfe_asked": nfe, **row} for row in exact]
        nfe, counts = settings.mixture_nfe, settings.mixture_counts
        for method in ("exact", *SAMPLERS):
            own_seed = job.derive_seed(seed, "segment_length", dimension, method)
            common = {"target": "mild", "method": method, "dimension": dimension}
            simulated = mixture_rows(method, dimension, nfe, counts, chains, own_seed)
            table += [{**common, "nfe_asked": nfe, "seed": own_seed, **row} for row in simulated]
    table = [{"family": "", "step": "", **row} for row in table]
    return [{**row, "settings": f"family={row['family']} step={row['step']}"} for row in table]


def theory_rows(dimension: int) -> list[Row]:
    """The number of segments that the theory asks for, on both targets."""
    theory = {
        "gaussian": theory_count(gaussian_lipschitz()),
        "mild": theory_count(mild_lipschitz(dimension)),
    }
    common = {"method": "exact", "dimension": dimension, "metric": "k_star"}
    return [
        {**common, "target": target, "value": count, "segments": count}
        for target, count in theory.items()
    ]


if __name__ == "__main__":
    job.study(rows, Settings)
