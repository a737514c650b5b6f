"""Train the score network of a data set of images, as a job of the workflow or by hand::

    python -m experiments.images.train_score --dataset mnist --data results/mnist/mnist.npz \
        --weights score.safetensors --history history.parquet

With `--energy` it is an energy network (`experiments.images.preconditioning`). A run that was
interrupted continues when it is started again.
"""

import argparse
import time
from dataclasses import asdict, fields
from pathlib import Path

import torch

from experiments.images import data, network
from experiments.images.train import Training, train
from experiments.workflow import job, results


def run(dataset: str, cache: Path, training: Training, weights: Path, history: Path) -> None:
    """Train on the images in ``cache``, and write the weights and the history of the loss.

    The state of the run is in a file beside the weights until the run is complete.
    """
    started = time.perf_counter()
    state_path = weights.with_suffix(".state.pt")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model, losses = train(data.load(cache, "train").images, training, state_path, device=device)
    last = losses.iloc[-1]
    record = {**asdict(training), "seconds": round(last["seconds"], 1)}
    network.save(model, weights, record)
    frame = losses.rename(columns={"loss": "value"}).assign(
        experiment=dataset,
        target=dataset,
        method="training",
        settings=[f"step={r.step}, sigma={r.sigma}" for r in losses.itertuples()],
        seed=training.seed,
        nfe_asked=0,
        nfe=0,
        metric="denoising_loss",
    )
    results.write(frame, history, config=asdict(training), seed=training.seed, started=started)
    state_path.unlink()


def job_of_the_workflow() -> None:
    """Train for the rule `train_score`."""
    snakemake = job.start()
    run(
        snakemake.wildcards.dataset,
        Path(snakemake.input.data),
        Training(**snakemake.params.training),
        Path(snakemake.output.weights),
        Path(snakemake.output.history),
    )


def command_line() -> None:
    """Train with the paths and settings of the command line."""
    parser = argparse.ArgumentParser(
        description="Train the score network of a data set, or continue a run."
    )
    parser.add_argument("--dataset", required=True, help="name of the data set in the history")
    parser.add_argument("--data", type=Path, required=True, help="the .npz file of the images")
    parser.add_argument("--weights", type=Path, required=True, help="safetensors file to write")
    parser.add_argument("--history", type=Path, required=True, help="Parquet file to write")
    for item in fields(Training):
        name = "--" + item.name.replace("_", "-")
        if isinstance(item.default, bool):
            parser.add_argument(name, action="store_true")
        else:
            parser.add_argument(name, type=type(item.default), default=item.default)
    options = vars(parser.parse_args())
    paths = {name: options.pop(name) for name in ("weights", "history")}
    run(options.pop("dataset"), options.pop("data"), Training(**options), **paths)


if __name__ == "__main__":
    if "snakemake" in globals():
        job_of_the_workflow()
    else:
        command_line()
