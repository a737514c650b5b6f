"""Results of the workflow for the notebooks, or an error with the command that makes them.

The environment variable RTK_RESULTS holds the folder of the results, by default `results`.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments.workflow import results

ROOT = Path(__file__).parents[2]


class MissingResults(FileNotFoundError):  # noqa: N818 (what the reader sees is a request)
    """The results do not exist yet; the message has the command that makes them."""

    @classmethod
    def at(cls, path: Path, target: str) -> "MissingResults":
        """The error about ``path``, which the workflow makes when it is asked for ``target``."""
        scale = "" if folder().name == "results" else f" --config scale={folder().name}"
        command = f".venv/bin/snakemake --cores all{scale} -- {folder() / target}"
        return cls(f"{path} does not exist yet. In the repository's root, run\n\n    {command}")

    def _render_traceback_(self) -> list[str]:
        """The lines that Jupyter shows: the message without a traceback."""
        return [f"MissingResults: {self}"]


def folder() -> Path:
    """The folder of results, relative to the repository's root."""
    return Path(os.environ.get("RTK_RESULTS", "results"))


def table(experiment: str, target: str | None = None) -> pd.DataFrame:
    """The rows of `data/<experiment>.parquet`, or of all tables in the folder of that name.

    Raises:
        MissingResults: if there are none. The command in the message asks for ``target``, which is
            by default the figure of the experiment.
    """
    data = ROOT / folder() / "data"
    files = [data / f"{experiment}.parquet", *sorted((data / experiment).rglob("*.parquet"))]
    existing = [file for file in files if file.exists()]
    if not existing:
        raise MissingResults.at(
            folder() / "data" / experiment, target or f"figures/{experiment}.pdf"
        )
    return results.read(*existing)


def arrays(name: str) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays of `data/<name>.npz`, which are samples that an experiment kept."""
    return results.read_arrays(_existing(f"data/{name}.npz"))


def printed(experiment: str) -> pd.DataFrame:
    """The table for print, of `tables/<experiment>.csv`."""
    return pd.read_csv(_existing(f"tables/{experiment}.csv"))


def numbers(experiment: str) -> dict[str, float]:
    """The numbers that the article quotes, of `numbers/<experiment>.json`."""
    return results.read_numbers(_existing(f"numbers/{experiment}.json"))


def _existing(name: str) -> Path:
    path = ROOT / folder() / name
    if not path.exists():
        raise MissingResults.at(folder() / name, name)
    return path
