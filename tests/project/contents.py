"""What a result says: a digest that two runs share if they found the same."""

import hashlib
import json
import re
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
from safetensors.numpy import load_file

from experiments.workflow import results

MEASURED = re.compile("second|minute|memory")
"""Names of columns, metrics and numbers that differ between any two runs."""


def content(file: Path) -> str:
    """A digest of what a result says."""
    match file.suffix:
        case ".parquet":
            said = _table(results.read(file))
        case ".csv":
            said = _table(pd.read_csv(file))
        case ".json":
            said = json.dumps(_drop_measured(json.loads(file.read_text(encoding="utf-8")))).encode()
        case ".npz":
            said = _arrays(results.read_arrays(file))
        case ".safetensors":
            said = _arrays(load_file(file))
        case ".ipynb":
            said = _notebook(file)
        case _:
            said = file.read_bytes()
    return hashlib.sha256(said).hexdigest()


def _table(frame: pd.DataFrame) -> bytes:
    """Every bit of a table, but for columns and rows of seconds and memory."""
    if "metric" in frame.columns:
        frame = frame[~frame["metric"].str.contains(MEASURED)]
    kept = [name for name in frame.columns if not MEASURED.search(name)]
    said = [(name, str(frame[name].dtype), [*map(_bits, frame[name])]) for name in kept]
    return repr(said).encode()


def _bits(value: object) -> object:
    """A number in hexadecimal, every bit of it; other values as they are."""
    return value.hex() if isinstance(value, float) else value


def _drop_measured(value: object) -> object:
    if isinstance(value, dict):
        return {k: _drop_measured(v) for k, v in value.items() if not MEASURED.search(k)}
    return [_drop_measured(item) for item in value] if isinstance(value, list) else value


def _arrays(arrays: dict[str, np.ndarray]) -> bytes:
    return b"".join(
        f"{name} {array.dtype} {array.shape}".encode() + array.tobytes()
        for name, array in sorted(arrays.items())
    )


def _notebook(file: Path) -> bytes:
    """The sources and the outputs of a notebook; its cells have new names in every run."""
    cells = nbformat.read(file, as_version=4).cells
    said = [(cell.source, cell.get("outputs")) for cell in cells]
    return json.dumps(said, sort_keys=True).encode()
