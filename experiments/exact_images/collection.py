"""Images and their classes: those of a data set of C1, or those of a user's folder.

A folder may have subfolders. Three kinds of files are read:

- ``.npy``: an array of images, (n, *shape);
- ``.npz``: the same under the name ``images`` or ``data``, and, if there are any, their classes
  under ``labels``, integers from 0 on, (n,). The batches of ImageNet-32 have this form;
- ``.png``, ``.jpg``, ``.jpeg``, ``.bmp``: one image.

Images without labels have the class of their folder: the folders with files are numbered in
alphabetical order. Numbers from 0 to 255 become -1 to 1 where they are unsigned bytes; others stay
as they are. Nothing is unpickled.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from experiments.images import data

PICTURES = (".png", ".jpg", ".jpeg", ".bmp")
READABLE = (".npy", ".npz", *PICTURES)


class Collection(NamedTuple):
    """Images as rows of numbers, float64 (n, d), and their classes, integers from 0 on, (n,)."""

    points: Tensor
    classes: NDArray[np.int64]


def collection(source: str | Path, count: int, seed: int) -> Collection:
    """``count`` random images of a source, without replacement.

    Args:
        source: the ``.npz`` file of a data set of C1, whose training images are taken, or a folder.
        count: the number of images.
        seed: of the choice.

    Raises:
        ValueError: for fewer images than ``count``, and for a folder that cannot be read as the
            head of this module says.
    """
    if Path(source).is_dir():
        values, classes = of_folder(Path(source))
    else:
        images, labels = data.load(source, "train")
        values, classes = images.flatten(1).numpy(), labels.numpy()
    if len(values) < count:
        raise ValueError(f"{source} has {len(values)} images, fewer than the {count} asked for")
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(values), generator=generator)[:count].numpy()
    return Collection(torch.from_numpy(scaled(values[chosen])), classes[chosen])


def scaled(values: NDArray[Any]) -> NDArray[np.float64]:
    """Numbers in float64; unsigned bytes are mapped from 0...255 to [-1, 1]."""
    numbers = values.astype(np.float64)
    return numbers / 127.5 - 1.0 if values.dtype == np.uint8 else numbers


def of_folder(folder: Path) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """All images of a folder, (n, d), and their classes, (n,)."""
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in READABLE)
    if not files:
        raise ValueError(f"{folder} has no images: expected files {', '.join(READABLE)}")
    folders = sorted({file.parent for file in files})
    parts: list[NDArray[Any]] = []
    classes: list[NDArray[np.int64]] = []
    for file in files:
        images, labels = of_file(file)
        if parts and images.shape[1] != parts[0].shape[1]:
            raise ValueError(
                f"{file} has images of {images.shape[1]} numbers, those of {files[0]} have "
                f"{parts[0].shape[1]}: all images of a folder must have the same size"
            )
        parts.append(images)
        own = np.full(len(images), folders.index(file.parent))
        classes.append(own if labels is None else labels)
    return np.concatenate(parts), np.concatenate(classes)


def of_file(file: Path) -> tuple[NDArray[Any], NDArray[np.int64] | None]:
    """The images of one file, (n, d), and their labels if it has any."""
    labels = None
    if file.suffix.lower() in PICTURES:
        with Image.open(file) as picture:
            images = np.asarray(picture)[None]
    elif file.suffix.lower() == ".npy":
        images = np.load(file, allow_pickle=False)
    else:
        with np.load(file, allow_pickle=False) as arrays:
            names = [name for name in ("images", "data") if name in arrays]
            if len(names) != 1:
                raise ValueError(f"{file} must have one array 'images' or 'data', has {[*arrays]}")
            images = arrays[names[0]]
            labels = arrays.get("labels")
    if images.ndim < 2 or not images.size or images.dtype.kind not in "iuf":
        raise ValueError(
            f"{file} must hold numbers of shape (n, *shape), got {images.dtype} {images.shape}"
        )
    if labels is None:
        return images.reshape(len(images), -1), None
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu" or labels.min() < 0:
        raise ValueError(
            f"the labels of {file} must be integers from 0 on, one for each of its "
            f"{len(images)} images"
        )
    return images.reshape(len(images), -1), labels.astype(np.int64)
