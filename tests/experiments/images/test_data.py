"""The image data sets: their checksums, the order of the sources, and folders of a user."""

import gzip
import hashlib
import io
import shutil
import struct
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from experiments.images import data, idx, registries
from experiments.images.data import Dataset

ROOT = Path(__file__).parents[3]

SHAPES = {
    "train-images-idx3-ubyte": (6, 28, 28),
    "train-labels-idx1-ubyte": (6,),
    "t10k-images-idx3-ubyte": (4, 28, 28),
    "t10k-labels-idx1-ubyte": (4,),
}


def idx_file(array: np.ndarray) -> bytes:
    header = struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(
        f">{array.ndim}I", *array.shape
    )
    return header + array.tobytes()


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@contextmanager
def unreachable() -> Iterator[Path]:
    raise OSError("unreachable")
    yield


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    return {
        name: generator.integers(0, 256 if len(shape) == 3 else 10, shape, dtype=np.uint8)
        for name, shape in SHAPES.items()
    }


@pytest.fixture
def tiny(arrays: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """The known data set "tiny" with the checksums of these arrays; none of its sources works."""
    sums = {name: md5(idx_file(array)) for name, array in arrays.items()}
    dataset = Dataset(sums, idx.splits, {"mirror": unreachable, "npm package tiny": unreachable})
    monkeypatch.setitem(data.DATASETS, "tiny", dataset)
    return dataset


@pytest.fixture
def folder(arrays: dict[str, np.ndarray], tiny: Dataset, tmp_path: Path) -> Path:
    """A folder with the files of the data set "tiny"."""
    folder = tmp_path / "idx"
    folder.mkdir()
    for name, array in arrays.items():
        (folder / name).write_bytes(idx_file(array))
    return folder


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
    "cifar10": {
        "data_batch_1.bin": "5dd7e06a14cb22eb9f671a540d1b7c25",
        "data_batch_2.bin": "5ea93a67294ea407fff1d09f752e9692",
        "data_batch_3.bin": "942cd6a4bcdd0dd3c604fbe906cb4421",
        "data_batch_4.bin": "ae636b3ba5c66a11e91e8cb52e771fcb",
        "data_batch_5.bin": "53f37980c15c3d472c316c40844f3f0d",
        "test_batch.bin": "803d5f7f4d78ea53de84dbe85f74fb6d",
    },
}


def test_published_checksums() -> None:
    assert {name: dict(dataset.md5) for name, dataset in data.DATASETS.items()} == PUBLISHED


def files_of_idx(arrays: dict[str, np.ndarray]) -> list[bytes]:
    """The files of MNIST and Fashion-MNIST, made again from the cache."""
    return [
        idx_file(arrays[f"{split}_{part}"].squeeze())
        for split in ("train", "test")
        for part in ("images", "labels")
    ]


def files_of_cifar(arrays: dict[str, np.ndarray]) -> list[bytes]:
    """The files of CIFAR-10: rows of a label and 3072 pixels, 10 000 in each."""
    images = np.concatenate([arrays["train_images"], arrays["test_images"]])
    labels = np.concatenate([arrays["train_labels"], arrays["test_labels"]])
    rows = np.column_stack([labels, images.reshape(60_000, 3072)])
    return [part.tobytes() for part in np.split(rows, 6)]


@pytest.mark.parametrize("name", PUBLISHED)
def test_files_of_the_workflow_are_the_published_ones(name: str) -> None:
    """They are made again from the cache, where the workflow has fetched the data."""
    cache = ROOT / "results" / name / f"{name}.npz"
    if not cache.exists():
        pytest.skip("the data were not fetched")
    with np.load(cache, allow_pickle=False) as file:
        arrays = dict(file)
    files = (files_of_cifar if name == "cifar10" else files_of_idx)(arrays)
    assert [md5(content) for content in files] == [*PUBLISHED[name].values()]


def test_another_data_set_is_not_taken_for_this_one(folder: Path) -> None:
    files = data.contents(folder, SHAPES)
    data.check(files, "tiny")
    with pytest.raises(ValueError, match="train-images-idx3-ubyte is damaged or not that of mnist"):
        data.check(files, "mnist")


def test_unknown_data_set(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"unknown data set 'imagenet_32'.*'cifar10'.*'local'"):
        data.fetch("imagenet_32", tmp_path / "imagenet_32.npz")


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
    assert digits.labels.dtype == torch.int64
    np.testing.assert_array_equal(digits.labels.numpy(), arrays[f"{prefix}-labels-idx1-ubyte"])
    assert [path.name for path in cache.parent.iterdir()] == ["tiny.npz"]


def test_the_cache_holds_four_arrays_of_bytes(folder: Path, tmp_path: Path) -> None:
    data.fetch("tiny", tmp_path / "tiny.npz", folder)
    with np.load(tmp_path / "tiny.npz", allow_pickle=False) as file:
        assert tuple(file) == data.ARRAYS
        assert {array.dtype for array in file.values()} == {np.dtype(np.uint8)}


def test_values_of_an_idx_file() -> None:
    raw = np.array([[[0, 255]]], dtype=np.uint8)
    assert idx.parse(idx_file(raw)).tolist() == [[[0, 255]]]


def test_gzipped_files_are_read(folder: Path, tmp_path: Path) -> None:
    for path in list(folder.iterdir()):
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    data.fetch("tiny", tmp_path / "tiny.npz", folder)
    assert len(data.load(tmp_path / "tiny.npz", "test").labels) == 4


def test_files_in_folders_of_a_folder_are_found(folder: Path, tmp_path: Path) -> None:
    shutil.move(folder, tmp_path / "package" / "data")
    data.fetch("tiny", tmp_path / "tiny.npz", tmp_path / "package")
    assert len(data.load(tmp_path / "tiny.npz", "test").labels) == 4


@pytest.mark.parametrize("name", SHAPES)
def test_one_wrong_byte_is_noticed(folder: Path, tmp_path: Path, name: str) -> None:
    spoil(folder / name)
    with pytest.raises(RuntimeError, match=f"{name} is damaged or not that of tiny"):
        data.fetch("tiny", tmp_path / "tiny.npz", folder)
    assert not (tmp_path / "tiny.npz").exists()


def spoil(path: Path) -> None:
    """Change the last bit of a file."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def test_truncated_gzip_is_noticed(folder: Path, tmp_path: Path) -> None:
    path = folder / "train-images-idx3-ubyte"
    (folder / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes())[:-20])
    path.unlink()
    with pytest.raises(RuntimeError, match=r"train-images-idx3-ubyte\.gz is damaged"):
        data.fetch("tiny", tmp_path / "tiny.npz", folder)


def test_error_names_every_source(tiny: Dataset, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError) as caught:
        data.fetch("tiny", tmp_path / "tiny.npz", tmp_path / "nowhere")
    message = str(caught.value)
    for words in ("tiny could not", "nowhere holds neither", *SHAPES, "name that folder"):
        assert words in message
    assert "mirror: unreachable" in message
    assert "npm package tiny: unreachable" in message


def offline(_: Path) -> data.Source:
    """A source that cannot be reached."""
    return unreachable


def hanging(_: Path) -> data.Source:
    """A source whose client was stopped."""

    @contextmanager
    def source() -> Iterator[Path]:
        raise subprocess.TimeoutExpired("npm", 300)
        yield

    return source


def no_archive(folder: Path) -> data.Source:
    """A source that gets a page of the web in place of an archive."""

    @contextmanager
    def source() -> Iterator[Path]:
        (folder / "files.tar.gz").write_text("<html>please log in</html>", encoding="utf-8")
        registries.unpack(folder / "files.tar.gz")
        yield folder

    return source


def incomplete(folder: Path) -> data.Source:
    """A source that lacks a file."""
    (folder / "t10k-labels-idx1-ubyte").unlink()
    return lambda: nullcontext(folder)


def damaged(folder: Path) -> data.Source:
    """A source with a wrong byte."""
    spoil(folder / "t10k-labels-idx1-ubyte")
    return lambda: nullcontext(folder)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (offline, "unreachable"),
        (hanging, "timed out"),
        (no_archive, r"files\.tar\.gz cannot be unpacked"),
        (incomplete, "holds neither t10k-labels"),
        (damaged, "t10k-labels-idx1-ubyte is damaged"),
    ],
)
def test_next_source_is_tried_after_one_that_does_not_work(
    tiny: Dataset,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bad: Callable[[Path], data.Source],
    why: str,
) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(folder, whole)
    sources: dict[str, data.Source] = {"bad": bad(folder), "good": lambda: nullcontext(whole)}
    monkeypatch.setitem(data.DATASETS, "tiny", replace(tiny, sources=sources))
    data.fetch("tiny", tmp_path / "tiny.npz")
    assert len(data.load(tmp_path / "tiny.npz", "train").images) == 6
    sources.pop("good")
    with pytest.raises(RuntimeError, match=f"  bad: .*{why}"):
        data.fetch("tiny", tmp_path / "tiny.npz")


def test_sources_are_tried_in_order_until_one_works(
    tiny: Dataset, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's folder is the first of them. What a source opened is closed when it was read."""
    seen: list[str] = []

    def source(name: str) -> data.Source:
        @contextmanager
        def opened() -> Iterator[Path]:
            seen.append(name)
            yield folder if name == "mirror 2" else tmp_path / "nowhere"
            seen.append("closed")

        return opened

    sources = {name: source(name) for name in ("mirror 1", "mirror 2", "package")}
    monkeypatch.setitem(data.DATASETS, "tiny", replace(tiny, sources=sources))
    data.fetch("tiny", tmp_path / "tiny.npz")
    assert seen == ["mirror 1", "mirror 2", "closed"]
    data.fetch("tiny", tmp_path / "tiny.npz", folder)
    assert len(seen) == 3


# Mirrors and registries


def archive(members: dict[str, bytes]) -> bytes:
    """A gzipped tar archive of files."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return file.getvalue()


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What there is at each address, in place of the internet."""
    content: dict[str, bytes] = {}

    def retrieve(address: str, known_hash: None, fname: str, path: Path, downloader: Any) -> None:
        if address not in content:
            raise OSError(f"404: {address}")
        (path / fname).write_bytes(content[address])

    monkeypatch.setattr("pooch.retrieve", retrieve)
    return content


def test_mirror_of_gzipped_files(web: dict[str, bytes], arrays: dict[str, np.ndarray]) -> None:
    """Its folder is gone at the end."""
    files = {name: idx_file(array) for name, array in arrays.items()}
    web |= {f"http://m/{name}.gz": gzip.compress(content) for name, content in files.items()}
    with data.idx_mirror("http://m/")() as folder:
        assert data.contents(folder, SHAPES) == files
    assert not folder.exists()
    web.pop("http://m/t10k-labels-idx1-ubyte.gz")
    with pytest.raises(OSError, match="404"), data.idx_mirror("http://m/")():
        pass


def test_mirror_of_an_archive(web: dict[str, bytes]) -> None:
    web["http://m/all.tar.gz"] = archive({"batches/a.bin": b"abc", "batches/b.bin": b"de"})
    with registries.mirror("http://m/all.tar.gz") as folder:
        files = data.contents(folder, ["a.bin", "b.bin"])
    assert files == {"a.bin": b"abc", "b.bin": b"de"}


BAD_ARCHIVES = {
    "empty": b"",
    "text": b"hello",
    "truncated": archive({"a": bytes(range(256)) * 99})[:-40],
    "leaves its folder": archive({"../a": b"abc"}),
}


@pytest.mark.parametrize("name", BAD_ARCHIVES)
def test_bad_archive_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "b.tar.gz").write_bytes(BAD_ARCHIVES[name])
    with pytest.raises(ValueError, match=r"^b\.tar\.gz cannot be unpacked: "):
        registries.unpack(tmp_path / "in" / "b.tar.gz")
    assert not (tmp_path / "a").exists()


def test_npm_package_is_unpacked_and_its_scripts_are_not_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def offline(command: list[str], folder: str) -> None:
        assert command == ["npm", "pack", "--ignore-scripts", "--silent", "tiny@1.2.3"]
        content = archive({"package/data/a.bin": b"abc", "package/package.json": b"{}"})
        (Path(folder) / "tiny-1.2.3.tgz").write_bytes(content)

    monkeypatch.setattr(registries, "run", offline)
    with registries.npm("tiny@1.2.3") as folder:
        assert (folder / "data" / "a.bin").read_bytes() == b"abc"
    assert not folder.exists()


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="Debian's tools are not installed")
def test_debian_package_is_unpacked_and_not_installed(
    arrays: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package that is made here, whose install script would leave a file."""
    content, trace = tmp_path / "package" / "usr/share/datasets/tiny", tmp_path / "executed"
    content.mkdir(parents=True)
    for name, array in arrays.items():
        (content / f"{name}.gz").write_bytes(gzip.compress(idx_file(array)))
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
    run = registries.run

    def offline(command: list[str], folder: str) -> None:
        if command == ["apt-get", "download", "--quiet", "dataset-tiny"]:
            shutil.copy(built, folder)
        else:
            run(command, folder)

    monkeypatch.setattr(registries, "run", offline)
    with registries.debian("dataset-tiny") as folder:
        files = data.contents(folder, SHAPES)
    assert files == {name: idx_file(array) for name, array in arrays.items()}
    assert not trace.exists()
    assert not folder.exists()


def test_error_of_a_client_is_told(tmp_path: Path) -> None:
    command = ["sh", "-c", "echo first >&2; echo no such package >&2; exit 3"]
    with pytest.raises(OSError, match=r"^sh failed: no such package$"):
        registries.run(command, str(tmp_path))


# Files that are something else


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an idx file"),
        (b"\x00\x00\x0d\x01\x00\x00\x00\x01\x05", "not an idx file"),
        (idx_file(np.zeros((2, 3), dtype=np.uint8))[:-1], "holds 5 values"),
    ],
)
def test_malformed_idx(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        idx.parse(content)


def test_cache_is_never_unpickled(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {"train_images": np.array([{}], dtype=object)}
    np.savez(tmp_path / "evil.npz", **arrays)
    with pytest.raises(ValueError, match="allow_pickle"):
        data.load(tmp_path / "evil.npz", "train")


def test_unknown_split(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'train' or 'test'"):
        data.load(tmp_path / "tiny.npz", "validation")


# A folder of the user


def pictures(n: int, channels: int = 3, side: int = 8) -> np.ndarray:
    """Images (n, channels, side, side). The bytes of an image differ if there are at most 256."""
    first = np.arange(channels * side**2)
    images = (first + 60 * np.arange(n)[:, None]) % 256
    return images.reshape(n, channels, side, side).astype(np.uint8)


LABELS = {"train": np.array([0, 0, 1, 2, 2]), "test": np.array([0, 1, 2])}
"""The classes of the images in the two folders."""

Write = Callable[[Path, np.ndarray, np.ndarray], None]
"""Writes images (n, channels, side, side) and their classes into an empty folder."""


def in_the_form_of_imagenet_32(folder: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """Two batches with flat rows, the red plane first."""
    for name, part in (("batch_1", slice(0, 2)), ("batch_2", slice(2, None))):
        flat = images[part].reshape(len(images[part]), -1)
        np.savez(folder / f"{name}.npz", data=flat, labels=labels[part], mean=flat.mean(axis=0))


def as_pictures(folder: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """A picture of each image in the folder of its class."""
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        (folder / f"class_{label}").mkdir(exist_ok=True)
        pixels = image[0] if len(image) == 1 else np.stack([*image], axis=-1)
        Image.fromarray(pixels).save(folder / f"class_{label}" / f"{number}.png")


def as_arrays(order: str) -> Write:
    """One file with the axes of the images in this order; of "c", the colours, there may be one."""

    def write(folder: Path, images: np.ndarray, labels: np.ndarray) -> None:
        arranged = np.einsum(f"nchw->n{order}", images)
        np.savez(folder / "all.npz", images=arranged, labels=labels)

    return write


def of_user(folder: Path, images: dict[str, np.ndarray], write: Write) -> Path:
    for split, labels in LABELS.items():
        (folder / split).mkdir(parents=True)
        write(folder / split, images[split], labels)
    return folder


FORMS: dict[str, tuple[Write, int]] = {
    "ImageNet-32": (in_the_form_of_imagenet_32, 3),
    "ImageNet-32 in grey": (in_the_form_of_imagenet_32, 1),
    "pictures": (as_pictures, 3),
    "grey pictures": (as_pictures, 1),
    "colours first": (as_arrays("chw"), 3),
    "colours last": (as_arrays("hwc"), 3),
    "grey, a plane": (as_arrays("chw"), 1),
    "grey, no plane": (as_arrays("hw"), 1),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_folder_of_the_user_is_a_data_set(tmp_path: Path, form: str) -> None:
    """Every pixel comes out where it was put in, whatever the form of the files."""
    write, channels = FORMS[form]
    images = {split: pictures(len(labels), channels) for split, labels in LABELS.items()}
    images["test"] = 255 - images["test"]
    local, cache = of_user(tmp_path / "local", images, write), tmp_path / "imagenet_32.npz"
    data.fetch("imagenet_32", cache, local)
    for split, labels in LABELS.items():
        loaded = data.load(cache, split)
        levels = (loaded.images + 1.0) * 127.5
        assert levels.shape == images[split].shape
        np.testing.assert_allclose(levels.numpy(), images[split], atol=1e-4)
        assert loaded.labels.tolist() == labels.tolist()


def both(images: np.ndarray) -> dict[str, np.ndarray]:
    return {split: images[: len(labels)] for split, labels in LABELS.items()}


def save_images(folder: Path, images: np.ndarray, labels: np.ndarray) -> None:
    np.savez(folder / "all.npz", images=images, labels=labels)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (both(pictures(5).astype(np.float32)), "pixels of type float32, expected uint8"),
        (both(pictures(5).astype(np.int64)), "pixels of type int64, expected uint8"),
        (both(pictures(5)[..., :4]), r"shape \(3, 8, 4\) are no square ones"),
        (both(pictures(5)[:, 0, :4]), r"shape \(4, 8\) are no square ones"),
        (both(pictures(5, side=4)), r"shape \(3, 4, 4\) .* a multiple of 4 and at least 8"),
        (both(pictures(5, side=6)), r"shape \(3, 6, 6\) .* a side that is a multiple of 4"),
        (both(pictures(5, 1, side=10)[:, 0]), r"shape \(10, 10\) .* a multiple of 4"),
        (both(pictures(5)[:, :2]), r"shape \(2, 8, 8\) .* grey or of three colours"),
        (both(pictures(5)[:, None]), r"shape \(1, 3, 8, 8\) are no square ones"),
        (both(pictures(5)[:, None].swapaxes(2, 4)), r"shape \(1, 8, 8, 3\) are no square ones"),
        (both(pictures(5).reshape(5, -1)[:, :72]), r"shape \(72,\) are no square ones"),
        (both(pictures(5).reshape(5, -1)[:, :50]), r"shape \(50,\) are no square ones"),
        (
            {"train": pictures(5), "test": pictures(3, side=12)},
            r"training images of shape \(3, 8, 8\), tests \(3, 12, 12\)",
        ),
        (
            {"train": pictures(5), "test": pictures(3, channels=1)},
            r"training images of shape \(3, 8, 8\), tests \(1, 8, 8\)",
        ),
    ],
)
def test_other_folders_of_the_user_are_refused(
    tmp_path: Path, images: dict[str, np.ndarray], message: str
) -> None:
    local = of_user(tmp_path / "local", images, save_images)
    with pytest.raises(ValueError, match=message):
        data.fetch("imagenet_32", tmp_path / "imagenet_32.npz", local)
    assert not (tmp_path / "imagenet_32.npz").exists()


@pytest.mark.parametrize("split", LABELS)
def test_both_folders_of_the_user_are_needed(tmp_path: Path, split: str) -> None:
    local = of_user(tmp_path / "local", both(pictures(5)), save_images)
    shutil.rmtree(local / split)
    with pytest.raises(FileNotFoundError, match=f"has no folder '{split}', expected train and"):
        data.fetch("imagenet_32", tmp_path / "imagenet_32.npz", local)


def test_a_folder_does_not_stand_for_a_known_data_set(tiny: Dataset, tmp_path: Path) -> None:
    """The files of a known name must be the published ones."""
    local = of_user(tmp_path / "local", both(pictures(5)), save_images)
    with pytest.raises(RuntimeError, match="holds neither train-images-idx3-ubyte"):
        data.fetch("tiny", tmp_path / "tiny.npz", local)


def test_a_class_that_is_only_in_one_part_is_refused(tmp_path: Path) -> None:
    """Folders of classes are numbered in each part, so a missing one would shift the others."""
    for split, classes in (("train", "abc"), ("test", "ac")):
        for name in classes:
            (tmp_path / split / name).mkdir(parents=True)
            as_array = np.zeros((8, 8), dtype=np.uint8)
            Image.fromarray(as_array).save(tmp_path / split / name / "one.png")
    with pytest.raises(ValueError, match="same classes in train and in test, 1 are in one of them"):
        data.fetch("imagenet_32", tmp_path / "cache.npz", tmp_path)
