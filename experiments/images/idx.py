"""The idx format of MNIST, which Fashion-MNIST has too.

Source: LeCun, Cortes, Burges, *The MNIST database of handwritten digits*, 1998.
"""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
"""The files of a data set: training images and their classes, test images and their classes."""


def parse(content: bytes) -> NDArray[np.uint8]:
    """The array in an idx file of unsigned bytes.

    The file has the bytes 0, 0, 8 and the number of dimensions, then the sizes as big-endian 32-bit
    integers, then the values.
    """
    start = 4 + 4 * content[3] if len(content) > 3 else 4
    if len(content) < start or content[:3] != b"\x00\x00\x08":
        raise ValueError(
            "not an idx file of unsigned bytes: it begins with "
            f"{content[:4].hex(' ') or 'nothing'}, expected 00 00 08, the number of dimensions and "
            "their sizes"
        )
    shape = tuple(np.frombuffer(content[4:start], dtype=">u4").tolist())
    values = np.frombuffer(content[start:], dtype=np.uint8)
    if values.size != math.prod(shape):
        raise ValueError(
            f"idx file of shape {shape} holds {values.size} values, expected {math.prod(shape)}"
        )
    return values.reshape(shape)


def splits(files: Mapping[str, bytes]) -> dict[str, NDArray[np.uint8]]:
    """The arrays of `experiments.images.data.ARRAYS` from the contents of the four `FILES`."""
    images, labels, test_images, test_labels = (parse(files[name]) for name in FILES)
    return {
        "train_images": images[:, None],
        "train_labels": labels,
        "test_images": test_images[:, None],
        "test_labels": test_labels,
    }
