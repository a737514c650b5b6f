"""Where the time of one eager or compiled step of RTK-MALA goes, piece by piece.

The pieces are those of `rtk.mcmc.mala` on one chunk of chains, each timed by itself on one thread.
The script prints one line of JSON: for each form and piece a list over the rounds of nanoseconds of
processor time per chain.
"""

import json
import time
from collections.abc import Callable

import torch

from experiments.benchmark import problem as problems
from experiments.benchmark.ours import mixture
from experiments.benchmark.problem import Problem
from rtk.compiled import compiling
from rtk.kernel import ReverseTransition
from rtk.mcmc.mala import proposal, proposal_ratio
from rtk.noise import ChainNoise
from rtk.sampler import default_chunk

PROBLEM = Problem(6, 10)
CALLS, ROUNDS = 100, 3


def pieces(problem: Problem) -> tuple[int, dict[str, Callable[[], object]]]:
    """The number of chains, and a call for each piece of a step."""
    n = default_chunk((problem.dimension,), torch.device("cpu"))
    target, tau = mixture(problem), problem.mala_step
    noise = ChainNoise(0, n, (problem.dimension,))
    x = torch.from_numpy(problem.states(n)).float()
    kernel = ReverseTransition(
        target.score,
        x,
        problems.T_HI,
        problems.T_LO,
        target.log_prob,
        target.score_and_log_prob,
    )
    here, there = kernel.at(x), kernel.at(x + 0.1)
    normal, chosen = noise.normal(), noise.uniform() < 0.5
    return n, {
        "normals": noise.normal,
        "uniforms": noise.uniform,
        "score and density": lambda: target.score_and_log_prob(x, problems.T_LO),
        "tilt": lambda: (kernel.tilt_gradient(x), kernel.tilt_difference(x, there.z)),
        "proposal": lambda: x + proposal(here.gradient, normal, tau, (2.0 * tau) ** 0.5),
        "proposal ratio": lambda: proposal_ratio(here, there, tau),
        "choice": lambda: here.replace_where(chosen, there),
    }


def profile() -> dict[str, dict[str, list[float]]]:
    """Nanoseconds per chain of each piece, eager and compiled, for each round."""
    torch.set_num_threads(1)
    found: dict[str, dict[str, list[float]]] = {}
    for form, compiled in (("rtk-mala", False), ("rtk-mala-compile", True)):
        with torch.no_grad(), compiling(compiled):
            n, calls = pieces(PROBLEM)
            found[form] = {
                name: [nanoseconds(call, n) for _ in range(ROUNDS)] for name, call in calls.items()
            }
    return found


def nanoseconds(call: Callable[[], object], n: int) -> float:
    """Processor time of a call per chain, after calls that compile."""
    for _ in range(8):
        call()
    start = time.process_time()
    for _ in range(CALLS):
        call()
    return (time.process_time() - start) * 1e9 / (CALLS * n)


if __name__ == "__main__":
    print(json.dumps(profile()))
