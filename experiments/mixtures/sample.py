"""A1: one sampler on one of the paper's mixtures, at several numbers of score evaluations.

Scores are exact. Each number of score evaluations gives one set of chains, which `judge` compares
with the mixture. The first two coordinates of some samples are written for the figures.
"""

import json
import time
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

import rtk
from experiments.mixtures.grid import grid
from experiments.mixtures.judge import judge
from experiments.runs import PICTURE, mean_acceptance, needed_densities, seed_name
from experiments.workflow import job, tidy
from rtk import metrics, targets

RUNS = 5
"""Runs into which the chains of one number of score evaluations are cut."""


def accuracy_by_run(
    samples: Tensor, reference: metrics.Reference, bins: int, interval: tuple[float, float]
) -> dict[str, metrics.Estimate]:
    """The published metric for `RUNS` disjoint sets of the chains.

    Chains are independent, so each set is a run of its own.
    """
    return {
        f"accuracy_of_run_{k}": metrics.halved_marginal_accuracy(part, reference, bins, interval)
        for k, part in enumerate(samples.chunk(RUNS), 1)
    }


def main() -> None:
    started = time.perf_counter()
    snakemake = job.start()
    params = snakemake.params
    device = "cuda" if torch.cuda.is_available() else "cpu"
    mixture = targets.mixture(params.target)
    reference = metrics.Reference.of(mixture, size=params.chains, seed=params.seed)
    table: list[tidy.Row] = []
    kept: dict[str, np.ndarray[Any, Any]] = {}
    for nfe in tqdm(params.nfe, desc=f"{params.target} {params.method}"):
        seed = job.derive_seed(
            params.seed, "mixtures", params.target, seed_name(params.method), nfe
        )
        begun = time.perf_counter()
        result = rtk.sample(
            mixture.score,
            mixture.dimension,
            params.chains,
            nfe=nfe,
            seed=seed,
            **needed_densities(mixture, params.sampler, mixture.score),
            device=device,
            segments=grid(nfe=nfe, **params.grid),
            **params.sampler,
        )
        bins, interval = params.metrics["bins"], tuple(params.metrics["range"])
        table += tidy.rows(
            judge(result.samples, reference, params.metrics)
            | accuracy_by_run(result.samples, reference, bins, interval),
            experiment="mixtures",
            target=params.target,
            method=params.method,
            settings=json.dumps({"grid": params.grid, "sampler": params.sampler}),
            seed=seed,
            nfe_asked=nfe,
            nfe=result.nfe,
            seconds=time.perf_counter() - begun,
            acceptance=mean_acceptance(result.diagnostics),
        )
        kept[f"nfe_{nfe}"] = result.samples[: params.kept, PICTURE].cpu().numpy()
    config = dict(params.items())
    job.write(snakemake.output, table, kept, config=config, started=started, device=device)


if __name__ == "__main__":
    main()
