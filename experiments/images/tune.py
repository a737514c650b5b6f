"""C1: tune one method on training images of MNIST that no score network was trained on.

Every candidate makes the same number of images from the same noise, with a network that is smaller
than the one of the results. It is judged by their Fréchet distance to the held-out images. For each
number of score evaluations the candidate with the smallest distance is chosen; the file has all
distances. The same settings are used on all data sets.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

import rtk
from experiments.comparison import methods
from experiments.images import classifier, data, metrics, network
from experiments.images.classifier import Classifier
from experiments.images.grid import Candidate, keywords
from experiments.images.train import Training
from experiments.workflow import job, results
from rtk.score import Score

Moments = tuple[metrics.Array, metrics.Array]


def distance(
    sampler: Mapping[str, Any],
    candidate: Candidate,
    score: Score,
    features: Classifier,
    held_out: Moments,
    *,
    nfe: int,
    **run: Any,
) -> float:
    """Fréchet distance of a candidate's images to the held-out images, in their `moments`.

    ``run`` has the other arguments of `rtk.sample`.
    """
    method = keywords(sampler, candidate, score, nfe)
    made = rtk.sample(score, nfe=nfe, **run, **method).samples
    described = metrics.describe(features, made.cpu())
    return metrics.frechet_distance(metrics.moments(described.features), held_out)


def main() -> None:
    started = time.perf_counter()
    snakemake = job.start()
    params, inputs = snakemake.params, snakemake.input
    methods.check_budget(params.name, params.method, params.budget)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    score, features = network.load(inputs.score, device), classifier.load(inputs.classifier)
    images = data.load(inputs.data, "train").images[-Training.held_out :]
    held_out = metrics.moments(metrics.describe(features, images).features)
    tried: dict[int, list[dict[str, Any]]] = {}
    for nfe in params.nfe:
        run = {
            "shape": score.architecture.image_shape,
            "n": params.images,
            "nfe": nfe,
            "seed": job.derive_seed(params.seed, "tune images", nfe),
            "device": device,
        }
        tried[nfe] = [
            {
                "candidate": candidate,
                "distance": distance(
                    params.method["sampler"], candidate, score, features, held_out, **run
                ),
            }
            for candidate in tqdm(methods.candidates(params.method), desc=f"NFE {nfe}")
        ]
    record = {
        "method": params.name,
        "sampler": params.method["sampler"],
        "seed": params.seed,
        "images": params.images,
        "chosen": {
            nfe: min(records, key=lambda record: record["distance"])["candidate"]
            for nfe, records in tried.items()
        },
        "tried": tried,
        "seconds": round(time.perf_counter() - started, 1),
    }
    with results.atomic(snakemake.output.tuned) as unfinished:
        Path(unfinished).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
