"""Every kind of result is written whole or not at all: kills, full disks and disks that fail.

Each kind is written over an older file, in a child process that dies or finds no room on the way.
"""

import errno
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure

from experiments.images import network, train
from experiments.workflow import recovery, results
from figures import style
from tests.experiments.workflow.test_results import table, write

OLD = b"the older file"


def arrays(path: Path) -> None:
    values = np.random.default_rng(0).normal(size=10_000)
    results.write_arrays({"x": values}, path, config={}, seed=None, started=0.0)


def csv(path: Path) -> None:
    results.write_csv(pd.DataFrame({"x": np.arange(10_000)}), path)


def numbers(path: Path) -> None:
    results.write_numbers({f"number_{k}": 1.0 for k in range(1000)}, path)


def figure(path: Path) -> None:
    drawn = Figure()
    drawn.subplots().plot([0, 1], [0, 1])
    style.save(drawn, path)


def small() -> train.Training:
    return train.Training(steps=3, decay_steps=1, warm_up_steps=1, fine=8, coarse=16)


def weights(path: Path) -> None:
    network.save(train.initial_state(torch.zeros(2, 1, 28, 28), small()).network, path)


def state(path: Path) -> None:
    train.save_state(train.initial_state(torch.zeros(2, 1, 28, 28), small()), small(), path)


WRITERS: dict[str, Callable[[Path], None]] = {
    "a.parquet": lambda path: write(pd.concat([table()] * 2000), path),
    "a.npz": arrays,
    "a.csv": csv,
    "a.json": numbers,
    "a.pdf": figure,
    "a.safetensors": weights,
    "a.state.pt": state,
}


@pytest.fixture(params=WRITERS)
def path(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / "results" / str(request.param)
    path.parent.mkdir()
    path.write_bytes(OLD)
    return path


def in_a_child(work: Callable[[], None]) -> int:
    """Do the work in a copy of this process; how it ended, as `os.waitpid` has it.

    An error of the work ends the child with status 1.
    """
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def test_writer_writes(path: Path) -> None:
    WRITERS[path.name](path)
    assert path.stat().st_size > 4096
    assert recovery.unfinished(path.parents[1]) == []


def test_killed_before_the_end(path: Path) -> None:
    """The child dies when all is written, and nothing is known to be on the disk yet."""

    def work() -> None:
        os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
        WRITERS[path.name](path)

    assert in_a_child(work) == signal.SIGKILL
    assert path.read_bytes() == OLD
    (left,) = recovery.unfinished(path.parents[1])
    recovery.put_in_order(path.parents[1])
    assert not left.exists()
    assert path.read_bytes() == OLD


def test_no_room(path: Path) -> None:
    """No file may have more than 4096 bytes; the error says what is not there, and why."""
    told = path.parents[1] / "told"
    told.touch()

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            WRITERS[path.name](path)
        except Exception as error:
            told.write_text("".join(error.__notes__), encoding="utf-8")
            raise

    assert os.waitstatus_to_exitcode(in_a_child(work)) == 1
    note = f"{path} was not written; a file that was there before is unchanged."
    assert told.read_text(encoding="utf-8").startswith(note)
    assert path.read_bytes() == OLD
    assert recovery.unfinished(path.parents[1]) == []


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_disk_that_fails_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Some file systems tell only then that there was no room."""

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, step, fail)
    path = tmp_path / "results" / "a.csv"
    path.parent.mkdir()
    path.write_bytes(OLD)
    with pytest.raises(OSError, match="No space left on device") as caught:
        csv(path)
    assert "MB of free space" in caught.value.__notes__[0]
    assert path.read_bytes() == OLD
    assert [*path.parent.iterdir()] == [path]


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A file stands where the folder should be. The note is there too."""
    (tmp_path / "results").touch()
    with pytest.raises(OSError, match="results") as caught:
        csv(tmp_path / "results" / "tables" / "a.csv")
    assert "was not written" in caught.value.__notes__[0]


def test_the_file_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, seen = tmp_path / "a.csv", []
    monkeypatch.setattr(os, "fsync", lambda descriptor: seen.append(path.exists()))
    csv(path)
    assert seen == [False]
