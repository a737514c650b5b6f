"""One method on all targets, with the settings that tuning chose, at several numbers of scores.

The chains of a cell (a target at one number of score evaluations) are judged all together, which
gives the error, and in batches, independent repetitions that say how much it scatters. In the
column ``batch`` all chains are 0, and the batches count from 1. The scores are exact, or have an
error of each of some kinds and sizes (`errors`); the settings are the same.
"""

import itertools
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from experiments.comparison import methods
from experiments.comparison.errors import WrongScore
from experiments.comparison.judge import Exact, bounded, judge
from experiments.comparison.targets import Array, check_disjoint, draw
from experiments.runs import PICTURE
from experiments.workflow import job, tidy
from rtk import targets
from rtk.metrics import Estimate
from rtk.score import Score
from rtk.targets import Target

EXACT = {"kind": "none", "size": 0.0}


def exact_sets(target: Target, n: int, batches: int, seed: int) -> list[Exact]:
    """``n`` exact samples, and then the batches of them."""
    samples = draw(target, n, seed)
    return [Exact(samples), *map(Exact, np.array_split(samples, batches))]


def measure(
    x: Array, exact: Sequence[Exact], target: Target
) -> list[tuple[int, dict[str, tuple[float, float]]]]:
    """The errors of all samples together, and of each batch.

    Args:
        x: the samples.
        exact: as many exact samples, and then the batches of them, as `exact_sets` draws them.
        target: the target.

    Returns:
        (batch, metric -> (error, standard error)). All samples are batch 0; their standard error is
        that of the mean of the batches. That of one batch is not known.
    """
    everything, *batches = exact
    parts = [
        judge(part, other, target)
        for part, other in zip(np.array_split(x, len(batches)), batches, strict=True)
    ]
    together = {
        metric: (value, Estimate.of_replicates([part[metric] for part in parts]).standard_error)
        for metric, value in judge(x, everything, target).items()
    }
    single = [{metric: (value, np.nan) for metric, value in part.items()} for part in parts]
    return [*enumerate([together, *single])]


def chosen(tuned: Mapping[str, Any] | None, nfe: int) -> methods.Candidate:
    """The candidate that tuning chose; that of a method without freedom is empty."""
    if tuned is None:
        return {}
    candidate: methods.Candidate = tuned["chosen"][str(nfe)]
    return candidate


def main() -> None:
    started = time.perf_counter()
    snakemake = job.start()
    params = snakemake.params
    check_disjoint(params.tuning, params.targets)
    inputs, outputs = dict(snakemake.input.items()), dict(snakemake.output.items())
    tuned = None
    if "tuned" in inputs:
        tuned = json.loads(Path(inputs["tuned"]).read_text(encoding="utf-8"))
    table: list[tidy.Row] = []
    kept: dict[str, Array] = {}
    sampler: dict[str, Any] = {}
    rows = 0
    made = {name: targets.target(name) for name in params.targets}
    exact = {
        name: exact_sets(
            made[name],
            n,
            params.batches,
            job.derive_seed(params.seed, params.experiment, name, "reference"),
        )
        for name, n in params.targets.items()
    }
    cases = [*itertools.product(params.targets.items(), params.errors, params.nfe)]
    for (name, n), error, nfe in tqdm(cases, desc=params.name):
        begun = time.perf_counter()
        target = made[name]
        candidate = chosen(tuned, nfe)
        seed = job.derive_seed(params.seed, params.experiment, name, params.name, nfe)
        score: Score = target.score
        if error != EXACT:
            field = job.derive_seed(params.seed, params.experiment, name, error["kind"])
            score = WrongScore(target, error["kind"], error["size"], field)
        if nfe == params.nfe[0]:
            one = job.derive_seed(params.seed, params.experiment, name, params.name, "fit")
            sampler, rows = methods.fitted(params.method["sampler"], target, score, one)
        result = methods.run(target, sampler, candidate, n=n, nfe=nfe, seed=seed, score=score)
        if result.calibration is not None:
            rows = result.calibration.rows
        x = bounded(result.samples)
        for batch, errors in measure(x, exact[name], target):
            table += tidy.rows(
                errors,
                experiment=params.experiment,
                target=name,
                method=params.name,
                settings=json.dumps(candidate),
                seed=seed,
                nfe_asked=nfe,
                nfe=result.nfe,
                batch=batch,
                error=error["kind"],
                size=error["size"],
                calibration_rows=rows,
                nonfinite=len(result.diagnostics.nonfinite),
                seconds=time.perf_counter() - begun,
            )
        if name == params.get("pictured") and error == EXACT:
            kept[f"nfe_{nfe}"] = x[: params.kept, PICTURE].astype(np.float32)
    pictures = kept if "sample" in outputs else None
    job.write(snakemake.output, table, pictures, config=dict(params.items()), started=started)


if __name__ == "__main__":
    main()
