"""A1's floor: the metrics of exact samples, in sets that are as large as those of a sampler."""

import time

import numpy as np

from experiments.mixtures.judge import judge
from experiments.runs import PICTURE, over_replicates
from experiments.workflow import job, tidy
from rtk import metrics, targets

REPLICATES = 4
"""Sets of exact samples that are judged."""


def main() -> None:
    started = time.perf_counter()
    snakemake = job.start()
    params = snakemake.params
    reference = metrics.Reference.of(
        targets.mixture(params.target), size=params.chains, seed=params.seed
    )
    seed = job.derive_seed(params.seed, "mixtures", params.target, "exact")
    generator = np.random.default_rng(seed)
    judged = []
    for _ in range(REPLICATES):
        sample = reference.draw(params.chains, generator)
        judged.append(judge(sample, reference, params.metrics))
    table = tidy.rows(
        over_replicates(judged),
        experiment="mixtures",
        target=params.target,
        method="exact",
        settings=f'{{"replicates": {REPLICATES}}}',
        seed=seed,
        nfe_asked=0,
        nfe=0,
    )
    kept = {"exact": sample[: params.kept, PICTURE].astype(np.float32)}
    job.write(snakemake.output, table, kept, config=dict(params.items()), started=started)


if __name__ == "__main__":
    main()
