"""What a run finds out about others, and what it puts in order when it is alone.

The processes of these tests stand for Snakemake and its jobs: they begin as those do, and then
sleep until they are killed.
"""

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from snakemake.persistence import MetadataRecord
from snakemake.persistence.file import FilePersistence

from experiments.workflow import recovery, results

ROOT = Path(__file__).parents[3]

RUN = """
import subprocess, sys, time
from experiments.workflow import recovery
recovery.begin(job=False)
print("begun", flush=True)
"""
WITH_A_JOB = (
    RUN
    + """
job = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(job.pid, flush=True)
"""
)
SLEEP = "time.sleep(60)\n"


def run(folder: Path, code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def says(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def left(tmp_path: Path) -> Iterator[Path]:
    """A file that the first run in the folder removes, in a folder in which a run is at work."""
    first = run(tmp_path, RUN + SLEEP)
    assert says(first) == "begun"
    yield leave(tmp_path)
    first.kill()
    first.communicate()


def leave(folder: Path) -> Path:
    file = folder / "results" / ".table.parquet.123"
    file.parent.mkdir(exist_ok=True)
    file.touch()
    return file


def test_a_second_run_is_told_and_touches_nothing(left: Path) -> None:
    _, printed = run(left.parents[1], RUN).communicate(timeout=30)
    assert "Another Snakemake is at work in this folder" in printed
    assert left.exists()


def test_a_run_after_one_that_was_killed_puts_in_order(tmp_path: Path) -> None:
    first = run(tmp_path, RUN + SLEEP)
    assert says(first) == "begun"
    left = leave(tmp_path)
    first.kill()
    first.communicate()
    _, printed = run(tmp_path, RUN).communicate(timeout=30)
    assert printed == ""
    assert not left.exists()


def test_a_run_waits_for_the_jobs_of_one_that_was_killed_alone(tmp_path: Path) -> None:
    first = run(tmp_path, WITH_A_JOB + SLEEP)
    assert says(first) == "begun"
    job = int(says(first))
    left = leave(tmp_path)
    first.kill()
    first.communicate()
    second = run(tmp_path, RUN)
    assert second.stderr is not None
    assert second.stderr.readline().startswith("A run in this folder was killed, and some of its")
    time.sleep(0.5)
    assert second.poll() is None
    assert left.exists()
    os.kill(job, signal.SIGKILL)
    assert second.communicate(timeout=30)[0] == "begun\n"
    assert not left.exists()


def test_without_locks_nothing_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.chdir(tmp_path)
    left = leave(tmp_path)
    recovery.begin.__wrapped__(job=False)
    assert left.exists()


def test_another_error_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int, operation: int) -> None:
        raise OSError(errno.EIO, "broken disk")

    monkeypatch.setattr(fcntl, "flock", fail)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError, match="broken disk"):
        recovery.begin.__wrapped__(job=False)


@pytest.fixture
def killed(tmp_path: Path) -> FilePersistence:
    """The records of a run that was to make four results, and was killed.

    ``old`` was there before, the job of ``cut`` was at work, that of ``unrecorded`` had ended, and
    that of ``whole`` is on record.
    """
    records = FilePersistence(path=tmp_path / ".snakemake")
    names = [f"results/{name}.csv" for name in ("old", "cut", "unrecorded", "whole")]
    (tmp_path / "results").mkdir()
    records._write_locks("input", ["paper/claims.yaml"])
    records._write_locks("output", [*names, "results/missing.csv"])
    for name in names:
        (tmp_path / name).touch()
    os.utime(tmp_path / names[0], (0, 0))
    records._mark_incomplete(names[1], "a job of a cluster")
    records._write_record(names[3], MetadataRecord(rule="table"))
    return records


def test_results_without_a_record_are_made_again(tmp_path: Path, killed: FilePersistence) -> None:
    assert recovery.unrecorded(tmp_path) == ["results/unrecorded.csv"]
    recovery.put_in_order(tmp_path)
    names = [f"results/{name}.csv" for name in ("old", "cut", "unrecorded", "whole", "missing")]
    after = FilePersistence(path=tmp_path / ".snakemake")
    assert after._filter_incomplete_keys(names) == set(names[1:3])
    assert after._get_external_jobids(names) == {"a job of a cluster"}
    assert not [*after._read_locks()]
    assert all((tmp_path / name).exists() for name in names[:4])


def test_a_record_that_was_cut_is_none(tmp_path: Path, killed: FilePersistence) -> None:
    name = "results/whole.csv"
    record = Path(killed._record_path(killed._metadata_path, name))
    record.write_bytes(record.read_bytes()[:10])
    assert recovery.unrecorded(tmp_path) == ["results/unrecorded.csv", name]


def test_nothing_but_unfinished_files_is_removed(tmp_path: Path) -> None:
    kept = [".hidden", ".hidden.csv", "table.parquet", "score.state.pt", "sub/.keep", "run.123"]
    for name in kept:
        (tmp_path / "results" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "results" / name).touch()
    with results.atomic(tmp_path / "results" / "sub" / "a.npz") as unfinished:
        unfinished.touch()
        recovery.put_in_order(tmp_path)
        assert not unfinished.exists()
        unfinished.touch()
    found = {str(file.relative_to(tmp_path / "results")) for file in files(tmp_path / "results")}
    assert found == {*kept, "sub/a.npz"}


def files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]
