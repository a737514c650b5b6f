"""The reader of a folder of images, on generated files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from experiments.images.folder import images_of_folder, of_file


def pictures(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_pictures_in_folders_have_the_class_of_their_folder(tmp_path: Path) -> None:
    """Three colour pictures that are 3 pixels wide and 2 high. The folders are in order."""
    for folder, level in (("b/c", 51), ("b", 255), ("a", 0)):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (3, 2), (level, 7, 9)).save(tmp_path / folder / "one.png")
    (tmp_path / "notes.txt").write_text("not read", encoding="utf-8")
    images, classes = images_of_folder(tmp_path)
    assert images.shape == (3, 2, 3, 3)
    assert images.dtype == np.uint8
    reds = {int(c): image[0, 0].tolist() for image, c in zip(images, classes, strict=True)}
    assert reds == {0: [0, 7, 9], 1: [255, 7, 9], 2: [51, 7, 9]}


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".bmp"])
def test_pixels_of_a_picture(tmp_path: Path, suffix: str) -> None:
    """Every one is in its place, from the first row on."""
    grey, colour = pictures((4, 5)), pictures((4, 5, 3))
    Image.fromarray(grey).save(tmp_path / f"grey{suffix}")
    Image.fromarray(colour).save(tmp_path / f"colour{suffix}")
    for name, pixels in (("grey", grey), ("colour", colour)):
        images, labels = of_file(tmp_path / f"{name}{suffix}")
        assert labels is None
        np.testing.assert_array_equal(images, pixels[None])


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg"])
def test_pictures_with_loss_are_read_too(tmp_path: Path, suffix: str) -> None:
    Image.new("RGB", (16, 8), (200, 100, 50)).save(tmp_path / f"a{suffix}")
    images, _ = images_of_folder(tmp_path)
    assert images.shape == (1, 8, 16, 3)
    assert np.abs(images.astype(int) - [200, 100, 50]).max() <= 5


def test_a_picture_with_a_palette_has_the_colours_of_the_palette(tmp_path: Path) -> None:
    """And not their numbers, which are 0 and 1 here."""
    picture = Image.new("P", (2, 1))
    picture.putpalette([250, 20, 30, 40, 150, 60])
    picture.putpixel((1, 0), 1)
    picture.save(tmp_path / "a.png")
    assert of_file(tmp_path / "a.png")[0].tolist() == [[[[250, 20, 30], [40, 150, 60]]]]


def test_arrays_with_labels(tmp_path: Path) -> None:
    """The form of the batches of ImageNet-32: flat bytes under ``data``, and ``labels``."""
    data, labels = pictures((5, 48)), np.array([7, 7, 1, 0, 3])
    np.savez(tmp_path / "batch.npz", data=data, labels=labels, mean=data.mean(axis=0))
    values, classes = images_of_folder(tmp_path)
    np.testing.assert_array_equal(values, data)
    assert classes.dtype == np.int64
    assert classes.tolist() == labels.tolist()


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 6), (4, 3, 5, 5), (4, 5, 5, 3)])
def test_arrays_keep_their_shape_and_their_numbers(tmp_path: Path, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    np.save(tmp_path / "images.npy", values)
    images, classes = images_of_folder(tmp_path)
    assert images.dtype == np.float32
    np.testing.assert_array_equal(images, values)
    assert classes.tolist() == [0, 0, 0, 0]


def test_files_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    parts = {name: pictures((2, 4, 4), seed) for seed, name in enumerate(("b", "c", "a"))}
    for name, images in parts.items():
        np.savez(tmp_path / f"{name}.npz", images=images, labels=np.full(2, ord(name)))
    images, classes = images_of_folder(tmp_path)
    np.testing.assert_array_equal(images, np.concatenate([parts[name] for name in "abc"]))
    assert classes.tolist() == [97, 97, 98, 98, 99, 99]


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no images: expected files \.npy, \.npz, \.png"):
        images_of_folder(tmp_path)


@pytest.mark.parametrize("other", [(5, 5), (16,), (4, 4, 1), (2, 8)])
def test_images_of_two_shapes_are_refused(tmp_path: Path, other: tuple[int, ...]) -> None:
    """Also those with as many numbers, which could be put in one row."""
    np.save(tmp_path / "a.npy", pictures((3, 4, 4)))
    np.save(tmp_path / "b.npy", pictures((3, *other)))
    with pytest.raises(ValueError, match=r"b\.npy has images of shape .*a\.npy have \(4, 4\)"):
        images_of_folder(tmp_path)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"pictures": pictures((3, 4))}, "one array 'images' or 'data', has \\['pictures'\\]"),
        ({"images": pictures((3, 4)), "data": pictures((3, 4))}, "one array 'images' or 'data'"),
        ({"images": pictures((3,))}, r"shape \(n, \*shape\), got uint8 \(3,\)"),
        ({"images": pictures((0, 4))}, r"shape \(n, \*shape\), got uint8 \(0, 4\)"),
        ({"images": np.ones((3, 4), dtype=bool)}, "must hold numbers"),
        ({"images": pictures((3, 4)), "labels": np.array([0, 1])}, "one for each of its 3 images"),
        ({"images": pictures((3, 4)), "labels": np.array([0, 1, -1])}, "integers from 0 on"),
        ({"images": pictures((3, 4)), "labels": np.array([0.0, 1.0, 2.0])}, "integers from 0 on"),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    np.savez(tmp_path / "images.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        images_of_folder(tmp_path)


@pytest.mark.parametrize("name", ["evil.npy", "evil.npz"])
def test_nothing_is_unpickled(tmp_path: Path, name: str) -> None:
    objects: Any = np.array([[{}]], dtype=object)
    if name.endswith(".npy"):
        np.save(tmp_path / name, objects)
    else:
        np.savez(tmp_path / name, images=objects)
    with pytest.raises(ValueError, match="allow_pickle"):
        images_of_folder(tmp_path)
