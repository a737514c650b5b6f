"""Result files: what is written is read again, says how it was made, and is never half there."""

import json
import math
import os
import re
import shutil
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


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    run = subprocess.run(
        ["git", *identity, *arguments],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return run.stdout.strip()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The module alone, in its place in a folder that stands for the project."""
    project = tmp_path / "outer" / "project"
    place = project / "experiments" / "workflow" / "results.py"
    place.parent.mkdir(parents=True)
    shutil.copyfile(str(results.__file__), place)
    return project


def code_version(project: Path, **environment: str) -> str:
    code = "import results; print(results._code_version())"
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project / "experiments" / "workflow",
        env={**os.environ, **environment},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return run.stdout.strip()


def commit(folder: Path, *files: str) -> str:
    """A repository with these files in one commit; its abbreviated name."""
    git(folder, "init", "--quiet")
    (folder / "README").write_text("", encoding="utf-8")
    git(folder, "add", "README", *files)
    git(folder, "commit", "--quiet", "--message", "one")
    return git(folder, "describe", "--always")


def test_code_version_is_that_of_the_project(copy: Path) -> None:
    expected = commit(copy, "experiments")
    assert code_version(copy) == expected
    with (copy / "README").open("a", encoding="utf-8") as readme:
        readme.write("changed")
    assert code_version(copy) == f"{expected}-dirty"


def test_code_version_is_not_that_of_a_repository_around(copy: Path) -> None:
    """As after unpacking an archive of the project inside another project, or over its files."""
    commit(copy.parent)
    assert code_version(copy) == "unknown"
    commit(copy)
    assert code_version(copy) == "unknown"


def test_code_version_is_not_that_of_a_project_that_holds_a_copy(copy: Path) -> None:
    commit(copy.parent, "project")
    assert code_version(copy) == "unknown"


def test_code_version_is_not_that_of_the_environment(copy: Path, tmp_path: Path) -> None:
    """As in a hook of another repository, where git sets these variables."""
    (tmp_path / "other").mkdir()
    other = commit(tmp_path / "other")
    variables = {"GIT_DIR": str(tmp_path / "other" / ".git"), "GIT_WORK_TREE": str(copy)}
    assert code_version(copy, **variables) == "unknown"
    expected = commit(copy, "experiments")
    assert code_version(copy, **variables) == expected != other


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


@pytest.mark.parametrize("column", ["nfe", "seed", "method", "metric"])
def test_missing_value_is_named(tmp_path: Path, column: str) -> None:
    with pytest.raises(ValueError, match=f"column {column} has a missing value"):
        write(pd.concat([table(), table(**{column: None})]), tmp_path / "a.parquet")


@pytest.mark.parametrize("seed", [2**64, 2**63, -1, 1.5])
def test_seed_that_no_table_can_hold(tmp_path: Path, seed: Any) -> None:
    message = r"seed must be None or an integer from 0 to 2\^63 - 1"
    with pytest.raises(ValueError, match=message):
        write(table(), tmp_path / "a.parquet", seed=seed)
    with pytest.raises(ValueError, match=message):
        results.write_arrays({}, tmp_path / "a.npz", config={}, seed=seed, started=0.0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("seed", [2**64, float(2**62), "7a"])
def test_column_of_seeds_that_are_none(tmp_path: Path, seed: object) -> None:
    """A floating-point seed has lost its last digits."""
    with pytest.raises(ValueError, match="column seed"):
        write(table(seed=seed), tmp_path / "a.parquet")


@pytest.mark.parametrize("seed", [0, 2**63 - 1, np.int64(5), None])
def test_seed_comes_back(tmp_path: Path, seed: int | None) -> None:
    write(table(), tmp_path / "a.parquet", seed=seed)
    assert results.provenance(tmp_path / "a.parquet")["seed"] == seed


def test_numbers_are_no_names(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="column method"):
        write(table(method=2), tmp_path / "a.parquet")


def test_configuration_that_is_not_json(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="not JSON"):
        write(table(), tmp_path / "a.parquet", config={"path": tmp_path})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("provenance", np.zeros(1), "cannot be named 'provenance'"),
        ("file", np.zeros(1), "cannot be named 'file'"),
        ("allow_pickle", np.zeros(1), "cannot be named 'allow_pickle'"),
        ("x", np.array([{}, None]), "'x' holds Python objects"),
    ],
)
def test_array_that_could_not_be_read_again(
    tmp_path: Path, name: str, array: np.ndarray, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        results.write_arrays({name: array}, tmp_path / "a.npz", config={}, seed=None, started=0.0)
    assert not list(tmp_path.iterdir())


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
