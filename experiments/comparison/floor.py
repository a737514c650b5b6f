"""The floor of the comparison: the errors of as many exact samples as a method has chains."""

import time

import numpy as np

from experiments.comparison import judge
from experiments.comparison.targets import draw
from experiments.runs import PICTURE
from experiments.workflow import job, tidy
from rtk import targets
from rtk.metrics import Estimate

REPLICATES = 8
"""Independent sets of exact samples that are judged."""


def main() -> None:
    started = time.perf_counter()
    snakemake = job.start()
    params = snakemake.params
    table: list[tidy.Row] = []
    for name, n in params.targets.items():
        seed = job.derive_seed(params.seed, params.experiment, name, "exact")
        judged = [*judge.floor(targets.target(name), n, REPLICATES, seed)]
        table += tidy.rows(
            {
                metric: Estimate.of_replicates([one[metric] for one in judged])
                for metric in judged[0]
            },
            experiment=params.experiment,
            target=name,
            method="exact",
            settings=f'{{"replicates": {REPLICATES}}}',
            seed=seed,
            nfe_asked=0,
            nfe=0,
            batch=0,
            error="none",
            size=0.0,
            nonfinite=0,
            seconds=0.0,
        )
    kept = None
    if "sample" in dict(snakemake.output.items()):
        seed = job.derive_seed(params.seed, params.experiment, params.pictured, "picture")
        picture = draw(targets.target(params.pictured), params.kept, seed)
        kept = {"exact": picture[:, PICTURE].astype(np.float32)}
    job.write(snakemake.output, table, kept, config=dict(params.items()), started=started)


if __name__ == "__main__":
    main()
