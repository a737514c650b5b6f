"""One variant on one problem, in a process of its own: it reads requests and writes answers.

Both are lines of JSON on the standard streams. The process compiles once, and can then be timed in
turn with others. The first argument is the name of the variant, the next two are the numbers of
components and of dimensions, and the last is the core to which it is bound, or "any".
"""

import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

from experiments.benchmark.problem import Problem
from experiments.benchmark.variants import THREADED, VARIANTS

Run = Callable[[], dict[str, Any]]


def cpu_seconds() -> float:
    """Processor time of this process and of children that have ended, in all threads."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def measure(run: Run, chain_steps: int, repeats: int) -> dict[str, float]:
    """Processor and wall time of one chain-step in nanoseconds, over some runs."""
    cpu, wall = cpu_seconds(), time.perf_counter()
    for _ in range(repeats):
        run()
    scale = 1e9 / (chain_steps * repeats)
    return {
        "cpu_ns": (cpu_seconds() - cpu) * scale,
        "wall_ns": (time.perf_counter() - wall) * scale,
    }


def first(run: Run) -> dict[str, float]:
    """Wall time in seconds of the first run, which compiles what is to be compiled."""
    wall = time.perf_counter()
    run()
    return {"first_seconds": time.perf_counter() - wall}


def law(run: Run, problem: Problem, n: int) -> dict[str, float]:
    """Errors of the samples against the exact kernel, and the acceptance."""
    answer = run()
    return problem.errors(answer["z"], problem.states(n)) | {"acceptance": answer["acceptance"]}


def peak_mb() -> dict[str, float]:
    """The largest resident size of the process so far. Linux counts in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"peak_mb": peak / (2**20 if sys.platform == "darwin" else 2**10)}


def serve(name: str, problem: Problem) -> None:
    """Answer every request until the input ends."""
    variant = (VARIANTS | THREADED)[name]
    module = importlib.import_module(f"experiments.benchmark.{variant.module}")
    make = module.sampler(problem, **variant.options)
    runs: dict[tuple[int, int], Run] = {}
    for line in sys.stdin:
        request = json.loads(line)
        n, steps = request["n"], request["steps"]
        if (n, steps) not in runs:
            runs[n, steps] = make(n, steps)
        run = runs[n, steps]
        match request["what"]:
            case "first":
                answer = first(run)
            case "measure":
                answer = measure(run, n * steps, request["repeats"])
            case "law":
                answer = law(run, problem, n)
            case "peak":
                answer = peak_mb()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    if sys.argv[4] != "any" and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(sys.argv[4])})
    serve(sys.argv[1], Problem(int(sys.argv[2]), int(sys.argv[3])))
