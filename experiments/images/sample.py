"""C1: one sampler with the learned score of a data set, at several numbers of score evaluations.

Each number gives one set of images, which is measured against the test images
(`experiments.images.metrics`). Some images are written for the figure. The configuration has the
keywords of `rtk.sample`, and the grid of times, which ends above 0, so that the last score
evaluation denoises to 0. A method without an entry ``grid`` chooses its times itself.
"""

import json
import time
from collections.abc import Mapping
from inspect import signature
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

import rtk
from experiments.images import classifier, metrics, network
from experiments.runs import mean_acceptance, seed_name
from experiments.workflow import job, tidy
from rtk import segments
from rtk.calibration.calibration import METHODS as CALIBRATED
from rtk.sampler import make_sampler
from rtk.samplers.base import Problem, Sampler
from rtk.score import CountedScore, Score
from rtk.segments import Times

T_END = 1e-3
"""OU time at which the grid ends if the configuration names none: noise of 4.5 % of a pixel."""


def times(
    sampler: Sampler, score: Score, nfe: int, rule: str, count: int | None = None, **options: Any
) -> Times:
    """The times of the segments that the configuration asks for.

    Args:
        sampler: the sampler, which says how many scores a segment needs.
        score: the score.
        nfe: number of score evaluations, of which the last one denoises.
        rule: name of a function of `rtk.segments`.
        count: number of segments, at most. If it is None, or if the scores do not suffice for it,
            there are as many segments as they suffice for.
        **options: other arguments of the rule.
    """
    affordable = max(1, (nfe - 1) // sampler.minimum_nfe(1, Problem(CountedScore(score))))
    make = getattr(segments, rule)
    result: Times = make(min(count or affordable, affordable), **{"t_end": T_END, **options})
    return result


def keywords(
    sampler: Mapping[str, Any], grid: Mapping[str, Any] | None, score: Score, nfe: int
) -> dict[str, Any]:
    """The keywords of `rtk.sample` that depend on the method.

    Args:
        sampler: the method and its options, from the configuration.
        grid: the arguments of `times` from the configuration, or None if the method or
            `rtk.sample` chooses the times.
        score: the score.
        nfe: number of score evaluations.
    """
    if grid is None:
        return dict(sampler)
    of_the_run = signature(rtk.sample).parameters
    options = {name: value for name, value in sampler.items() if name not in of_the_run}
    chosen = make_sampler(sampler["method"], options)
    return {**sampler, "segments": times(chosen, score, nfe, **grid)}


def pixels(images: Tensor) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Images in [-1, 1] as levels in 0...255, (n, side, side), or (n, side, side, 3) in colour."""
    levels = ((images.clamp(-1.0, 1.0) + 1.0) * 127.5).round().to(torch.uint8).movedim(1, -1)
    result: np.ndarray[Any, np.dtype[np.uint8]] = levels.cpu().numpy()
    return result[..., 0] if result.shape[-1] == 1 else result


def main() -> None:
    started = time.perf_counter()
    snakemake = job.start()
    params, inputs, dataset = snakemake.params, snakemake.input, snakemake.wildcards.dataset
    device = "cuda" if torch.cuda.is_available() else "cpu"
    score = network.load(inputs.score, device)
    shape = score.architecture.image_shape
    features = classifier.load(inputs.classifier)
    test = metrics.Reference.load(inputs.reference)
    table: list[tidy.Row] = []
    kept: dict[str, np.ndarray[Any, Any]] = {}
    sampler, calibration = params.sampler, None
    if sampler["method"] in CALIBRATED:
        calibration = rtk.Calibration.load(inputs.calibration)
        sampler = {**sampler, "calibration": calibration}
    for nfe in tqdm(params.nfe, desc=params.method):
        seed = job.derive_seed(params.seed, dataset, seed_name(params.method), nfe)
        begun = time.perf_counter()
        result = rtk.sample(
            score,
            shape,
            params.images,
            nfe=nfe,
            seed=seed,
            device=device,
            progress=True,
            **keywords(sampler, params.grid, score, nfe),
        )
        seconds = time.perf_counter() - begun
        table += tidy.rows(
            test.measure(metrics.describe(features, result.samples.cpu())),
            experiment=dataset,
            target=dataset,
            method=params.method,
            settings=json.dumps({"grid": params.grid, "sampler": params.sampler}),
            seed=seed,
            nfe_asked=nfe,
            nfe=result.nfe,
            segments=len(result.diagnostics.segments),
            calibration_rows=0 if calibration is None else calibration.rows,
            seconds=seconds,
            acceptance=mean_acceptance(result.diagnostics),
        )
        kept[f"nfe_{nfe}"] = pixels(result.samples[: params.kept])
    config = dict(params.items())
    job.write(snakemake.output, table, kept, config=config, started=started, device=device)


if __name__ == "__main__":
    main()
