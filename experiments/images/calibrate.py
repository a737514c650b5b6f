"""C1: calibrate the score network of a data set, once for all numbers of score evaluations."""

import torch

import rtk
from experiments.images import network
from experiments.workflow import job


def main() -> None:
    snakemake = job.start()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    score = network.load(snakemake.input.score, device)
    calibration = rtk.calibrate(score, score.architecture.image_shape, device=device)
    calibration.save(snakemake.output.calibration)


if __name__ == "__main__":
    main()
