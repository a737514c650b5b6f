"""Train the classifier of the image metrics for the rule `train_classifier`, and save it."""

import time
from pathlib import Path

import torch

from experiments.images import classifier, data
from experiments.workflow import job


def main() -> None:
    started = time.perf_counter()
    snakemake = job.start()
    cache, training = snakemake.input.data, snakemake.params.training
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = classifier.train(data.load(cache, "train"), **training, device=device)
    record = {
        **training,
        "test_accuracy": classifier.accuracy(model, data.load(cache, "test")),
        "seconds": round(time.perf_counter() - started, 1),
    }
    classifier.save(model, Path(snakemake.output.weights), snakemake.params.title, record)


if __name__ == "__main__":
    main()
