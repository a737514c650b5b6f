"""C4: how far samplers end from the solution of the probability flow that begins at the same noise.

A sampler without noise approximates the flow ``dx/dt = -x - score(x, t)``, which takes noise to an
image. The flow is solved accurately with the learned score, from draws of ``N(0, I)`` at the OU
time `T_START`, and its states are recorded where the grids of the samplers begin. Every sampler
begins there, so that all have the same images to reach. What is measured is an error of the sampler
alone: neither the network's error nor the choice of where a grid begins is part of it.

The distance of an image from the flow's is the root mean square over its numbers, in units of the
pixels, whose range is [-1, 1]. That of the method "exact" is the distance between the solution and
that with half as many steps.
"""

import json
import time
from collections.abc import Sequence

import torch
from torch import Tensor
from tqdm import tqdm

import rtk
from experiments.images import network
from experiments.images.data import pixels
from experiments.images.grid import keywords
from experiments.workflow import job, tidy
from rtk import segments
from rtk.calibration.calibration import METHODS as CALIBRATED
from rtk.metrics import Estimate
from rtk.score import Score
from rtk.segments import T_START


def solve(score: Score, noise: Tensor, stops: Sequence[float], steps: int) -> dict[float, Tensor]:
    """The states of the probability flow at some times, by Heun's method.

    Args:
        score: the score.
        noise: states at the time `T_START`, (n, *shape).
        stops: times below `T_START`, at which the states are wanted.
        steps: number of steps, uniform in log-SNR, from `T_START` to 1e-4, from where one score
            denoises to 0. A stop cuts a step in two.

    Returns:
        The states by time, with `T_START` and 0 among the times.
    """
    times = sorted({*segments.log_snr(steps), *stops}, reverse=True)
    states = {T_START: noise}

    def remember(x: Tensor, t: float, chains: range) -> None:
        if t in stops:
            states[t] = x

    result = rtk.sample(
        score,
        noise.shape[1:],
        len(noise),
        "heun",
        nfe=2 * len(times),
        x_init=noise,
        segments=times,
        chunk=len(noise),
        callback=remember,
        device=noise.device,
        dtype=noise.dtype,
        progress=True,
    )
    return {**states, 0.0: result.samples}


def distance(images: Tensor, others: Tensor) -> Estimate:
    """Mean over pairs of images of their root mean square difference, with its standard error."""
    return Estimate.of_replicates((images - others).square().flatten(1).mean(dim=1).sqrt().tolist())


def main() -> None:
    started = time.perf_counter()
    snakemake = job.start()
    params, dataset = snakemake.params, snakemake.wildcards.dataset
    device = "cuda" if torch.cuda.is_available() else "cpu"
    score = network.load(snakemake.input.score, device)
    seed = job.derive_seed(params.seed, dataset, "flow")
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(params.images, *score.architecture.image_shape, generator=generator)
    noise = noise.to(device)
    t_start = params.grid["t_start"]
    flow = solve(score, noise, [t_start], params.steps)
    coarse = solve(score, noise, [t_start], params.steps // 2)
    shared = {"experiment": "flow_distance", "target": dataset, "seed": seed}
    found = {"flow_distance": distance(coarse[0.0], flow[0.0])}
    settings = json.dumps({"steps": params.steps})
    table = tidy.rows(found, **shared, method="exact", settings=settings, nfe_asked=0, nfe=0)
    kept = {"exact": pixels(flow[0.0])}
    for name, sampler in params.samplers.items():
        grid, begin = params.grid, t_start
        if sampler["method"] in CALIBRATED:
            calibration = rtk.Calibration.load(snakemake.input.calibration)
            sampler, grid, begin = {**sampler, "calibration": calibration}, {}, T_START
        for nfe in tqdm(params.nfe, desc=name):
            result = rtk.sample(
                score,
                noise.shape[1:],
                len(noise),
                nfe=nfe,
                x_init=flow[begin],
                device=device,
                **keywords(sampler, grid, score, nfe),
            )
            table += tidy.rows(
                {"flow_distance": distance(result.samples, flow[0.0])},
                **shared,
                method=name,
                settings=json.dumps({**params.samplers[name], **grid}),
                nfe_asked=nfe,
                nfe=result.nfe,
            )
            kept[f"{name}_{nfe}"] = pixels(result.samples)
    config = dict(params.items())
    job.write(snakemake.output, table, kept, config=config, started=started, device=device)


if __name__ == "__main__":
    main()
