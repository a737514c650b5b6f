"""Images of a data set or of a user's folder, on generated files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from experiments.exact_images.collection import collection, of_folder
from experiments.images.data import FILES


def pictures(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_the_training_images_of_a_data_set(tmp_path: Path) -> None:
    """All of them when as many are asked for, with their classes, in [-1, 1]; no test image."""
    train, labels = pictures((12, 28, 28)), np.arange(12, dtype=np.uint8) % 10
    arrays: dict[str, Any] = dict(zip(FILES, (train, labels, 0 * train, 0 * labels), strict=True))
    np.savez(tmp_path / "data.npz", **arrays)
    points, classes = collection(tmp_path / "data.npz", 12, seed=1)
    assert points.shape == (12, 784)
    assert points.dtype == torch.float64
    order = np.lexsort(points.numpy().T)
    expected = np.lexsort(train.reshape(12, 784).T)
    scaled = train.reshape(12, 784)[expected] / 127.5 - 1.0
    assert points.numpy()[order] == pytest.approx(scaled, abs=1e-6)
    assert (classes[order] == labels[expected]).all()


def test_the_choice_depends_on_the_seed_alone(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", pictures((30, 4, 4)))
    first, again, other = (collection(tmp_path, 10, seed).points for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert len(torch.unique(first, dim=0)) == 10


def test_pictures_in_folders_have_the_class_of_their_folder(tmp_path: Path) -> None:
    """Three colour pictures of 3 by 2 pixels, d = 18; white is 1 and black is -1."""
    for folder, level in (("a", 0), ("b", 255), ("b/c", 51)):
        (tmp_path / folder).mkdir(exist_ok=True)
        Image.new("RGB", (3, 2), (level,) * 3).save(tmp_path / folder / "one.png")
    (tmp_path / "notes.txt").write_text("not read", encoding="utf-8")
    points, classes = collection(tmp_path, 3, seed=0)
    assert points.shape == (3, 18)
    assert {int(c): float(p.mean()) for p, c in zip(points, classes, strict=True)} == {
        0: -1.0,
        1: 1.0,
        2: pytest.approx(51 / 127.5 - 1),
    }


def test_arrays_with_labels(tmp_path: Path) -> None:
    """The form of the batches of ImageNet-32: flat bytes under ``data``, and ``labels``."""
    data, labels = pictures((5, 48)), np.array([7, 7, 1, 0, 3])
    np.savez(tmp_path / "batch.npz", data=data, labels=labels)
    values, classes = of_folder(tmp_path)
    assert (values == data).all()
    assert classes.tolist() == labels.tolist()


def test_numbers_other_than_bytes_stay_as_they_are(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(4, 5, 5)).astype(np.float32)
    np.save(tmp_path / "images.npy", values)
    points = collection(tmp_path, 4, seed=0).points.numpy()
    assert np.allclose(np.sort(points[:, 0]), np.sort(values[:, 0, 0]))


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no images: expected files \.npy, \.npz, \.png"):
        collection(tmp_path, 1, seed=0)


def test_too_few_images_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", pictures((3, 4, 4)))
    with pytest.raises(ValueError, match="has 3 images, fewer than the 4 asked for"):
        collection(tmp_path, 4, seed=0)


def test_images_of_two_sizes_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", pictures((3, 4, 4)))
    np.save(tmp_path / "b.npy", pictures((3, 5, 5)))
    with pytest.raises(ValueError, match=r"b\.npy has images of 25 numbers.*a\.npy have 16"):
        collection(tmp_path, 2, seed=0)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"pictures": pictures((3, 4))}, "one array 'images' or 'data', has \\['pictures'\\]"),
        ({"images": pictures((3, 4)), "data": pictures((3, 4))}, "one array 'images' or 'data'"),
        ({"images": pictures((3,))}, r"shape \(n, \*shape\), got uint8 \(3,\)"),
        ({"images": np.ones((3, 4), dtype=bool)}, "must hold numbers"),
        ({"images": pictures((3, 4)), "labels": np.array([0, 1])}, "one for each of its 3 images"),
        ({"images": pictures((3, 4)), "labels": np.array([0, 1, -1])}, "integers from 0 on"),
        ({"images": pictures((3, 4)), "labels": np.array([0.0, 1.0, 2.0])}, "integers from 0 on"),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    np.savez(tmp_path / "images.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        collection(tmp_path, 2, seed=0)
