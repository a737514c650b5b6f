"""What the notebooks read: results of the workflow, or an error that names the command for them.

The folder of results is that of the environment variable RTK_RESULTS, by default `results`.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments.workflow import results

ROOT = Path(__file__).parents[2]


class MissingResults(FileNotFoundError):  # noqa: N818 (what the reader sees is a request)
    """Results that are not made yet; the message has the command that makes them."""

    @classmethod
    def at(cls, path: Path, target: str) -> "MissingResults":
        """The error about ``path``, which the workflow makes when it is asked for ``target``."""
        scale = "" if folder().name == "results" else f" --config scale={folder().name}"
        command = f".venv/bin/snakemake --cores all{scale} -- {folder() / target}"
        return cls(f"{path} is not there yet. In the repository's root, run\n\n    {command}")

    def _render_traceback_(self) -> list[str]:
        """What Jupyter shows: the message alone."""
        return [f"MissingResults: {self}"]


def folder() -> Path:
    """The folder of results, relative to the repository's root."""
    return Path(os.environ.get("RTK_RESULTS", "results"))


def table(experiment: str, target: str | None = None) -> pd.DataFrame:
    """Tidy rows of an experiment: of `data/<experiment>.parquet` or of the files in that folder.

    Raises MissingResults, which asks for ``target``, by default the figure of that name.
    """
    data = ROOT / folder() / "data"
    files = [data / f"{experiment}.parquet", *sorted((data / experiment).rglob("*.parquet"))]
    found = [file for file in files if file.exists()]
    if not found:
        raise MissingResults.at(
            folder() / "data" / experiment, target or f"figures/{experiment}.pdf"
        )
    return results.read(*found)


def arrays(name: str) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays of `data/<name>.npz`: samples kept by an experiment."""
    return results.read_arrays(_existing(f"data/{name}.npz"))


def printed(experiment: str) -> pd.DataFrame:
    """The finished table `tables/<experiment>.csv`."""
    return pd.read_csv(_existing(f"tables/{experiment}.csv"))


def numbers(experiment: str) -> dict[str, float]:
    """The numbers that the report quotes, `numbers/<experiment>.json`."""
    return results.read_numbers(_existing(f"numbers/{experiment}.json"))


def _existing(name: str) -> Path:
    path = ROOT / folder() / name
    if not path.exists():
        raise MissingResults.at(folder() / name, name)
    return path
