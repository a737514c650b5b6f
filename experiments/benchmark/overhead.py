"""What a sampler adds to a network: time of `rtk.sample` over that of the bare network calls.

The network is the score network `mnist_medium`, on one thread. The script prints one line of JSON
with the ratios of processor times, a list over the rounds for each method.
"""

import json
import time
from collections.abc import Callable

import torch

import rtk
from experiments.benchmark.variants import ROOT
from experiments.images import network

WEIGHTS = ROOT / "experiments" / "images" / "checkpoint" / "mnist_medium" / "score.safetensors"
METHODS = ("ddpm", "rtk-uld", "rtk-mala")
IMAGES, NFE, ROUNDS = 32, 20, 5


def seconds(run: Callable[[], object]) -> float:
    """Processor time of one run."""
    start = time.process_time()
    run()
    return time.process_time() - start


def ratios() -> dict[str, list[float]]:
    """Time of each sampler over that of as many bare calls, which stand before and after it."""
    torch.set_num_threads(1)
    score = network.load(WEIGHTS)
    shape = score.architecture.image_shape
    x = torch.randn(IMAGES, *shape, generator=torch.Generator().manual_seed(0))

    def bare() -> None:
        with torch.no_grad():
            for _ in range(NFE):
                score(x, 0.5)

    found: dict[str, list[float]] = {method: [] for method in METHODS}
    for _ in range(ROUNDS):
        for method, values in found.items():
            before = seconds(bare)
            start = time.process_time()
            result = rtk.sample(score, shape, IMAGES, method, NFE)
            inside = time.process_time() - start
            calls = 0.5 * (before + seconds(bare)) * result.nfe / NFE
            values.append(inside / calls)
    return found


if __name__ == "__main__":
    print(json.dumps(ratios()))
