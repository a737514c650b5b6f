"""Tensors and a few named values as one safetensors file, which nothing in it can execute."""

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

FORMAT = "rtk calibration 1"
"""Named in every file; another format is refused."""


def write(path: str | Path, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
    """Write tensors, and values that JSON can hold; the file appears only when it is complete.

    Raises:
        FileNotFoundError: if there is no folder for the file.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent} for the calibration file")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    metadata = {"format": FORMAT, "values": json.dumps(values)}
    try:
        # Tensors that share memory are refused, so each is copied.
        save_file(
            {
                name: part.clone(memory_format=torch.contiguous_format)
                for name, part in tensors.items()
            },
            unfinished,
            metadata,
        )
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def read(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and values of a file that `write` wrote.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, or no calibration of this format.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no calibration file {path}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged or no safetensors file: {error}") from error
    if metadata.get("format") != FORMAT:
        raise ValueError(
            f"{path} is no calibration: its format is {metadata.get('format')!r}, expected "
            f"{FORMAT!r}"
        )
    try:
        return tensors, json.loads(metadata["values"])
    except (KeyError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is damaged, expected its values as JSON: {error!r}") from error
