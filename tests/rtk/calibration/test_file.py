"""Calibrations on disk: nothing is lost, half a file never appears, others are refused."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

import rtk
from rtk.calibration import file
from tests.oracles import DOUBLE, skewed
from tests.rtk.calibration.cases import noisy, rotated, skewed_calibration


def samples(calibration: rtk.Calibration, method: str, nfe: int) -> Tensor:
    options: dict[str, Any] = {"nfe": nfe, "calibration": calibration, "dtype": DOUBLE}
    return rtk.sample(skewed().score, 2, 50, method, **options).samples


@pytest.mark.parametrize("method", ["calibrated", "rtk"])
def test_a_loaded_calibration_draws_the_same_bits(method: str, tmp_path: Path) -> None:
    """With a solver that was saved, and with one that is made after loading."""
    original = noisy(skewed_calibration())
    path = tmp_path / "model.safetensors"
    saved = samples(original, method, 7)
    original.save(path)
    loaded = rtk.Calibration.load(path)
    rows = loaded.rows
    assert torch.equal(samples(loaded, method, 7), saved)
    assert loaded.rows == rows == original.rows
    assert torch.equal(samples(loaded, method, 11), samples(original, method, 11))
    assert loaded.rows == original.rows > rows


def test_everything_is_kept(tmp_path: Path) -> None:
    """Also the principal directions of a full base, and a file that is saved again."""
    original = rtk.calibrate(rotated().score, 4, 5, dtype=DOUBLE, t_start=6.0)
    original.solver(3, rotated().score, dtype=DOUBLE)
    path = tmp_path / "model.safetensors"
    original.save(path)
    original.save(path)
    loaded = rtk.Calibration.load(path)
    for name in ("shape", "t_start", "seed", "finest", "rms", "consistency", "rows"):
        assert getattr(loaded, name) == getattr(original, name)
        assert type(getattr(loaded, name)) is type(getattr(original, name))
    assert loaded.base.basis is not None
    assert original.base.basis is not None
    assert torch.equal(loaded.base.basis, original.base.basis)
    assert torch.equal(loaded.starts, original.starts)
    assert loaded.trial.width == original.trial.width
    assert [*loaded.solvers] == [*original.solvers] == [("calibrated", 3)]
    assert loaded.solvers["calibrated", 3].steps == original.solvers["calibrated", 3].steps
    assert loaded.break_even(3, 30) == original.break_even(3, 30)
    assert [*tmp_path.iterdir()] == [path]


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no calibration file .*nothing"):
        rtk.Calibration.load(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere"):
        skewed_calibration().save(tmp_path / "nowhere" / "model.safetensors")


@pytest.mark.parametrize("kept", [0, 5, 100, 4000, -1])
def test_a_damaged_file(kept: int, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    skewed_calibration().save(path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ValueError, match="is damaged or no safetensors file"):
        rtk.Calibration.load(path)


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(ValueError, match=r"is no calibration: its format is None, expected 'rtk"):
        rtk.Calibration.load(path)
    save_file({"weight": torch.zeros(2)}, path, {"format": "rtk calibration 0"})
    with pytest.raises(ValueError, match="its format is 'rtk calibration 0'"):
        rtk.Calibration.load(path)
    path.write_text("not a tensor", encoding="utf-8")
    with pytest.raises(ValueError, match="is damaged or no safetensors file"):
        rtk.Calibration.load(path)


def test_an_interrupted_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.safetensors"
    skewed_calibration().save(path)
    before = path.read_bytes()

    def breaks(tensors: dict[str, Tensor], target: Path, metadata: dict[str, str]) -> None:
        Path(target).write_bytes(b"half a file")
        raise KeyboardInterrupt

    monkeypatch.setattr(file, "save_file", breaks)
    with pytest.raises(KeyboardInterrupt):
        skewed_calibration().save(path)
    assert path.read_bytes() == before
    assert [*tmp_path.iterdir()] == [path]
