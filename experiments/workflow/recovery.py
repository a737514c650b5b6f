"""What a run of the workflow does first: it puts in order what a killed run has left.

A killed Snakemake leaves its lock, and jobs that were writing leave unfinished files. Nobody can
tell from a lock file whether the run that wrote it is still alive. Therefore every Snakemake
process of a folder also holds advisory locks of the operating system, which the kernel releases
when the process dies, however it dies. The processes that the user starts share the lock `RUNS`;
they and their jobs share the lock `JOBS`. Whoever can have both for himself alone is the only one
at work, so that what looks like work in progress is left over.

Where the file system has no such locks, nothing is done: Snakemake then reports its stale lock, and
says how to remove it.
"""

import errno
import fcntl
import os
import re
import sys
from functools import cache
from pathlib import Path

from snakemake.persistence.file import FilePersistence

RECORDS = Path(".snakemake")
"""The folder of Snakemake's records, in that of the workflow."""

RUNS, JOBS = "runs.flock", "jobs.flock"

UNFINISHED = re.compile(r"\..+\.\d+")
"""The name of a file that `results.atomic` has not moved to its final place."""

NOT_ALONE = """\
Another Snakemake is at work in this folder. Plans and reports can be made meanwhile; a run has to
wait until the other one has ended. Do not remove its lock."""

NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EROFS, errno.EACCES)
"""Errors of file systems without locks, and of folders that cannot be written."""

WAITING = """\
A run in this folder was killed, and some of its jobs are still at work. This one begins as soon as
they have ended."""


@cache
def begin(*, job: bool) -> None:
    """Register this process in the current folder, until it ends; the first one puts it in order.

    Waits for the jobs of a run that was killed without them. Says so, and also if another process
    that the user started is at work; that one's files are left alone.

    Args:
        job: whether this process is a job of a run, and not the run itself.
    """
    try:
        RECORDS.mkdir(exist_ok=True)
        runs, jobs = (_open(RECORDS / name) for name in (RUNS, JOBS))
        if not job:
            if _take(runs):
                if not _take(jobs):
                    print(WAITING, file=sys.stderr)
                    fcntl.flock(jobs, fcntl.LOCK_EX)
                put_in_order(Path())
            else:
                print(NOT_ALONE, file=sys.stderr)
            fcntl.flock(runs, fcntl.LOCK_SH)
        fcntl.flock(jobs, fcntl.LOCK_SH)
        # A lock lives as long as any process that has its descriptor. The only input that Snakemake
        # passes on to a script, whose process can outlive it, is its standard input.
        os.dup2(jobs, 0)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise


def put_in_order(folder: Path) -> None:
    """Remove what a killed run left in a folder: its lock, and unfinished files.

    The results without a record are marked as incomplete, so that they are made again. Otherwise a
    later change of the code would not be noticed.
    """
    records = FilePersistence(path=(folder / RECORDS).absolute())
    for name in unrecorded(folder):
        records._mark_incomplete(name, None)
    for lock in (folder / RECORDS / "locks").glob("*.lock"):
        lock.unlink()
    for file in unfinished(folder):
        file.unlink()


def unrecorded(folder: Path) -> list[str]:
    """The results of a killed run whose job had ended, but of which Snakemake has no record yet.

    The lock of the run lists all results that it was to make, and is as old as the run.
    """
    records = FilePersistence(path=(folder / RECORDS).absolute())
    return [
        name
        for lock in sorted((folder / RECORDS / "locks").glob("*.output.lock"))
        for name in lock.read_text(encoding="utf-8").splitlines()
        if _made_since(folder / name, lock.stat().st_mtime)
        and not records._filter_incomplete_keys([name])
        and records._read_record(name) is None
    ]


def unfinished(folder: Path) -> list[Path]:
    """The files under the results that `results.atomic` has not moved to their final place."""
    hidden = (folder / "results").rglob(".*")
    return sorted(file for file in hidden if UNFINISHED.fullmatch(file.name))


def _open(file: Path) -> int:
    """A new descriptor of a file. Children of this process do not inherit it."""
    return os.open(file, os.O_RDWR | os.O_CREAT, 0o666)


def _take(lock: int) -> bool:
    """Take a lock for this process alone, if nobody else has it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _made_since(file: Path, begun: float) -> bool:
    return file.exists() and file.stat().st_mtime >= begun
