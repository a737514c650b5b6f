"""Images of a user's folder, and their classes.

A folder may have subfolders. Three kinds of files are read:

- ``.npy``: an array of images, (n, *shape);
- ``.npz``: the same under the name ``images`` or ``data``, and, if there are any, their classes
  under ``labels``, integers from 0 on, (n,). The batches of ImageNet-32 have this form;
- ``.png``, ``.jpg``, ``.jpeg``, ``.bmp``: one image.

Images without labels have the class of their folder: the folders with files are numbered in
alphabetical order. Nothing is unpickled.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PICTURES = (".png", ".jpg", ".jpeg", ".bmp")
READABLE = (".npy", ".npz", *PICTURES)


def images_of_folder(folder: Path) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """All images of a folder, (n, *shape), and their classes, (n,).

    Raises:
        ValueError: for a folder that cannot be read as the head of this module says.
    """
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in READABLE)
    if not files:
        raise ValueError(f"{folder} has no images: expected files {', '.join(READABLE)}")
    folders = sorted({file.parent for file in files})
    parts: list[NDArray[Any]] = []
    classes: list[NDArray[np.int64]] = []
    for file in files:
        images, labels = of_file(file)
        if parts and images.shape[1:] != parts[0].shape[1:]:
            raise ValueError(
                f"{file} has images of shape {images.shape[1:]}, those of {files[0]} have "
                f"{parts[0].shape[1:]}: all images of a folder must have the same shape"
            )
        parts.append(images)
        own = np.full(len(images), folders.index(file.parent))
        classes.append(own if labels is None else labels)
    return np.concatenate(parts), np.concatenate(classes)


def of_file(file: Path) -> tuple[NDArray[Any], NDArray[np.int64] | None]:
    """The images of one file, (n, *shape), and their labels if it has any."""
    labels = None
    if file.suffix.lower() in PICTURES:
        with Image.open(file) as picture:
            # The pixels of a picture with a palette are numbers of its colours.
            images = np.asarray(picture.convert("RGB") if picture.mode == "P" else picture)[None]
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
        return images, None
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu" or labels.min() < 0:
        raise ValueError(
            f"the labels of {file} must be integers from 0 on, one for each of its "
            f"{len(images)} images"
        )
    return images, labels.astype(np.int64)
