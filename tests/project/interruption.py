"""Kill the smoke workflow at random moments, start it again each time, and compare its results.

Two copies of the project run the workflow: one is left alone, the other is killed with SIGKILL, all
of its processes at once, and started again with the same command. At the end the results of both
must have the same content::

    python -m tests.project.interruption --kills 50

Content is what does not depend on the clock or on the machine: `content` leaves out the provenance,
and seconds and memory in tables and numbers. The article is compared as it is set from the same
seconds and memory, at the same date.
"""

import argparse
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import typst

from experiments.workflow import recovery
from tests.project.contents import content
from tests.project.copies import copy_of_project

SMOKE = Path("results/smoke")
CLOCK = {"compute.csv", "compute.json", "calibrated_solver.csv", "calibrated_solver.json"}
"""Files of seconds and memory, which the article quotes."""


@dataclass(frozen=True)
class Kill:
    """What a kill met, and what it left.

    Attributes:
        seconds: time from the start of the run to its death.
        jobs: the jobs that were at work, each as the rule and its wildcards.
        unfinished: files of which a part had been written.
        incomplete: number of results of which Snakemake knows that their job had not ended.
        unrecorded: number of results whose job had ended, without a record.
        locked: whether Snakemake left its lock.
    """

    seconds: float
    jobs: tuple[str, ...]
    unfinished: tuple[str, ...]
    incomplete: int
    unrecorded: int
    locked: bool

    def row(self) -> str:
        """The kill as a row of the table of `report`."""
        jobs = ", ".join(self.jobs) or "none"
        unfinished = ", ".join(self.unfinished) or "none"
        return (
            f"| {self.seconds:.1f} | {jobs} | {unfinished} | {self.incomplete} | "
            f"{self.unrecorded} | {'yes' if self.locked else 'no'} |"
        )


HEAD = """\
| second | jobs at work | unfinished files | incomplete | without record | locked |
|---|---|---|---|---|---|"""


def command(cores: int, targets: Sequence[str] = ()) -> list[str]:
    """The command that starts the workflow, for the first time and again."""
    smoke = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--config", "scale=smoke"]
    return [*smoke, "--", *targets]


def start(project: Path, cores: int, targets: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    """Start the workflow in a session of its own; what it prints goes to `interruption.log`."""
    with (project / "interruption.log").open("ab") as log:
        return subprocess.Popen(
            command(cores, targets),
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(project)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def disturb(
    project: Path, moments: Iterable[float], cores: int, targets: Sequence[str] = ()
) -> list[Kill]:
    """Start the workflow once for each moment, kill it then, and let a last run come to its end.

    Args:
        project: a copy of the project.
        moments: seconds after its start at which a run is killed. The series ends early if a run
            has come to its end before.
        cores: as for Snakemake.
        targets: the files to make; all if there are none.

    Raises:
        RuntimeError: if a run fails by itself; the message names the log.
    """
    kills = []
    for moment in moments:
        run, begun = start(project, cores, targets), time.monotonic()
        try:
            run.wait(moment)
            break
        except subprocess.TimeoutExpired:
            kills.append(_kill(project, run, begun))
            print(kills[-1].row(), flush=True)
    else:
        run = start(project, cores, targets)
    if run.wait() != 0:
        raise RuntimeError(f"a run failed by itself: see {project / 'interruption.log'}")
    return kills


def _kill(project: Path, run: subprocess.Popen[bytes], begun: float) -> Kill:
    jobs = _jobs(run.pid)
    os.killpg(run.pid, signal.SIGKILL)
    seconds = time.monotonic() - begun
    run.wait()
    records = project / recovery.RECORDS
    return Kill(
        seconds,
        tuple(jobs),
        tuple(file.name for file in recovery.unfinished(project)),
        sum(file.is_file() for file in (records / "incomplete").rglob("*")),
        len(recovery.unrecorded(project)),
        any((records / "locks").glob("*.lock")),
    )


def _jobs(group: int) -> list[str]:
    """The scripts at work in a process group."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pgid=,args="], capture_output=True, encoding="utf-8", check=True
    ).stdout
    mine = "\n".join(line for line in listed.splitlines() if line.split()[0] == str(group))
    return sorted(set(re.findall(r"\.snakemake/scripts/\w+\.(\w+)\.py", mine)))


def contents(project: Path) -> dict[str, str]:
    """The digests of all results at smoke scale, the article apart, and of the images."""
    left_out = {"logs", "benchmarks", "paper.pdf", *CLOCK}
    return {
        name: content(file)
        for file in sorted((project / "results").rglob("*"))
        if file.is_file()
        and not left_out & set((name := str(file.relative_to(project))).split("/"))
    }


def article(project: Path, clock: Path) -> str:
    """A digest of the article, set from the seconds and the memory of another run."""
    with tempfile.TemporaryDirectory(dir=project) as folder:
        copy = Path(folder) / "results"
        shutil.copytree(project / SMOKE, copy)
        for file in copy.rglob("*"):
            if file.name in CLOCK:
                shutil.copy(clock / SMOKE / file.relative_to(copy), file)
        pdf = typst.compile(
            project / "paper" / "main.typ",
            root=project,
            sys_inputs={"results": f"/{copy.relative_to(project)}"},
            ignore_system_fonts=True,
            timestamp=0,
        )
        return hashlib.sha256(pdf).hexdigest()


def differences(calm: Path, killed: Path) -> list[str]:
    """The names of the results of two copies that are not the same, or are there only once."""
    left, right = contents(calm), contents(killed)
    left["article"], right["article"] = article(calm, calm), article(killed, calm)
    return sorted(name for name in left | right if left.get(name) != right.get(name))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--between", type=float, nargs=2, default=(5.0, 40.0), help="seconds")
    parser.add_argument("--folder", type=Path, help="an empty one; a temporary one if left out")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp())
    calm, killed = (folder / name for name in ("calm", "killed"))
    drawn = random.Random(options.seed)
    print(HEAD)
    kills = disturb(
        copy_of_project(killed, "environment.yml"),
        [drawn.uniform(*options.between) for _ in range(options.kills)],
        options.cores,
    )
    disturb(copy_of_project(calm, "environment.yml"), [], options.cores)
    print(f"{len(kills)} kills; {len(contents(calm))} results; different: ", end="")
    print(", ".join(differences(calm, killed)) or "none")


if __name__ == "__main__":
    main()
