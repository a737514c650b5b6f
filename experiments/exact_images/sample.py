"""C2: samplers on a mixture of images, whose score is exact, so that all error is the sampler's.

The mixture has one component at each of some training images (`rtk.targets.images`). Its bandwidth
h makes two draws of one component ``h sqrt(2 d)`` apart, the fraction ``bandwidth`` of the median
distance of an image from the nearest other one. Half of it, the fraction of the protocol, leaves
the components apart and as wide as the tuning targets' narrow ones; the default of
`rtk.targets.images`, a tenth, would first of all test whether a grid happens to end late enough.

Three parts are in the column ``part``:

- ``methods``: all methods with the settings that tuning chose on other targets, at several numbers
  of score evaluations (NFE);
- ``segments``: RTK samplers at one NFE with different numbers of segments. They know the width of
  the components (`data_variance`), and nothing else is chosen for the target;
- ``exact``: the floor, exact samples in independent sets that are as large.
"""

import itertools
import json
import math
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

import rtk
from experiments.comparison import methods
from experiments.exact_images.collection import collection
from experiments.exact_images.judge import Features, Judge
from experiments.images import classifier
from experiments.runs import needed_densities, over_replicates
from experiments.workflow import job, tidy
from rtk import segments, targets
from rtk.calibration.calibration import METHODS as CALIBRATED
from rtk.metrics import Estimate
from rtk.sampler import make_sampler
from rtk.samplers.base import Problem
from rtk.score import CountedLogProb, CountedScore
from rtk.targets import GaussianMixture
from rtk.targets.image_mixture import FRACTION, default_bandwidth

REPLICATES = 8
"""Independent sets of exact samples that are judged."""
REFERENCE = 3000
"""Exact draws with which samples are compared in features."""
T_END = 1e-3
"""OU time at which the grids of the part ``segments`` end."""


def run_methods(
    mixture: GaussianMixture, params: Any, tuned: Mapping[str, Any], seed: int
) -> Iterator[tuple[rtk.Result, dict[str, Any]]]:
    """The samples of all methods at all NFE, and the columns of their rows.

    One calibration of the score serves the calibrated methods. The rows that it took include those
    that a method spends when it sees an NFE for the first time.
    """
    calibration = rtk.calibrate(mixture.score, mixture.dimension)
    for name, method in params.methods.items():
        fitted = {"calibration": calibration} if name in CALIBRATED else {}
        for nfe in tqdm(params.nfe, desc=name):
            candidate = tuned[name]["chosen"][str(nfe)] if name in tuned else {}
            result = methods.run(
                mixture,
                {**method["sampler"], **fitted},
                candidate,
                n=params.chains,
                nfe=nfe,
                seed=job.derive_seed(seed, name, nfe),
                score=mixture.score,
            )
            yield result, {"part": "methods", "method": name, "nfe_asked": nfe, **about(candidate)}


def run_segments(
    mixture: GaussianMixture, params: Any, seed: int
) -> Iterator[tuple[rtk.Result, dict[str, Any]]]:
    """The samples of the RTK samplers with different numbers of segments, and their columns.

    Numbers of segments that cost more scores than there are, are left out.
    """
    sweep, variance = params.sweep, float(mixture.variances.min())
    problem = Problem(CountedScore(mixture.score), CountedLogProb(mixture.log_prob))
    for sampler, count in tqdm([*itertools.product(sweep["samplers"], sweep["counts"])]):
        options = {key: value for key, value in sampler.items() if key != "method"}
        needed = make_sampler(sampler["method"], options).minimum_nfe(count, problem)
        if needed >= sweep["nfe"]:
            continue
        result = rtk.sample(
            mixture.score,
            mixture.dimension,
            params.chains,
            nfe=sweep["nfe"],
            seed=job.derive_seed(seed, "segments", json.dumps(sampler), count),
            **needed_densities(mixture, sampler, mixture.score),
            segments=segments.power(count, t_end=T_END),
            data_variance=variance,
            nonfinite="keep",
            **sampler,
        )
        columns = {"part": "segments", "method": sampler["method"], "nfe_asked": sweep["nfe"]}
        yield result, {**columns, **about(sampler), "segments": count}


def about(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The columns with the settings of a run: all of them, and the inner step if it is set."""
    return {"settings": json.dumps(settings), "step": settings.get("step_size", math.nan)}


def last_acceptance(diagnostics: rtk.Diagnostics) -> float:
    """The acceptance of the last inner chain with a Metropolis test, or NaN if there is none."""
    tested = [s.acceptance for s in diagnostics.segments if s.acceptance is not None]
    return tested[-1] if tested else math.nan


def floor(judge: Judge, chains: int, seed: int) -> dict[str, Estimate]:
    """The measures of exact samples, means over independent sets."""
    sets = (judge(draw(judge.mixture, chains, job.derive_seed(seed, k))) for k in range(REPLICATES))
    return over_replicates([*sets])


def draw(mixture: GaussianMixture, n: int, seed: int) -> torch.Tensor:
    """``n`` exact samples in float32, the dtype of the samplers, (n, d)."""
    return mixture.sample(n, 0.0, torch.Generator().manual_seed(seed), torch.float32)


def main() -> None:
    started = time.perf_counter()
    snakemake = job.start()
    params, inputs, name = (
        snakemake.params,
        dict(snakemake.input.items()),
        snakemake.wildcards.collection,
    )
    tuned_files = [inputs["tuned"]] if isinstance(inputs["tuned"], str) else inputs["tuned"]
    tuned = {
        Path(file).stem: json.loads(Path(file).read_text(encoding="utf-8")) for file in tuned_files
    }
    seed = job.derive_seed(params.seed, "exact_images", name)
    chosen = collection(inputs["data"], params.images, job.derive_seed(seed, "images"))
    width = params.bandwidth / FRACTION * default_bandwidth(chosen.points)
    mixture = targets.images(chosen.points, width)
    features = None
    if "classifier" in inputs:
        reference = draw(mixture, REFERENCE, job.derive_seed(seed, "reference"))
        features = Features(classifier.load(inputs["classifier"]), reference)
    judge = Judge(mixture, chosen.classes, features)
    common = {"experiment": "exact_images", "target": name, "seed": seed, "width": width}
    common |= {"dimension": mixture.dimension, "images": params.images, "chains": params.chains}
    runs = [run_methods(mixture, params, tuned, seed)]
    if name == params.sweep["target"]:
        runs.append(run_segments(mixture, params, seed))
    table: list[tidy.Row] = []
    for result, columns in itertools.chain(*runs):
        table += tidy.rows(
            judge(result.samples),
            **{**common, "segments": len(result.diagnostics.segments), **columns},
            nfe=result.nfe,
            calibration_rows=0 if result.calibration is None else result.calibration.rows,
            last_acceptance=last_acceptance(result.diagnostics),
        )
    table += tidy.rows(
        floor(judge, params.chains, job.derive_seed(seed, "exact")),
        **common,
        **about({"replicates": REPLICATES}),
        part="exact",
        method="exact",
        segments=0,
        nfe_asked=0,
        nfe=0,
        calibration_rows=0,
        last_acceptance=math.nan,
    )
    job.write(snakemake.output, table, config=dict(params.items()), started=started)


if __name__ == "__main__":
    main()
