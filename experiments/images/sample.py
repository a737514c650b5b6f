"""C1: one sampler with the learned score of a data set, at several numbers of score evaluations.

Each number gives one set of images, which is measured against the test images
(`experiments.images.metrics`). Some images are written for the figure. All samplers, at all numbers
of evaluations, begin with the same noise: image k of one is made from the noise of image k of
another. A method has the settings that its tuning chose, if it has a choice.

With several seeds the metrics are means over the sets of images, with the standard errors of these
means. With one seed the errors are those of the jackknife.
"""

import json
import time
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

import rtk
from experiments.images import classifier, metrics, network
from experiments.images.data import pixels
from experiments.images.grid import chosen, keywords
from experiments.runs import mean_acceptance, over_replicates
from experiments.workflow import job, tidy
from rtk.calibration.calibration import METHODS as CALIBRATED


def main() -> None:
    started = time.perf_counter()
    snakemake = job.start()
    params, inputs, dataset = snakemake.params, snakemake.input, snakemake.params.dataset
    device = "cuda" if torch.cuda.is_available() else "cpu"
    score = network.load(inputs.score, device)
    shape = score.architecture.image_shape
    features = classifier.load(inputs.classifier)
    test = metrics.Reference.load(inputs.reference)
    seeds = [job.derive_seed(params.seed, dataset, "images", k) for k in range(params.seeds)]
    table: list[tidy.Row] = []
    kept: dict[str, np.ndarray[Any, Any]] = {}
    sampler, calibration = params.about["sampler"], None
    if sampler["method"] in CALIBRATED:
        calibration = rtk.Calibration.load(inputs.calibration)
        sampler = {**sampler, "calibration": calibration}
    for nfe in tqdm(params.nfe, desc=params.method):
        candidate = chosen(inputs.tuned, nfe) if inputs.get("tuned") else {}
        measured, seconds = [], 0.0
        for seed in seeds:
            begun = time.perf_counter()
            result = rtk.sample(
                score,
                shape,
                params.images,
                nfe=nfe,
                seed=seed,
                device=device,
                progress=True,
                **keywords(sampler, candidate, score, nfe),
            )
            seconds += time.perf_counter() - begun
            measured.append(test.measure(metrics.describe(features, result.samples.cpu())))
            if seed == seeds[0]:
                kept[f"nfe_{nfe}"] = pixels(result.samples[: params.kept])
        table += tidy.rows(
            measured[0] if len(seeds) == 1 else over_replicates(measured),
            experiment=params.experiment,
            target=dataset,
            method=params.method,
            settings=json.dumps({**params.about["sampler"], **candidate}),
            seed=seeds[0],
            nfe_asked=nfe,
            nfe=result.nfe,
            segments=len(result.diagnostics.segments),
            calibration_rows=0 if calibration is None else calibration.rows,
            seconds=seconds,
            acceptance=mean_acceptance(result.diagnostics),
        )
    config = dict(params.items())
    job.write(snakemake.output, table, kept, config=config, started=started, device=device)


if __name__ == "__main__":
    main()
