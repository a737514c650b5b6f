"""Tuning: all candidates of one method on all tuning targets, at every number of score evaluations.

A candidate is judged by the geometric mean over the targets of ``max(J - F, 0.1 F) / F``, where
``J`` is the error of the modes (`judge`) and ``F`` that of as many exact samples. The candidate
with the least mean is chosen, for each number of score evaluations by itself. The file has all
values.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from experiments.comparison import methods
from experiments.comparison.excess import excess
from experiments.comparison.judge import bounded, mode_error
from experiments.comparison.targets import check_disjoint, draw
from experiments.workflow import job, results
from rtk import targets
from rtk.targets import GaussianMixture

FLOOR_REPLICATES = 8
"""Sets of exact samples whose mean error is the floor."""


def objective(errors: Mapping[str, float], floors: Mapping[str, float]) -> float:
    """Geometric mean over the targets of ``max(J - F, 0.1 F) / F``."""
    floor = np.array([floors[target] for target in errors])
    return float(np.exp(np.log(excess([*errors.values()], floor) / floor).mean()))


def floors(
    mixtures: Mapping[str, GaussianMixture], sizes: Mapping[str, int], seed: int
) -> dict[str, float]:
    """Target -> mean error of the modes of exact samples, by the number of chains."""
    found = {}
    for name, n in sizes.items():
        mixture = mixtures[name]
        seeds = [job.derive_seed(seed, "tuning", name, "exact", k) for k in range(FLOOR_REPLICATES)]
        found[name] = float(np.mean([mode_error(draw(mixture, n, one), mixture) for one in seeds]))
    return found


def errors(
    mixtures: Mapping[str, GaussianMixture],
    samplers: Mapping[str, Mapping[str, Any]],
    candidate: methods.Candidate,
    nfe: int,
    sizes: Mapping[str, int],
    seed: int,
) -> dict[str, float]:
    """Target -> error of the modes of one candidate. All candidates have the same seeds.

    ``samplers`` has the keywords of `rtk.sample` for each target.
    """
    found = {}
    for name, n in sizes.items():
        mixture = mixtures[name]
        one = job.derive_seed(seed, "tuning", name, nfe)
        result = methods.run(
            mixture, samplers[name], candidate, n=n, nfe=nfe, seed=one, score=mixture.score
        )
        found[name] = mode_error(bounded(result.samples), mixture)
    return found


def tune(
    method: Mapping[str, Any],
    budgets: Sequence[int],
    sizes: Mapping[str, int],
    report: Iterable[str],
    seed: int,
) -> dict[str, Any]:
    """The candidate to take at each number of score evaluations, and what it was chosen by.

    Args:
        method: its part of the configuration.
        budgets: numbers of score evaluations.
        sizes: the tuning targets, each with its number of chains.
        report: the targets of the report, none of which may be a tuning target.
        seed: the seed of the workflow.

    Returns:
        ``floors`` by target; ``chosen``, by number of score evaluations the candidate; and
        ``tried``, by number of score evaluations all candidates with their errors and objectives.
    """
    check_disjoint(sizes, report)
    mixtures = {name: targets.mixture(name) for name in sizes}
    floor = floors(mixtures, sizes, seed)
    samplers = {}
    for name, mixture in mixtures.items():
        one = job.derive_seed(seed, "tuning", name, "fit")
        samplers[name], _ = methods.fitted(method["sampler"], mixture, mixture.score, one)
    tried: dict[str, list[dict[str, Any]]] = {}
    for nfe in tqdm(budgets):
        tried[str(nfe)] = []
        for candidate in methods.candidates(method):
            found = errors(mixtures, samplers, candidate, nfe, sizes, seed)
            value = objective(found, floor)
            tried[str(nfe)].append({"candidate": candidate, "objective": value, "errors": found})
    chosen = {
        nfe: min(records, key=lambda record: record["objective"])["candidate"]
        for nfe, records in tried.items()
    }
    return {"floors": floor, "chosen": chosen, "tried": tried}


def main() -> None:
    snakemake = job.start()
    params = snakemake.params
    methods.check_budget(params.name, params.method, params.budget)
    record = {"method": params.name, "sampler": params.method["sampler"], "seed": params.seed}
    record["chains"] = params.sizes
    record |= tune(params.method, params.nfe, params.sizes, params.report, params.seed)
    with results.atomic(snakemake.output.tuned) as unfinished:
        Path(unfinished).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
