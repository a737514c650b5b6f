"""Processes of the benchmark's variants, which are asked in turn."""

import json
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from experiments.benchmark.problem import Problem
from experiments.benchmark.variants import ONE_THREAD, ROOT, Variant


class Process:
    """A process of one variant on one problem.

    Args:
        name, variant: of `experiments.benchmark.variants`.
        problem: the kernel.
        bound: whether a variant that uses one core is bound to the last one that there is.
        cache: folder where torch's compiler keeps its code.
    """

    def __init__(
        self, name: str, variant: Variant, problem: Problem, cache: str, bound: bool = True
    ) -> None:
        self.name, core = name, "any"
        if bound and variant.one_core and hasattr(os, "sched_getaffinity"):
            core = str(max(os.sched_getaffinity(0)))
        arguments = (name, str(problem.components), str(problem.dimension), core)
        inherited = {key: value for key, value in os.environ.items() if key not in ONE_THREAD}
        threads = ONE_THREAD if variant.one_thread else {}
        self._process = subprocess.Popen(
            [variant.python, "-m", "experiments.benchmark.worker", *arguments],
            cwd=ROOT,
            env=inherited | threads | {"PYTHONPATH": str(ROOT), "TORCHINDUCTOR_CACHE_DIR": cache},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def send(self, what: str, n: int, steps: int, repeats: int = 1) -> None:
        """Ask a question of `experiments.benchmark.worker` and do not wait."""
        assert self._process.stdin is not None
        request = {"what": what, "n": n, "steps": steps, "repeats": repeats}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def receive(self) -> dict[str, float]:
        """The answer, numbers by name.

        Raises:
            RuntimeError: if the process has ended without one.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process of {self.name} ended with {self._process.wait()}")
        answer: dict[str, float] = json.loads(line)
        return answer

    def ask(self, what: str, n: int, steps: int, repeats: int = 1) -> dict[str, float]:
        """Ask, and wait for the answer."""
        self.send(what, n, steps, repeats)
        return self.receive()

    def end(self) -> None:
        """Close the input, at which the process ends."""
        self._process.communicate()


@contextmanager
def started(
    variants: Mapping[str, Variant] | Iterable[tuple[str, Variant]],
    problem: Problem,
    cache: str,
    bound: bool = True,
) -> Iterator[list[tuple[str, Process]]]:
    """Processes of some variants with their names, all at once; they end with the block."""
    pairs = variants.items() if isinstance(variants, Mapping) else variants
    processes = [(name, Process(name, each, problem, cache, bound)) for name, each in pairs]
    try:
        yield processes
    finally:
        for _, process in processes:
            process.end()
