"""The table that `make benchmark` writes: its file, its columns, and what it must hold."""

from pathlib import Path

import pandas as pd

MEASURED = Path(__file__).with_name("measured.csv")

COLUMNS = (
    "part",
    "variant",
    "components",
    "dimension",
    "n",
    "steps",
    "copies",
    "round",
    "metric",
    "value",
    "load",
    "cpu",
    "cores",
    "libraries",
)
"""``part`` is "chains", "law", "growth", "memory", "threads", "overhead" or "profile". ``copies``
processes ran at once. ``load`` is the machine's load average of the last minute. Metrics are
``cpu_ns`` and ``wall_ns`` of one chain-step, ``first_seconds`` of the first run, the errors of
`experiments.benchmark.problem.Problem.errors`, ``acceptance``, ``peak_mb``, the ``ratio`` of a
sampler's time to that of the bare network, and for the profile the names of the pieces of a step,
in nanoseconds."""

COMPONENTS = (6, 40)
DIMENSIONS = (10, 100)
SIZES = {10: (1_000, 10_000, 100_000), 100: (1_000, 10_000)}
"""Numbers of chains by dimension."""


def read(path: str | Path = MEASURED) -> pd.DataFrame:
    """The table.

    Raises:
        ValueError: if a column is missing.
    """
    frame = pd.read_csv(path)
    missing = [column for column in COLUMNS if column not in frame.columns]
    if missing:
        raise ValueError(f"{path} lacks the column(s) {', '.join(missing)}: run `make benchmark`")
    return frame
