"""C1's reference: the test images of a data set, described once for all samplers."""

import time

from experiments.images import classifier, data, metrics
from experiments.workflow import job, results


def main() -> None:
    started = time.perf_counter()
    snakemake = job.start()
    features = classifier.load(snakemake.input.classifier)
    test, train = (data.load(snakemake.input.data, split) for split in ("test", "train"))
    some, _ = metrics.apart(train.images)
    reference = metrics.Reference.of(
        metrics.describe(features, test.images),
        test.labels.numpy(),
        metrics.describe(features, some).features,
    )
    results.write_arrays(
        vars(reference),
        snakemake.output.reference,
        config=dict(snakemake.wildcards.items()),
        seed=None,
        started=started,
    )


if __name__ == "__main__":
    main()
