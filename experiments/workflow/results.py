"""Results of the experiments: tables and arrays in files that record how they were made.

A table is a Parquet file with one row per measurement and at least the columns of `COLUMNS`. Arrays
are in `.npz` files. Both have their provenance in the file: the version of the code, the
configuration and its hash, the seed, the versions of the packages, the device, and the time and the
memory that the work took. A file is written beside its final place and moved there when it is
complete, so that no reader sees half a file.
"""

import hashlib
import json
import math
import operator
import os
import platform
import resource
import shutil
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

COLUMNS = {
    "experiment": pa.string(),
    "target": pa.string(),
    "method": pa.string(),
    "settings": pa.string(),
    "seed": pa.int64(),
    "nfe_asked": pa.int64(),
    "nfe": pa.int64(),
    "metric": pa.string(),
    "value": pa.float64(),
    "standard_error": pa.float64(),
}
"""The columns of every table and their types. A standard error that is not known is NaN."""

PACKAGES = ("torch", "numpy", "scipy", "pandas", "pyarrow", "POT")

PROVENANCE = "provenance"

RESERVED = (PROVENANCE, "file", "allow_pickle")
"""Names that no array can have. The last two are keywords of `numpy.savez_compressed`."""

SEEDS = 2**63
"""A seed is an integer that is not negative and below this number, so that a column can hold it."""

ROOT = Path(__file__).parents[2]


def write(
    frame: pd.DataFrame,
    path: str | Path,
    *,
    config: Mapping[str, Any],
    seed: int | None,
    started: float,
    device: str = "cpu",
) -> None:
    """Write a table to the Parquet file ``path``, with its provenance.

    Args:
        frame: the table, with at least the columns of `COLUMNS`.
        path: the file.
        config: all settings that the numbers depend on, as JSON values.
        seed: the seed of the work, or None if nothing is random.
        started: the value of `time.perf_counter()` at the start of the work.
        device: the device on which the work ran.

    Raises:
        ValueError: if a column of `COLUMNS` is missing or has a missing value (unknown standard
            errors excepted), if the table is empty, or if ``seed`` is not an integer in [0, 2^63).
        ValueError, TypeError: if a value does not fit the type of its column.
    """
    missing = [column for column in COLUMNS if column not in frame.columns]
    if missing:
        raise ValueError(f"the table lacks the column(s) {', '.join(missing)}")
    if frame.empty:
        raise ValueError("the table has no rows")
    for column, kind in COLUMNS.items():
        _check_column(frame[column], kind)
    extra = [column for column in frame.columns if column not in COLUMNS]
    types = pa.Schema.from_pandas(frame[extra], preserve_index=False)
    schema = pa.schema([*COLUMNS.items(), *types])
    table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
    record = json.dumps(_provenance(config, seed, started, device))
    table = table.replace_schema_metadata({**table.schema.metadata, PROVENANCE: record})
    with atomic(path) as unfinished:
        pq.write_table(table, unfinished)


def write_arrays(
    arrays: Mapping[str, np.ndarray[Any, Any]],
    path: str | Path,
    *,
    config: Mapping[str, Any],
    seed: int | None,
    started: float,
    device: str = "cpu",
) -> None:
    """Write named arrays to the compressed `.npz` file ``path``, with their provenance.

    The other arguments are those of `write`.

    Raises:
        ValueError: if the name of an array is one of `RESERVED`, if an array holds Python objects,
            which could not be read again, or if ``seed`` is not an integer in [0, 2^63).
    """
    for name, array in arrays.items():
        if name in RESERVED:
            raise ValueError(f"an array cannot be named {name!r}: that name is taken")
        if np.asarray(array).dtype.hasobject:
            raise ValueError(f"the array {name!r} holds Python objects, expected numbers or text")
    record = json.dumps(_provenance(config, seed, started, device))
    members: dict[str, Any] = {**arrays, PROVENANCE: np.array(record)}
    with atomic(path) as unfinished, unfinished.open("wb") as file:
        np.savez_compressed(file, **members)


def write_csv(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a table for print to the CSV file ``path``, with four significant digits."""
    with atomic(path) as unfinished:
        frame.to_csv(unfinished, index=False, float_format="%.4g")


def write_numbers(numbers: Mapping[str, float], path: str | Path) -> None:
    """Write named numbers to a JSON file. The article quotes them and the verdicts rest on them.

    Raises:
        ValueError: if there are none, or if one is not finite.
    """
    wrong = [name for name, number in numbers.items() if not math.isfinite(number)]
    if wrong or not numbers:
        raise ValueError(f"expected finite numbers, got none for {', '.join(wrong) or 'any name'}")
    text = json.dumps({name: float(number) for name, number in numbers.items()}, indent=1)
    with atomic(path) as unfinished:
        unfinished.write_text(text + "\n", encoding="utf-8")


def read_numbers(path: str | Path) -> dict[str, float]:
    """The numbers that `write_numbers` wrote."""
    with _intact(path, "JSON"):
        numbers: dict[str, float] = json.loads(Path(path).read_text(encoding="utf-8"))
    return numbers


def read(*paths: str | Path) -> pd.DataFrame:
    """The rows of one or more tables, in the order of the files.

    Raises:
        ValueError: if no file is given, or one is damaged or no Parquet file.
        FileNotFoundError: if there is no such file.
    """
    if not paths:
        raise ValueError("no result file was given")
    return pd.concat([_read_table(path) for path in paths], ignore_index=True)


def _read_table(path: str | Path) -> pd.DataFrame:
    with _intact(path, "Parquet"):
        return pd.read_parquet(path)


def read_arrays(path: str | Path) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays of one file by name, in the order in which they were written.

    Raises:
        ValueError: if the file is damaged, no ``.npz`` file, or holds Python objects.
        FileNotFoundError: if there is no such file.
    """
    # NumPy takes files of other kinds too; zipfile does not.
    with (
        _intact(path, ".npz"),
        zipfile.ZipFile(path),
        np.load(path, allow_pickle=False) as file,
    ):
        return {name: file[name] for name in file.files if name != PROVENANCE}


@contextmanager
def _intact(path: str | Path, kind: str) -> Iterator[None]:
    """Read a file; if that fails, an error that names it and what it should be."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is damaged or no {kind} file of numbers: {error}") from error


def provenance(path: str | Path) -> dict[str, Any]:
    """The record of how the result file ``path`` was made.

    Raises:
        ValueError: if the file has no such record.
    """
    if Path(path).suffix == ".npz":
        with np.load(path, allow_pickle=False) as file:
            record = str(file[PROVENANCE]) if PROVENANCE in file.files else None
    else:
        with _intact(path, "Parquet"):
            record = (pq.read_schema(path).metadata or {}).get(PROVENANCE.encode())
    if record is None:
        raise ValueError(f"{path} has no provenance: it was not written by this project")
    content: dict[str, Any] = json.loads(record)
    return content


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a new path beside ``path``. At the end the file written there replaces ``path``.

    The file is on the disk before it gets its name, so that it is whole even after a power cut. If
    the block raises an error, or the disk is full, an older file at ``path`` stays as it was, the
    new one is removed, and the error has a note that says so. What a killed process leaves is
    removed by `recovery.begin`.
    """
    path = Path(path)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield unfinished
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except Exception as error:
        error.add_note(
            f"{path} was not written; a file that was there before is unchanged. "
            f"Its disk has {_free_mb(path):.1f} MB of free space."
        )
        raise
    finally:
        # On a read-only disk the attempt alone is an error.
        with suppress(OSError):
            unfinished.unlink()


def _free_mb(path: Path) -> float:
    folder = next(folder for folder in path.absolute().parents if folder.exists())
    return shutil.disk_usage(folder).free / 2**20


def config_hash(config: Mapping[str, Any]) -> str:
    """The SHA-256 digest of a configuration. The order of its keys does not matter."""
    canonical = json.dumps(config, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _check_column(values: pd.Series, kind: pa.DataType) -> None:
    """Raise an error that names the column if its values do not have the type that it must have."""
    name = values.name
    if kind != pa.float64() and values.isna().any():
        raise ValueError(f"column {name} has a missing value, expected {kind} in every row")
    if kind == pa.int64() and values.dtype.kind == "f":
        # Floating point has rounded integers from 2^53 on, and most seeds are larger.
        raise ValueError(f"column {name} has floating-point numbers, expected integers")
    try:
        pa.Array.from_pandas(values, type=kind)
    except pa.ArrowTypeError as error:
        raise TypeError(f"column {name}: {error}, expected {kind}") from None
    except (pa.ArrowInvalid, OverflowError) as error:
        raise ValueError(f"column {name}: {error}, expected {kind}") from None


def _check_seed(seed: int | None) -> int | None:
    """The seed as a plain integer, or None. A seed that a table could not hold is an error."""
    if seed is None:
        return None
    if isinstance(seed, float) or not 0 <= operator.index(seed) < SEEDS:
        raise ValueError(f"seed must be None or an integer from 0 to 2^63 - 1, got {seed!r}")
    return operator.index(seed)


def _provenance(
    config: Mapping[str, Any], seed: int | None, started: float, device: str
) -> dict[str, Any]:
    return {
        "code_version": _code_version(),
        "config_hash": config_hash(config),
        "config": dict(config),
        "seed": _check_seed(seed),
        "packages": {"python": platform.python_version()}
        | {package: version(package) for package in PACKAGES},
        "device": device,
        "wall_seconds": time.perf_counter() - started,
        "peak_memory_mb": _peak_memory_mb(),
    }


def _code_version() -> str:
    """The output of ``git describe`` for this project, or "unknown" outside its repository.

    Git looks for a repository in all folders above, and where variables such as GIT_DIR point. A
    repository counts as that of the project if it has the same root and tracks this file.
    """
    try:
        if Path(_git("rev-parse", "--show-toplevel")).resolve() != ROOT.resolve():
            return "unknown"
        _git("ls-files", "--error-unmatch", __file__)
        return _git("describe", "--always", "--dirty")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    run = subprocess.run(
        ["git", *arguments],
        cwd=Path(__file__).parent,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return run.stdout.strip()


def _peak_memory_mb() -> float:
    """The largest resident size of the process so far. Linux counts in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
