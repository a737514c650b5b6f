"""C1's floor: what the metrics give for training images, as many as a sampler draws.

Training images are as good as samples can be, but the classifier has been fitted to them and not
to the test images, which is part of the floor.
"""

import time

import torch

from experiments.mnist import classifier, data, metrics
from experiments.mnist.reference import reference
from experiments.workflow import job, tidy
from rtk.metrics import Estimate

REPLICATES = 4


def main() -> None:
    started = time.perf_counter()
    snakemake = job.start()
    params, inputs = snakemake.params, snakemake.input
    features = classifier.load(inputs.classifier)
    test = reference(features, inputs.data)
    images = data.load(inputs.data, "train").images
    if REPLICATES * params.images > len(images):
        raise ValueError(f"{len(images)} training images are too few for {params.images} a run")
    seed = job.derive_seed(params.seed, "mnist", "exact")
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    runs = [
        test.measure(metrics.describe(features, images[chosen]))
        for chosen in order[: REPLICATES * params.images].chunk(REPLICATES)
    ]
    floor = {name: Estimate.of_replicates([run[name].value for run in runs]) for name in runs[0]}
    table = tidy.rows(
        floor,
        experiment="mnist",
        target="mnist",
        method="exact",
        settings=f'{{"replicates": {REPLICATES}}}',
        seed=seed,
        nfe_asked=0,
        nfe=0,
    )
    job.write(snakemake.output, table, config=dict(params.items()), started=started)


if __name__ == "__main__":
    main()
