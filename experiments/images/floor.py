"""C1's floor: the metrics of training images, in sets that are as large as those of a sampler.

Training images are as good as samples can be. But the classifier was fitted to them, and not to the
test images, and this difference is part of the floor.
"""

import time

import torch

from experiments.images import classifier, data, metrics
from experiments.runs import over_replicates
from experiments.workflow import job, tidy

REPLICATES = 4
"""Disjoint sets of training images that are measured."""


def main() -> None:
    started = time.perf_counter()
    snakemake = job.start()
    params, inputs, dataset = snakemake.params, snakemake.input, snakemake.params.dataset
    features = classifier.load(inputs.classifier)
    test = metrics.Reference.load(inputs.reference)
    _, images = metrics.apart(data.load(inputs.data, "train").images)
    if REPLICATES * params.images > len(images):
        raise ValueError(
            f"the floor needs {REPLICATES} sets of {params.images} training images, but there are "
            f"{len(images)}: lower the number of images of {dataset} in the configuration"
        )
    seed = job.derive_seed(params.seed, dataset, "exact")
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    measured = [
        test.measure(metrics.describe(features, images[chosen]))
        for chosen in order[: REPLICATES * params.images].chunk(REPLICATES)
    ]
    table = tidy.rows(
        over_replicates(measured),
        experiment=params.experiment,
        target=dataset,
        method="exact",
        settings=f'{{"replicates": {REPLICATES}}}',
        seed=seed,
        nfe_asked=0,
        nfe=0,
    )
    job.write(snakemake.output, table, config=dict(params.items()), started=started)


if __name__ == "__main__":
    main()
