"""The samplers of this project in the benchmark."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import rtk
from experiments.benchmark import problem as problems
from experiments.benchmark.problem import Problem


def mixture(problem: Problem) -> rtk.GaussianMixture:
    """The data law of the problem; it computes in float64."""
    weights = np.full(problem.components, 1.0 / problem.components)
    return rtk.GaussianMixture(weights, problem.means, problems.VARIANCE)


def sampler(
    problem: Problem, method: str, workers: int = 1, compile: bool = False, threads: int | None = 1
) -> Callable[[int, int], Callable[[], dict[str, Any]]]:
    """``make(n, steps)`` returns a function that runs n chains of that many inner steps once.

    Args:
        problem: the kernel.
        method: "rtk-mala", with exact energies from one pass, or "rtk-uld".
        workers, compile: as in `rtk.sample`.
        threads: of torch; None leaves torch's default.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    target = mixture(problem)
    adjusted = method == "rtk-mala"

    def make(n: int, steps: int) -> Callable[[], dict[str, Any]]:
        x = torch.from_numpy(problem.states(n)).float()

        def run() -> dict[str, Any]:
            result = rtk.sample(
                target.score,
                problem.dimension,
                n,
                method,
                # An adjusted chain has one score more than steps.
                steps + adjusted,
                log_prob=target.log_prob if adjusted else None,
                score_and_log_prob=target.score_and_log_prob if adjusted else None,
                segments=[problems.T_HI, problems.T_LO],
                denoise=False,
                x_init=x,
                workers=workers,
                compile=compile,
                data_variance=problems.VARIANCE,
                warm_start="x",
            )
            return _answer(result)

        return run

    return make


def _answer(result: rtk.Result) -> dict[str, Any]:
    acceptance = result.diagnostics.segments[0].acceptance
    z = result.samples.double().numpy()
    return {"z": z, "acceptance": float("nan") if acceptance is None else float(acceptance)}
