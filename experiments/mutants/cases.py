"""The experiments that are run with faults: their numbers, as the rules of the claims take them.

Each function runs the code of one experiment with the given sizes and makes the numbers with the
code that makes them for the article. Parts on which no rule rests are small or left out.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

import pandas as pd
import torch

import rtk
from experiments.mixtures.sample import grid
from experiments.runs import needed_log_prob
from experiments.theory import (
    cheeger,
    convergence,
    dimension,
    energy_estimators,
    log_concavity,
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
from figures.tables import robustness as robustness_table
from figures.tables import segment_count as segment_count_table
from figures.tables import segment_length as segment_length_table
from rtk import metrics, targets

Sizes = Mapping[str, Any]
Numbers = Mapping[str, float]

MOST_STEPS = 2**22
"""A search for the number of steps that are enough stops here; a fault may leave it without end."""


def frame(rows: Iterable[tidy.Row]) -> pd.DataFrame:
    """The table of a study, with the columns that its job fills in."""
    return pd.DataFrame([{**job.DEFAULTS, **row} for row in rows])


def bounded_least(is_enough: Callable[[int], bool], **options: Any) -> int:
    """`search.least`, but an ArithmeticError where `MOST_STEPS` are not enough."""

    def checked(count: int) -> bool:
        if count > MOST_STEPS:
            raise ArithmeticError(f"{MOST_STEPS} steps are not enough")
        return is_enough(count)

    return LEAST(checked, **options)


LEAST = search.least


@contextmanager
def bounded_searches() -> Iterator[None]:
    """All searches for numbers of steps end, if need be with an error."""
    with (
        mock.patch.object(search, "least", bounded_least),
        mock.patch.object(dimension, "least", bounded_least),
    ):
        yield


def log_concavity_numbers(sizes: Sizes, seed: int) -> Numbers:
    rows = [
        row
        for target in sizes["targets"]
        for row in log_concavity.rows(
            log_concavity.Settings(
                target=target, **{k: v for k, v in sizes.items() if k != "targets"}
            ),
            seed,
        )
    ]
    return log_concavity_table.numbers(frame(rows))


def segment_count_numbers(sizes: Sizes, seed: int) -> Numbers:
    rows = segment_count.rows(segment_count.Settings(**sizes), seed)
    return segment_count_table.numbers(frame(rows))


def no_search(
    candidates: Iterable[convergence.Run], accuracies: Iterable[float]
) -> dict[float, convergence.Run]:
    """Three runs in the place of the cheapest settings, on which no rule rests."""
    runs = [convergence.Run(10**k, 0.1**k, "", 0.1**k, 1) for k in (1, 2, 3)]
    return {run.tv: run for run in runs}


def convergence_numbers(sizes: Sizes, seed: int) -> Numbers:
    settings = convergence.Settings(**sizes)
    # RTK-MALA's path at a fixed step goes to the smallest TV, and no rule rests on it.
    short = replace(settings, smallest=0.5)
    with mock.patch.object(convergence, "cheapest", no_search):
        rows = [
            *convergence.gaussian_rows(settings),
            *convergence.modes_rows(short),
            *convergence.segment_rows(settings),
        ]
    return convergence_table.numbers(frame(rows))


def dimension_numbers(sizes: Sizes, seed: int) -> Numbers:
    return dimension_table.numbers(frame(dimension.rows(dimension.Settings(**sizes), seed)))


def robustness_numbers(sizes: Sizes, seed: int) -> Numbers:
    return robustness_table.numbers(frame(robustness.rows(robustness.Settings(**sizes), seed)))


def energy_estimators_numbers(sizes: Sizes, seed: int) -> Numbers:
    rows = energy_estimators.rows(energy_estimators.Settings(**sizes), seed)
    return energy_estimators_table.numbers(frame(rows))


def cheeger_numbers(sizes: Sizes, seed: int) -> Numbers:
    return cheeger_table.numbers(frame(cheeger.rows(cheeger.Settings(**sizes), seed)))


def segment_length_numbers(sizes: Sizes, seed: int) -> Numbers:
    segment_length.divergences.cache_clear()
    rows = segment_length.rows(segment_length.Settings(**sizes), seed)
    segment_length.divergences.cache_clear()
    return segment_length_table.numbers(frame(rows))


def mixtures_numbers(sizes: Sizes, seed: int) -> Numbers:
    rows: list[tidy.Row] = []
    for target in sizes["targets"]:
        mixture = targets.mixture(target)
        reference = metrics.Reference.of(mixture, size=1)
        for method, options in sizes["methods"].items():
            for nfe in sizes["nfe"]:
                result = rtk.sample(
                    mixture.score,
                    mixture.dimension,
                    sizes["chains"],
                    nfe=nfe,
                    seed=job.derive_seed(seed, "mutants", target, method, nfe),
                    log_prob=needed_log_prob(mixture, options["sampler"]),
                    segments=grid(nfe=nfe, **options["grid"]),
                    nonfinite="keep",
                    **options["sampler"],
                )
                judged = {
                    "halved_marginal_accuracy": metrics.halved_marginal_accuracy(
                        result.samples, reference, *sizes["bins"]
                    ),
                    "mode_weight_tv": metrics.mode_weight_tv(result.samples, reference),
                }
                rows += tidy.rows(judged, target=target, method=method, nfe_asked=nfe)
    return mixtures_table.numbers(frame(rows))


CASES: dict[str, Callable[[Sizes, int], Numbers]] = {
    "log_concavity": log_concavity_numbers,
    "segment_count": segment_count_numbers,
    "convergence": convergence_numbers,
    "dimension": dimension_numbers,
    "robustness": robustness_numbers,
    "energy_estimators": energy_estimators_numbers,
    "cheeger": cheeger_numbers,
    "segment_length": segment_length_numbers,
    "mixtures": mixtures_numbers,
}
"""By the name of the file of numbers: the function that makes them from sizes and a seed."""
