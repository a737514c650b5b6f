"""What all jobs of the workflow do in the same way: they start, derive seeds and write tables."""

import hashlib
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from experiments.workflow import results

Settings = TypeVar("Settings")

DEFAULTS = {"seed": 0, "nfe_asked": 0, "nfe": 0, "standard_error": 0.0}
"""Columns that the rows of a study may leave out. The values are those of a computation without
sampling."""


def start() -> Any:
    """Start the job: return the `snakemake` object of the script, and send all output to the log.

    The object has the input, the output, the params and the wildcards of the rule. All that the
    process prints from here on goes to the log of the rule, such as warnings, tracebacks and
    progress. The file descriptors themselves are redirected, so that the log has the messages of
    compiled libraries too. An error for which the disk has no room goes where the output of
    Snakemake goes.

    Raises:
        RuntimeError: if the script was not started by Snakemake.
    """
    script = sys.modules["__main__"]
    if not hasattr(script, "snakemake"):
        raise RuntimeError("this script is a job of the workflow: ask snakemake for its output")
    sys.excepthook = partial(_report, os.dup(sys.stderr.fileno()))
    log = os.open(script.snakemake.log[0], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(log, stream.fileno())
    os.close(log)
    return script.snakemake


def _report(
    console: int, kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print an error that ends the job to the log, or else to the descriptor ``console``."""
    text = "".join(traceback.format_exception(kind, error, trace))
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        os.write(console, text.encode())


def derive_seed(*parts: int | str) -> int:
    """A seed in [0, 2^63) that depends on all parts and their order, and on nothing else.

    ``derive_seed(seed, "mixtures", target, method, repetition)`` gives every run of an experiment a
    stream of its own. The seed is the head of the SHA-256 digest of the parts, so it is the same on
    every machine.
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
        settings: makes the settings from those in the params of the rule and from the paths of its
            input files, all given by keyword.

    Raises:
        RuntimeError: if the script was not started by Snakemake.
        ValueError: if the rows lack a column of `results.COLUMNS`, or if there are none.
    """
    started = time.perf_counter()
    snakemake = start()
    config, seed = snakemake.params.settings, snakemake.params.seed
    defaults = {"experiment": snakemake.wildcards.study, **DEFAULTS}
    table = [
        {**defaults, **row}
        for row in rows(settings(**config, **dict(snakemake.input.items())), seed)
    ]
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
    """Write the table of a job to ``output.table``, and its arrays, if any, to ``output.sample``.

    Args:
        output: the outputs of the rule.
        rows: one mapping per row of the table.
        arrays: samples that the job keeps, by name.
        config: the configuration; its entry "seed" is the seed.
        started: as in `results.write`.
        device: as in `results.write`.

    Raises:
        ValueError, TypeError: as `results.write` does.
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
