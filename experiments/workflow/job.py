"""What every job of the workflow does in the same way: start, seeds, its table and its output."""

import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from experiments.workflow import results

Settings = TypeVar("Settings")

DEFAULTS = {"seed": 0, "nfe_asked": 0, "nfe": 0, "standard_error": 0.0}
"""Columns of a study's rows that need not be given: those of a computation without any sampling."""


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


def study(
    rows: Callable[[Settings, int], Iterable[Mapping[str, Any]]], settings: Callable[..., Settings]
) -> None:
    """Run a study of the theory as the job of the rule `study`, and write its table.

    Args:
        rows: what the study computes from its settings and the seed of the workflow: one mapping
            per row of the table. The column ``experiment`` is the name of the study, and the
            columns of `DEFAULTS` have their values there unless a row has its own.
        settings: makes the settings from the params of the rule and from the paths of its input
            files, except those of the code. Params and input files are given by keyword.

    Raises:
        RuntimeError: if the script was not started by Snakemake.
        ValueError: if the rows lack a column of `results.COLUMNS`, or if there are none.
    """
    started = time.perf_counter()
    snakemake = start()
    config, seed = snakemake.params.settings, snakemake.params.seed
    files = {name: path for name, path in snakemake.input.items() if name != "code"}
    defaults = {"experiment": snakemake.wildcards.study, **DEFAULTS}
    table = [{**defaults, **row} for row in rows(settings(**config, **files), seed)]
    write(snakemake.output, table, config={**config, "seed": seed}, started=started)


def write(
    output: Any,
    rows: Iterable[Mapping[str, Any]],
    arrays: Mapping[str, np.ndarray[Any, Any]] | None = None,
    *,
    config: Mapping[str, Any],
    started: float,
    device: str = "cpu",
) -> None:
    """Write the table of a job to ``output.table``, and arrays, if it kept any, to ``.sample``.

    ``config``, whose entry "seed" is the seed, ``started``, ``device`` and errors are those of
    `results.write`.
    """
    record: dict[str, Any] = {
        "config": config,
        "seed": config["seed"],
        "started": started,
        "device": device,
    }
    results.write(pd.DataFrame([*rows]), output.table, **record)
    if arrays is not None:
        results.write_arrays(arrays, output.sample, **record)
