"""`make benchmark`: time all variants side by side, and write `measured.csv`.

Timings belong to a machine and an hour, so they are measured apart from the workflow and the file
is kept. Each variant has a process of its own on each problem, and the variants take turns, round
after round, so that a machine that does other work disturbs all alike.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.benchmark.problem import Problem
from experiments.benchmark.processes import started
from experiments.benchmark.table import COLUMNS, COMPONENTS, DIMENSIONS, MEASURED, SIZES
from experiments.benchmark.variants import ONE_THREAD, RIVALS_PYTHON, ROOT, THREADED, VARIANTS

ROUNDS = 3
STEPS = 20
CHAIN_STEPS = {10: 500_000, 100: 200_000}
"""Chain-steps of one measurement, at least, by dimension."""
LAW_CHAINS, LAW_STEPS = 4000, 100
GROWTH = [
    *((6, dimension, STEPS) for dimension in (10, 100, 300)),
    (160, 10, STEPS),
    *((6, 10, steps) for steps in (10, 160)),
]
"""Components, dimension and steps of the runs of our samplers alone, with `CHAINS` chains."""
CHAINS = 10_000
MEMORY_STEPS = (50, 500)

Row = dict[str, object]


def of(part: str, variant: str, problem: Problem, n: int, steps: int, **others: object) -> Row:
    """The columns that tell one measurement from the others."""
    where = {"components": problem.components, "dimension": problem.dimension}
    columns = {"part": part, "variant": variant, **where, "n": n, "steps": steps, "copies": 1}
    return {**columns, "round": 0, "load": os.getloadavg()[0], **others}


def metrics(row: Row, answer: dict[str, float]) -> Iterator[Row]:
    """One row for each number of an answer."""
    for metric, value in answer.items():
        yield {**row, "metric": metric, "value": value}


def chains(cache: str) -> Iterator[Row]:
    """All variants on all problems at all numbers of chains, then the laws of their samples."""
    for components, dimension in product(COMPONENTS, DIMENSIONS):
        problem = Problem(components, dimension)
        with started(VARIANTS, problem, cache) as processes:
            for n in SIZES[dimension]:
                for name, process in processes:
                    row = of("chains", name, problem, n, STEPS)
                    yield from metrics(row, process.ask("first", n, STEPS))
                repeats = max(1, CHAIN_STEPS[dimension] // (n * STEPS))
                for turn, (name, process) in product(range(ROUNDS), processes):
                    row = of("chains", name, problem, n, STEPS, round=turn)
                    yield from metrics(row, process.ask("measure", n, STEPS, repeats))
            for name, process in processes:
                row = of("law", name, problem, LAW_CHAINS, LAW_STEPS)
                found = process.ask("law", LAW_CHAINS, LAW_STEPS)
                # Chains without a Metropolis test have no acceptance.
                yield from metrics(row, {k: v for k, v in found.items() if v == v})


def growth(cache: str) -> Iterator[Row]:
    """Our samplers alone: growth with the dimension, the components and the steps."""
    ours = {name: VARIANTS[name] for name in ("rtk-mala", "rtk-uld")}
    for components, dimension, steps in GROWTH:
        problem = Problem(components, dimension)
        with started(ours, problem, cache) as processes:
            for _, process in processes:
                process.ask("first", CHAINS, steps)
            for turn, (name, process) in product(range(ROUNDS), processes):
                row = of("growth", name, problem, CHAINS, steps, round=turn)
                yield from metrics(row, process.ask("measure", CHAINS, steps))


def memory(cache: str) -> Iterator[Row]:
    """Peak memory of our samplers after few and after many steps, each in a fresh process."""
    problem = Problem(COMPONENTS[0], DIMENSIONS[0])
    for name, steps in product(("rtk-mala", "rtk-uld"), MEMORY_STEPS):
        with started({name: VARIANTS[name]}, problem, cache) as ((_, process),):
            process.ask("first", CHAINS, steps)
            row = of("memory", name, problem, CHAINS, steps)
            yield from metrics(row, process.ask("peak", CHAINS, steps))


def threads(cache: str) -> Iterator[Row]:
    """Settings of threads, alone and two runs at once; the time is the mean of the runs."""
    problem = Problem(COMPONENTS[0], DIMENSIONS[0])
    repeats = max(1, CHAIN_STEPS[DIMENSIONS[0]] // (CHAINS * STEPS))
    for (name, variant), copies in product(THREADED.items(), (1, 2)):
        with started([(name, variant)] * copies, problem, cache, bound=False) as processes:
            for _, process in processes:
                process.ask("first", CHAINS, STEPS)
            for turn in range(ROUNDS):
                for _, process in processes:
                    process.send("measure", CHAINS, STEPS, repeats)
                answers = [process.receive() for _, process in processes]
                row = of("threads", name, problem, CHAINS, STEPS, round=turn, copies=copies)
                for metric in answers[0]:
                    mean = sum(answer[metric] for answer in answers) / copies
                    yield {**row, "metric": metric, "value": mean}


def script(name: str, cache: str) -> dict[str, Any]:
    """What a script of the benchmark prints, which runs on one thread."""
    run = subprocess.run(
        [sys.executable, "-m", f"experiments.benchmark.{name}"],
        cwd=ROOT,
        env=os.environ | ONE_THREAD | {"PYTHONPATH": str(ROOT), "TORCHINDUCTOR_CACHE_DIR": cache},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        encoding="utf-8",
    )
    answer: dict[str, Any] = json.loads(run.stdout)
    return answer


def overhead(cache: str) -> Iterator[Row]:
    """What a sampler adds to a network."""
    for method, values in script("overhead", cache).items():
        for turn, value in enumerate(values):
            row = of("overhead", method, Problem(0, 784), 32, 20, round=turn)
            yield from metrics(row, {"ratio": value})


def profile(cache: str) -> Iterator[Row]:
    """Where the time of a step of RTK-MALA goes; the metric is the name of the piece."""
    for form, pieces in script("profile", cache).items():
        for piece, values in pieces.items():
            for turn, value in enumerate(values):
                row = of("profile", form, Problem(6, 10), 6553, 1, round=turn)
                yield from metrics(row, {piece: value})


def processor() -> str:
    """The model name of the CPU."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def libraries() -> str:
    """Versions of what was compared."""
    code = (
        "from importlib.metadata import version\n"
        "print(*(f'{k} {version(k)}' for k in ('jax', 'blackjax', 'diffrax')), sep=', ')"
    )
    rivals = subprocess.run(
        [RIVALS_PYTHON, "-c", code], stdout=subprocess.PIPE, check=True, text=True, encoding="utf-8"
    )
    return f"torch {version('torch').split('+')[0]}, {rivals.stdout.strip()}"


def main() -> None:
    """Write the table, again after every part, so that little is lost if a part fails."""
    machine = {"cpu": processor(), "cores": os.cpu_count(), "libraries": libraries()}
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as cache:
        for part in (chains, growth, memory, threads, overhead, profile):
            for row in part(cache):
                rows.append(row | machine)
                print(*row.values(), flush=True)
            frame = pd.DataFrame(rows)[list(COLUMNS)]
            frame.to_csv(MEASURED, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
