"""The experiments that are run with faults, in parts that run by themselves.

Each part runs the code of an experiment with the given sizes, and the numbers come from the code
that makes them for the article. The numbers also need parts on which no rule rests. Those are small
here, and run without faults.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest import mock

import pandas as pd

import rtk
from experiments.mixtures.grid import grid
from experiments.runs import needed_densities
from experiments.theory import (
    cheeger,
    convergence,
    dimension,
    energy_estimators,
    factors,
    log_concavity,
    product_laws,
    robustness,
    search,
    segment_count,
    segment_length,
)
from experiments.workflow import job, tidy
from figures.tables import cheeger as cheeger_table
from figures.tables import convergence as convergence_table
from figures.tables import dimension as dimension_table
from figures.tables import energy_estimators as energy_estimators_table
from figures.tables import log_concavity as log_concavity_table
from figures.tables import mixtures as mixtures_table
from figures.tables import product_laws as product_laws_table
from figures.tables import robustness as robustness_table
from figures.tables import segment_count as segment_count_table
from figures.tables import segment_length as segment_length_table
from rtk import metrics, targets
from rtk.laws import grid as grid_law

Sizes = Mapping[str, Any]
Numbers = Mapping[str, float]
Rows = list[tidy.Row]
Part = Callable[[], Iterable[tidy.Row]]


@dataclass(frozen=True)
class Experiment:
    """An experiment at some sizes.

    Attributes:
        parts: the parts on which rules rest, by name.
        others: the parts that the numbers need beside these.
        numbers: what makes the numbers from the rows of all parts.
    """

    parts: Mapping[str, Part]
    others: Part
    numbers: Callable[[pd.DataFrame], Numbers]


MOST_STEPS = 2**22
"""A search for the number of steps that are enough stops here; a fault may leave it without end."""
MOST_SIZES = 40
"""A search over falling step sizes ends after so many."""
LEAST, FALLING = search.least, dimension.falling_steps
"""The searches without an end."""


def bounded_least(is_enough: Callable[[int], bool], **options: Any) -> int:
    """`search.least`, but an ArithmeticError where `MOST_STEPS` are not enough."""

    def checked(count: int) -> bool:
        if count > MOST_STEPS:
            raise ArithmeticError(f"{MOST_STEPS} steps are not enough")
        try:
            return is_enough(count)
        except StopIteration:
            # The laws are so far apart that `rtk.laws.gaussian.tv` finds no path of integration.
            return False

    return LEAST(checked, **options)


def bounded_steps(largest: float) -> Iterator[float]:
    """`dimension.falling_steps` with an end, for a fault that makes all steps equally good."""
    return itertools.islice(FALLING(largest), MOST_SIZES)


@contextmanager
def bounded_searches() -> Iterator[None]:
    """All searches for numbers of steps and for step sizes end, if need be with an error."""
    with (
        mock.patch.object(search, "least", bounded_least),
        mock.patch.object(dimension, "least", bounded_least),
        mock.patch.object(dimension, "falling_steps", bounded_steps),
    ):
        yield


def nothing() -> Rows:
    """The other parts of an experiment that has none."""
    return []


def log_concavity_at(sizes: Sizes, seed: int) -> Experiment:
    """A part for each mixture."""
    shared = {key: value for key, value in sizes.items() if key != "targets"}
    parts = {
        target: partial(log_concavity.rows, log_concavity.Settings(target=target, **shared), seed)
        for target in sizes["targets"]
    }
    return Experiment(parts, nothing, log_concavity_table.numbers)


def segment_count_at(sizes: Sizes, seed: int) -> Experiment:
    """A single part."""
    part = partial(segment_count.rows, segment_count.Settings(**sizes), seed)
    return Experiment({"counts": part}, nothing, segment_count_table.numbers)


def no_search(
    candidates: Iterable[convergence.Run], accuracies: Iterable[float]
) -> dict[float, convergence.Run]:
    """Three runs in the place of the cheapest settings, on which no rule rests."""
    runs = [convergence.Run(10**k, 0.1**k, "", 0.1**k, 1) for k in (1, 2, 3)]
    return {run.tv: run for run in runs}


def without_search(part: Callable[[convergence.Settings], Rows], settings: Any) -> Rows:
    """A part of the study of convergence without its searches for the cheapest settings."""
    with mock.patch.object(convergence, "cheapest", no_search):
        return part(settings)


def mala_rows(settings: convergence.Settings) -> Rows:
    """Whole chains of RTK-MALA by rule, on one grid and without the path at a fixed step."""
    cells = grid_law.Grid(-convergence.EDGE, convergence.EDGE, settings.cells)
    ladder = 1.0 / convergence.ladder(1.0, 1.0 / settings.mala_smallest, 4)
    runs = {float(eps): convergence.mala_rule(float(eps)) for eps in ladder}
    tv = convergence.modes_chains("rtk-mala", runs.values(), 1.0, 1, cells)
    chains = [
        (eps, convergence.modes_run("rtk-mala", run, tv[run], 1.0)) for eps, run in runs.items()
    ]
    cheapest = no_search([], []).items()
    return [
        *convergence.rows_of("rule", "two modes", "rtk-mala", chains),
        *convergence.rows_of("optimised", "two modes", "rtk-mala", cheapest),
    ]


def convergence_at(sizes: Sizes, seed: int) -> Experiment:
    """Whole chains on the Gaussian and on the two modes, and one segment."""
    settings = convergence.Settings(**sizes)
    parts = {
        "gaussian": partial(without_search, convergence.gaussian_rows, settings),
        "modes": partial(mala_rows, settings),
        "segment": partial(without_search, convergence.segment_rows, settings),
    }
    return Experiment(parts, nothing, convergence_table.numbers)


def dimension_at(sizes: Sizes, seed: int) -> Experiment:
    """A part for each method."""
    parts = {
        method: partial(
            dimension.rows, dimension.Settings(dimensions, sizes["accuracies"], [method]), seed
        )
        for method, dimensions in sizes["dimensions"].items()
    }
    return Experiment(parts, nothing, dimension_table.numbers)


def robustness_at(sizes: Sizes, seed: int) -> Experiment:
    """Whole chains; one segment, on which no rule rests, apart."""
    epsilons, cells = sizes["epsilons"], sizes["cells"]

    def filled(part: Callable[..., Rows], *arguments: Any) -> Rows:
        return [{"eps": 0.0, **row} for row in part(*arguments)]

    parts = {
        "gaussian": partial(filled, robustness.gaussian, epsilons, sizes),
        "modes": partial(filled, robustness.modes_chain, epsilons, cells),
    }
    one_segment = partial(
        filled, robustness.modes_segment, [0.1, 0.2, 0.5], cells, sizes["relative_step"]
    )
    return Experiment(parts, one_segment, robustness_table.numbers)


def energy_estimators_at(sizes: Sizes, seed: int) -> Experiment:
    """One segment of two modes; proposals and chains on `mild`, on which no rule rests, apart."""

    def filled(part: Callable[..., Rows], *arguments: Any) -> Rows:
        return [{"step_size": 0.0, **row} for row in part(*arguments)]

    def simulated() -> Rows:
        return [
            *filled(energy_estimators.proposals, sizes["step_sizes"], sizes["proposals"], seed),
            *filled(
                energy_estimators.chains, sizes["nfe"], sizes["chains"], sizes["segments"], seed
            ),
        ]

    modes = partial(filled, energy_estimators.modes, sizes["step_sizes"], sizes["cells"])
    return Experiment({"modes": modes}, simulated, energy_estimators_table.numbers)


def cheeger_at(sizes: Sizes, seed: int) -> Experiment:
    """A single part."""
    part = partial(cheeger.rows, cheeger.Settings(**sizes), seed)
    return Experiment({"bounds": part}, nothing, cheeger_table.numbers)


def segment_length_at(sizes: Sizes, seed: int) -> Experiment:
    """RTK-ULD on the Gaussian; the mixture, on which no rule rests, apart."""
    dimensions, nfe, counts = sizes["dimensions"], sizes["nfe"], sizes["counts"]

    def gaussian() -> Rows:
        segment_length.divergences.cache_clear()
        rows: Rows = []
        for d in dimensions:
            common = {"target": "gaussian", "method": "rtk-uld", "dimension": d}
            exact = segment_length.gaussian_rows("rtk-uld", d, nfe, counts)
            rows += [{**common, "nfe_asked": nfe, **row} for row in exact]
            rows += segment_length.theory_rows(d)
        segment_length.divergences.cache_clear()
        return rows

    return Experiment({"gaussian": gaussian}, nothing, segment_length_table.numbers)


def product_laws_at(sizes: Sizes, seed: int) -> Experiment:
    """A part for each sampler whose exponents a rule judges, on one shape.

    Segments are the theory's with every fault: chains on many more would take minutes.
    """
    shared = {key: value for key, value in sizes.items() if key != "shape"}
    settings, shape = product_laws.Settings(**shared), sizes["shape"]
    times = factors.theory_times(factors.SHAPES[shape], product_laws.RTK_START)

    def part(make: Callable[..., Iterator[tidy.Row]], *methods: list[str]) -> Part:
        def rows() -> Rows:
            with mock.patch.object(factors, "theory_times", lambda *_: times):
                return [{"target": shape, **row} for row in make(shape, settings, *methods)]

        return rows

    parts = {
        "ddpm": part(product_laws.solver_rows, ["ddpm"]),
        "rtk-uld": part(product_laws.chain_rows, ["rtk-uld"]),
        "rtk-mala": part(product_laws.mala_rows),
    }
    return Experiment(parts, nothing, product_laws_table.numbers)


def mixture_rows(method: str, sizes: Sizes, seed: int) -> Rows:
    """The two metrics on which rules rest, of one sampler on all mixtures."""
    rows: Rows = []
    options = sizes["methods"][method]
    for target, nfe in itertools.product(sizes["targets"], sizes["nfe"]):
        mixture = targets.mixture(target)
        reference = metrics.Reference.of(mixture, size=1)
        result = rtk.sample(
            mixture.score,
            mixture.dimension,
            sizes["chains"],
            nfe=nfe,
            seed=job.derive_seed(seed, "mutants", target, method, nfe),
            **needed_densities(mixture, options["sampler"], mixture.score),
            segments=grid(nfe=nfe, **options["grid"]),
            nonfinite="keep",
            **options["sampler"],
        )
        judged = {
            mixtures_table.ACCURACY: metrics.halved_marginal_accuracy(result.samples, reference),
            mixtures_table.WEIGHTS: metrics.mode_weight_tv(result.samples, reference),
        }
        rows += tidy.rows(judged, target=target, method=method, nfe_asked=nfe)
    return rows


def mixtures_at(sizes: Sizes, seed: int) -> Experiment:
    """A part for each sampler that the numbers need."""
    methods = [*mixtures_table.RTK, "ddpm", "ddpm-log-snr", "dpm++2m"]
    parts = {method: partial(mixture_rows, method, sizes, seed) for method in methods}
    return Experiment(parts, nothing, mixtures_table.numbers)


EXPERIMENTS: dict[str, Callable[[Sizes, int], Experiment]] = {
    "log_concavity": log_concavity_at,
    "segment_count": segment_count_at,
    "convergence": convergence_at,
    "dimension": dimension_at,
    "robustness": robustness_at,
    "energy_estimators": energy_estimators_at,
    "cheeger": cheeger_at,
    "segment_length": segment_length_at,
    "product_laws": product_laws_at,
    "mixtures": mixtures_at,
}
"""By the name of the file of numbers: the experiment at some sizes, with a seed."""
