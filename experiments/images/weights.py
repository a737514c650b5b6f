"""Weights of a network in a safetensors file, which nothing in it can execute."""

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

Model = TypeVar("Model", bound=nn.Module)


def read(path: str | Path, key: str, kind: str) -> tuple[str, dict[str, Tensor]]:
    """The entry ``key`` of the metadata, and the tensors by name.

    Args:
        path: the file.
        key: an entry that the metadata of every file of this kind have.
        kind: what the file should hold, in words.

    Raises:
        ValueError: if the file is damaged, no safetensors file, or lacks the entry.
        FileNotFoundError: if there is no such file.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no file {path}, expected the weights of a {kind}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(
            f"{path} is damaged or no safetensors file, expected the weights of a {kind}: {error}"
        ) from error
    if key not in metadata:
        raise ValueError(f"{path} is no {kind}: it has no {key} in its metadata")
    return metadata[key], tensors


def build(make: Callable[[Any], Model], sizes: type[Any], text: str, path: str | Path) -> Model:
    """A model of the sizes in an entry of the metadata, with weights that are not yet those read.

    Args:
        make: makes the model from its sizes.
        sizes: the dataclass of the sizes.
        text: the entry, in JSON.
        path: the file, for errors.

    Raises:
        ValueError: if the entry does not have these sizes, or if there is no model of them.
    """
    try:
        return make(sizes(**json.loads(text)))
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"{path} has the architecture {text}, expected the sizes of "
            f"{[item.name for item in fields(sizes)]}: {error}"
        ) from error


def fill(model: nn.Module, tensors: dict[str, Tensor], path: str | Path) -> None:
    """Give the weights to a model.

    Raises:
        ValueError: if they are those of another model, or not finite.
    """
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise ValueError(f"{path} does not fit a {type(model).__name__}: {error}") from error
    broken = [name for name, tensor in tensors.items() if not bool(torch.isfinite(tensor).all())]
    if broken:
        raise ValueError(f"{path} has weights that are not finite, expected numbers: {broken}")
