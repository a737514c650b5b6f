"""What every job of the workflow does in the same way: start, seeds, its table and its output."""

import hashlib
import os
import sys
from typing import Any

import pandas as pd

from experiments.workflow import results


def start() -> Any:
    """The `snakemake` object of the running script: its input, output, params, wildcards.

    Everything that the process prints from here on goes to the log of the rule: warnings,
    tracebacks, progress. The file descriptors themselves are redirected, so that the messages of
    compiled libraries are kept too. RuntimeError if the script was not started by Snakemake.
    """
    script = sys.modules["__main__"]
    if not hasattr(script, "snakemake"):
        raise RuntimeError("this script is a job of the workflow: ask snakemake for its output")
    log = os.open(script.snakemake.log[0], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(log, stream.fileno())
    os.close(log)
    return script.snakemake


def derive_seed(*parts: int | str) -> int:
    """Seed in [0, 2^63) that depends on all the parts and their order, and on nothing else.

    `derive_seed(seed, "mixtures", target, method, repetition)` gives every run of an experiment a
    stream of its own; it is the head of the SHA-256 digest of the parts, the same on every machine.
    """
    digest = hashlib.sha256("\n".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def write(snakemake: Any, frame: pd.DataFrame, started: float) -> None:
    """Write the table of a check, with the rule's params, and their seed if any, as provenance.

    ``started`` and errors are those of `results.write`.
    """
    config = dict(snakemake.params.items())
    results.write(
        frame,
        snakemake.output.table,
        config=config,
        seed=config.get("seed"),
        started=started,
    )
