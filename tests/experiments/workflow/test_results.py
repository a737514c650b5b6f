"""Result files: what is written is read again, says how it was made, and is never half there."""

import json
import math
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from experiments.workflow import results

CONFIG = {"nfe": [25, 55], "sampler": {"method": "rtk-uld"}, "chains": 10}


def table(**changes: Any) -> pd.DataFrame:
    row: dict[str, Any] = {
        "experiment": "mixtures",
        "target": "circle",
        "method": "rtk-uld",
        "settings": "{}",
        "seed": 2**62 + 1,
        "nfe_asked": 25,
        "nfe": 24,
        "metric": "marginal_accuracy",
        "value": 0.5,
        "standard_error": 0.01,
    }
    return pd.DataFrame([row | changes])


def write(frame: pd.DataFrame, path: Path, **changes: Any) -> None:
    keywords: dict[str, Any] = {"config": CONFIG, "seed": 3, "started": time.perf_counter()}
    results.write(frame, path, **(keywords | changes))


def test_table_round_trip(tmp_path: Path) -> None:
    frame = pd.concat([table(), table(nfe_asked=55, standard_error=float("nan"))])
    frame["extra"] = [1.5, 2.5]
    write(frame[frame.columns[::-1]], tmp_path / "new" / "a.parquet")
    found = results.read(tmp_path / "new" / "a.parquet")
    assert list(found.columns) == [*results.COLUMNS, "extra"]
    assert found["seed"].tolist() == [2**62 + 1] * 2
    pd.testing.assert_frame_equal(
        found, frame.reset_index(drop=True), check_dtype=False, check_exact=True
    )


def test_tables_are_concatenated_in_order(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write(table(method=name), tmp_path / f"{name}.parquet")
    found = results.read(tmp_path / "b.parquet", tmp_path / "a.parquet")
    assert found["method"].tolist() == ["b", "a"]
    assert found.index.tolist() == [0, 1]
    assert found.dtypes.astype(str).value_counts().to_dict() == {"str": 5, "int64": 3, "float64": 2}


def test_arrays_round_trip(tmp_path: Path) -> None:
    arrays = {"nfe_55": np.arange(6, dtype=np.float32).reshape(3, 2), "nfe_25": np.array([7])}
    path = tmp_path / "a.npz"
    results.write_arrays(arrays, path, config=CONFIG, seed=3, started=time.perf_counter())
    found = results.read_arrays(path)
    assert list(found) == ["nfe_55", "nfe_25"]
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
    assert results.provenance(path)["config"] == CONFIG


def test_provenance(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write(table(), path, started=time.perf_counter() - 2.0, device="cuda:0")
    found = results.provenance(path)
    assert found["config"] == CONFIG
    assert found["config_hash"] == results.config_hash(CONFIG)
    assert found["seed"] == 3
    assert found["device"] == "cuda:0"
    assert 2.0 <= found["wall_seconds"] < 60.0
    assert found["packages"]["numpy"] == np.__version__
    assert found["packages"]["python"] == ".".join(map(str, sys.version_info[:3]))


def test_code_version_is_that_of_git(tmp_path: Path) -> None:
    write(table(), tmp_path / "a.parquet")
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    expected = described.stdout.strip() or "unknown"
    assert results.provenance(tmp_path / "a.parquet")["code_version"] == expected


def test_code_version_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    write(table(), tmp_path / "a.parquet")
    assert results.provenance(tmp_path / "a.parquet")["code_version"] == "unknown"


def test_peak_memory_is_in_mb(tmp_path: Path) -> None:
    """Against the kernel's own record of the process, where there is one."""
    write(table(), tmp_path / "a.parquet")
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("no record of the process to compare with")
    peak = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="utf-8"))
    assert peak is not None
    found = results.provenance(tmp_path / "a.parquet")["peak_memory_mb"]
    assert found == pytest.approx(int(peak[1]) / 1024, rel=0.2)


def test_config_hash_ignores_order_but_not_values() -> None:
    reordered = dict(reversed(CONFIG.items()))
    assert results.config_hash(reordered) == results.config_hash(CONFIG)
    assert results.config_hash(CONFIG | {"chains": 11}) != results.config_hash(CONFIG)
    assert len(results.config_hash({})) == 64


@pytest.mark.parametrize("column", results.COLUMNS)
def test_missing_column_is_named(tmp_path: Path, column: str) -> None:
    with pytest.raises(ValueError, match=column):
        write(table().drop(columns=column), tmp_path / "a.parquet")
    assert not list(tmp_path.iterdir())


def test_empty_table(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no rows"):
        write(table().head(0), tmp_path / "a.parquet")


def test_fractions_are_no_counts(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="column nfe"):
        write(table(nfe=24.5), tmp_path / "a.parquet")


def test_numbers_are_no_names(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="column method"):
        write(table(method=2), tmp_path / "a.parquet")


def test_configuration_that_is_not_json(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="not JSON"):
        write(table(), tmp_path / "a.parquet", config={"path": tmp_path})
    assert not list(tmp_path.iterdir())


def test_array_cannot_take_the_place_of_the_provenance(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="provenance"):
        results.write_arrays(
            {"provenance": np.zeros(1)}, tmp_path / "a.npz", config={}, seed=None, started=0.0
        )


def test_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.parquet"
    write(table(value=1.0), path)
    before = path.read_bytes()

    def fail(_: object, where: Path) -> None:
        Path(where).write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(pq, "write_table", fail)
    with pytest.raises(OSError, match="disk full"):
        write(table(value=2.0), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_atomic_shows_nothing_before_the_end(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "a.txt"
    with results.atomic(path) as unfinished:
        unfinished.write_text("new", encoding="utf-8")
        assert not path.exists()
        assert unfinished.parent == path.parent
    assert path.read_text(encoding="utf-8") == "new"
    assert list(path.parent.iterdir()) == [path]


def test_nothing_to_read() -> None:
    with pytest.raises(ValueError, match="no result file"):
        results.read()


@pytest.mark.parametrize("name", ["a.parquet", "a.npz"])
def test_foreign_file_has_no_provenance(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if path.suffix == ".npz":
        np.savez(path, x=np.zeros(1))
    else:
        table().to_parquet(path)
    with pytest.raises(ValueError, match="no provenance"):
        results.provenance(path)


def test_provenance_is_json_in_the_schema(tmp_path: Path) -> None:
    """Readable without this project: a key of the Parquet metadata."""
    write(table(), tmp_path / "a.parquet")
    metadata = pq.read_schema(tmp_path / "a.parquet").metadata
    assert json.loads(metadata[b"provenance"]) == results.provenance(tmp_path / "a.parquet")


def test_numbers_come_back(tmp_path: Path) -> None:
    results.write_numbers({"slope": -1.0, "count": 3}, tmp_path / "numbers.json")
    assert results.read_numbers(tmp_path / "numbers.json") == {"slope": -1.0, "count": 3.0}


@pytest.mark.parametrize("numbers", [{}, {"slope": math.nan}, {"slope": math.inf}])
def test_numbers_must_be_there_and_finite(tmp_path: Path, numbers: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        results.write_numbers(numbers, tmp_path / "numbers.json")
    assert not (tmp_path / "numbers.json").exists()
