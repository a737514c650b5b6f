"""Images and their classes: those of a data set of C1, or those of a user's folder.

Numbers from 0 to 255 become -1 to 1 where they are unsigned bytes; others stay as they are.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from experiments.images import data
from experiments.images.folder import images_of_folder


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
        ValueError: for fewer images than ``count``, and for a folder that
            `experiments.images.folder` does not read.
    """
    if Path(source).is_dir():
        values, classes = images_of_folder(Path(source))
        values = values.reshape(len(values), -1)
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
