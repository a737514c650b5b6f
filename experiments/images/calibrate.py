"""C1: calibrate the score network of a data set, once, for all numbers of score evaluations.

There is a file for each calibrated method, which has its solvers. So the score evaluations that the
file counts are those that this method needs: the pilot's, and those of its own solvers.
"""

import copy

import torch
from tqdm import tqdm

import rtk
from experiments.images import network
from experiments.workflow import job


def main() -> None:
    snakemake = job.start()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    score = network.load(snakemake.input.score, device)
    pilot = rtk.calibrate(score, score.architecture.image_shape, device=device, progress=True)
    for method, path in snakemake.output.items():
        calibration = copy.deepcopy(pilot)
        for nfe in tqdm(snakemake.params.nfe, desc=method):
            calibration.solver(nfe, score, method, device)
        calibration.save(path)


if __name__ == "__main__":
    main()
