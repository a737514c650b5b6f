"""A1: the paper's samplers with the published count, and the step that is best in hindsight.

The published curves count the inner steps of the segments and one score evaluation (NFE) for each
segment, but not the further scores of an energy difference or of a chain's start. Their step sizes
are not given. Here each sampler makes as many inner steps as that count allows, with each of
several step sizes. The best of them is as good as any choice among them could have been.
"""

import json
import time

import torch
from tqdm import tqdm

import rtk
from experiments.mixtures.grid import grid
from experiments.runs import needed_densities
from experiments.workflow import job, tidy
from rtk import metrics, targets


def inner_steps(nfe: int, segments: int) -> int:
    """Inner steps of a segment that the published count takes for ``nfe`` score evaluations."""
    return (nfe - segments) // segments


def main() -> None:
    started = time.perf_counter()
    snakemake = job.start()
    params = snakemake.params
    device = "cuda" if torch.cuda.is_available() else "cpu"
    mixture = targets.mixture(params.target)
    reference = metrics.Reference.of(mixture, size=1, seed=params.seed)
    bins, interval = params.metrics["bins"], tuple(params.metrics["range"])
    cases = [
        (method, settings, nfe, step)
        for method, settings in params.methods.items()
        for nfe in params.nfe
        for step in params.steps
    ]
    table: list[tidy.Row] = []
    for method, settings, nfe, step in tqdm(cases, desc=params.target):
        seed = job.derive_seed(params.seed, "mixture_steps", params.target, method, nfe, step)
        times = grid(nfe=nfe, **settings["grid"])
        steps = inner_steps(nfe, len(times) - 1)
        result = rtk.sample(
            mixture.score,
            mixture.dimension,
            params.chains,
            # Beyond the published count: two scores for each step, and those of starts.
            nfe=3 * nfe,
            seed=seed,
            device=device,
            segments=times,
            inner_steps=steps,
            step_size=step,
            **needed_densities(mixture, settings["sampler"], mixture.score),
            **settings["sampler"],
        )
        judged = {
            "halved_marginal_accuracy": metrics.halved_marginal_accuracy(
                result.samples, reference, bins, interval
            ),
            "mode_weight_tv": metrics.mode_weight_tv(result.samples, reference),
        }
        table += tidy.rows(
            judged,
            experiment="mixture_steps",
            target=params.target,
            method=method,
            settings=json.dumps(settings),
            seed=seed,
            step_size=step,
            inner_steps=steps,
            nfe_asked=nfe,
            nfe=result.nfe,
        )
    config = dict(params.items())
    job.write(snakemake.output, table, config=config, started=started, device=device)


if __name__ == "__main__":
    main()
