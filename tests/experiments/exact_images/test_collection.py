"""Images of a data set or of a user's folder as points, on generated files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from experiments.exact_images.collection import collection
from experiments.images.data import ARRAYS


def pictures(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_training_images_of_a_data_set(tmp_path: Path, channels: int) -> None:
    """All of them when as many are asked for, with their classes, in [-1, 1]; no test image."""
    train, labels = pictures((12, channels, 28, 28)), np.arange(12, dtype=np.uint8) % 10
    arrays: dict[str, Any] = dict(zip(ARRAYS, (train, labels, 0 * train, 0 * labels), strict=True))
    np.savez(tmp_path / "data.npz", **arrays)
    points, classes = collection(tmp_path / "data.npz", 12, seed=1)
    assert points.shape == (12, 784 * channels)
    assert points.dtype == torch.float64
    flat = train.reshape(12, -1)
    order, expected = np.lexsort(points.numpy().T), np.lexsort(flat.T)
    assert points.numpy()[order] == pytest.approx(flat[expected] / 127.5 - 1.0, abs=1e-6)
    assert (classes[order] == labels[expected]).all()


def test_the_choice_depends_on_the_seed_alone(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", pictures((30, 4, 4)))
    first, again, other = (collection(tmp_path, 10, seed).points for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert len(torch.unique(first, dim=0)) == 10


def test_pictures_of_a_folder_become_points(tmp_path: Path) -> None:
    """Three colour pictures of 3 by 2 pixels, d = 18; white is 1 and black is -1."""
    for folder, level in (("a", 0), ("b", 255), ("b/c", 51)):
        (tmp_path / folder).mkdir(exist_ok=True)
        Image.new("RGB", (3, 2), (level,) * 3).save(tmp_path / folder / "one.png")
    points, classes = collection(tmp_path, 3, seed=0)
    assert points.shape == (3, 18)
    assert {int(c): float(p.mean()) for p, c in zip(points, classes, strict=True)} == {
        0: -1.0,
        1: 1.0,
        2: pytest.approx(51 / 127.5 - 1),
    }


def test_numbers_other_than_bytes_stay_as_they_are(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(4, 5, 5)).astype(np.float32)
    np.save(tmp_path / "images.npy", values)
    points = collection(tmp_path, 4, seed=0).points.numpy()
    assert points.shape == (4, 25)
    assert np.allclose(np.sort(points[:, 0]), np.sort(values[:, 0, 0]))


def test_too_few_images_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", pictures((3, 4, 4)))
    with pytest.raises(ValueError, match="has 3 images, fewer than the 4 asked for"):
        collection(tmp_path, 4, seed=0)
