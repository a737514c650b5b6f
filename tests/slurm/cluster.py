"""The workflow on a real Slurm cluster of two virtual nodes on this machine.

    .venv/bin/python -m tests.slurm.cluster [TARGET ...]

starts the cluster and runs targets of the smoke workflow three times, in copies of the project:
without Slurm; through `profiles/slurm`; and once more through it while the node of a running job is
killed. It compares the results bit for bit. Both nodes are daemons with one processor each.

It needs root, and Slurm's programs; on Debian

    apt-get install --no-install-recommends slurmctld slurmd slurm-client munge

It refuses to run where `/etc/slurm/slurm.conf` exists. At the end it stops the daemons, and removes
that file and all others that it wrote.
"""

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.project.contents import content
from tests.project.copies import copy_of_project

CONFIG = Path("/etc/slurm/slurm.conf")
"""Where the programs of Slurm look, also those that a job calls, whose environment is not ours."""
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "sinfo")
NODES = {"n1": 17001, "n2": 17002}
TARGETS = ("data/mixtures/circle/ddpm.parquet", "data/mixtures/circle/rtk-mala.parquet")
PATIENCE = 900.0
"""Seconds after which a workflow that has not finished has failed."""
ON_CLUSTER = (
    *("--profile", "profiles/slurm", "--seconds-between-status-checks", "2"),
    *("--slurm-init-seconds-before-status-checks", "2"),
)
"""Through the profile, asking for the states of jobs sooner than a large cluster should be."""

Found = TypeVar("Found")


def missing() -> str:
    """Why no cluster can be started here, or an empty text."""
    if os.geteuid() != 0:
        return "only root can start the daemons of Slurm"
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    if absent:
        return (
            f"not installed: {', '.join(absent)} (on Debian: apt-get install "
            "--no-install-recommends slurmctld slurmd slurm-client munge)"
        )
    if CONFIG.exists():
        return f"{CONFIG} exists: this machine has a cluster, which stays as it is"
    return ""


def configuration(scratch: Path) -> str:
    """The file `slurm.conf` of two nodes without accounting; the daemons write into ``scratch``."""
    host = socket.gethostname().split(".")[0]
    nodes = "\n".join(
        f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=1 "
        "RealMemory=64000"
        for name, port in NODES.items()
    )
    return f"""ClusterName=local
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
CredType=cred/none
MpiDefault=none
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
MinJobAge=3600
SlurmdTimeout=10
SlurmctldPidFile={scratch}/slurmctld.pid
SlurmdPidFile={scratch}/%n.pid
StateSaveLocation={scratch}/state
SlurmdSpoolDir={scratch}/spool-%n
SlurmctldLogFile={scratch}/slurmctld.log
SlurmdLogFile={scratch}/%n.log
{nodes}
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


@dataclass
class Cluster:
    """The daemons of a running cluster, by the names of the nodes and ``"controller"``."""

    scratch: Path
    daemons: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self) -> None:
        """Start the daemons, and wait until all nodes are idle.

        Raises:
            TimeoutError: if they are not within a minute.
        """
        (self.scratch / "state").mkdir()
        commands = {"controller": ["slurmctld", "-D"]}
        commands |= {node: ["slurmd", "-D", "-N", node] for node in NODES}
        for name, command in commands.items():
            self.daemons[name] = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        wait(lambda: run("sinfo", "-h", "-t", "idle", "-o", "%D").strip() == str(len(NODES)), 60)

    def kill(self, node: str) -> None:
        """End a node: its daemon first, so that it reports nothing, then all of its jobs."""
        self.daemons[node].kill()
        self.daemons[node].wait()
        of_node = processes(f"SLURMD_NODENAME={node}")
        for process in [*{parent(p) for p in of_node if name(parent(p)) == "slurmstepd"}, *of_node]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def stop(self) -> None:
        """Cancel what runs and end all daemons."""
        if self.daemons["controller"].poll() is None:
            subprocess.run(["scancel", "--user", "root"], check=False, timeout=60)
        for daemon in reversed(self.daemons.values()):
            daemon.terminate()
            daemon.wait(timeout=60)


@contextlib.contextmanager
def cluster(scratch: Path) -> Iterator[Cluster]:
    """A running cluster. Afterwards nothing of it is left but the files in ``scratch``.

    Raises:
        RuntimeError: if none can be started here.
    """
    if reason := missing():
        raise RuntimeError(reason)
    made = not CONFIG.parent.exists()
    CONFIG.parent.mkdir(exist_ok=True)
    running = Cluster(scratch)
    with CONFIG.open("x", encoding="utf-8") as file:
        file.write(configuration(scratch))
    try:
        running.start()
        yield running
    finally:
        try:
            running.stop()
        finally:
            CONFIG.unlink()
            if made:
                CONFIG.parent.rmdir()


def run(*command: str) -> str:
    """What a command prints; nothing if it fails."""
    done = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", check=False, timeout=60
    )
    return done.stdout


def wait(condition: Callable[[], Found], seconds: float) -> Found:
    """The first value of ``condition()`` that is true or not empty.

    Raises:
        TimeoutError: if there is none after ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing happened in {seconds:g} s")
        time.sleep(0.2)
    return value


def processes(variable: str) -> list[int]:
    """The processes that were started with ``NAME=value`` in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if variable.encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


def name(process: int) -> str:
    """The name of a process, empty if there is none."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/comm").read_text(encoding="utf-8").strip()
    return ""


def parent(process: int) -> int:
    """The process that started a process, 0 if there is none."""
    with contextlib.suppress(OSError):
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
        return int(stat.rpartition(")")[2].split()[1])
    return 0


@contextlib.contextmanager
def workflow(
    project: Path, targets: list[str], *arguments: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """The smoke workflow, running in ``project``; what it prints goes to `snakemake.log` there."""
    command = [sys.executable, "-m", "snakemake", *arguments, "--config", "scale=smoke", "--"]
    with (project / "snakemake.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *(f"results/smoke/{target}" for target in targets)],
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(project)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=120)


def finish(process: "subprocess.Popen[bytes]", project: Path) -> None:
    """Wait until a workflow ends.

    Raises:
        RuntimeError: if it fails, with what it printed.
    """
    if process.wait(timeout=PATIENCE) != 0:
        text = (project / "snakemake.log").read_text(encoding="utf-8", errors="replace")
        raise RuntimeError(f"the workflow failed:\n{text}")


def contents(project: Path) -> dict[str, str]:
    """A digest of the content of every result, by its path.

    Left out is what has the time of the work: provenance, seconds in tables, logs, benchmarks.
    """
    folder = project / "results" / "smoke"
    files = [path for path in folder.rglob("*") if path.is_file()]
    kept = {str(path.relative_to(folder)): path for path in files}
    return {
        relative: content(path)
        for relative, path in sorted(kept.items())
        if not relative.startswith(("logs/", "benchmarks/"))
    }


def jobs() -> list[str]:
    """The states of all jobs that the cluster remembers, in the order of their submission."""
    return run("squeue", "-h", "-t", "all", "--sort", "i", "-o", "%T").split()


def busy_node() -> str:
    """The node of a job whose script has begun to run, or an empty text."""
    for node in NODES:
        for process in processes(f"SLURMD_NODENAME={node}"):
            with contextlib.suppress(OSError):
                command = Path(f"/proc/{process}/cmdline").read_bytes()
                if b"scripts/" in command and b".snakemake" in command:
                    return node
    return ""


def prove(targets: list[str], scratch: Path) -> None:
    """Run the workflow without Slurm, with it, and with a node that dies; compare the results.

    Raises:
        RuntimeError: if a workflow fails, no job was lost to the dead node, or results differ.
    """
    project = copy_of_project(scratch / "local", "environment.yml")
    began = time.perf_counter()
    with workflow(project, targets, "--cores", "1") as process:
        finish(process, project)
    expected = contents(project)
    say(f"without Slurm: {len(expected)} results", began)
    with cluster(scratch) as slurm:
        project = copy_of_project(scratch / "cluster", "environment.yml")
        began = time.perf_counter()
        with workflow(project, targets, *ON_CLUSTER) as process:
            finish(process, project)
        _compare(expected, project)
        count = len(jobs())
        say(f"on two nodes: the same; {count} jobs", began)

        project = copy_of_project(scratch / "killed", "environment.yml")
        began = time.perf_counter()
        with workflow(project, targets, *ON_CLUSTER) as process:
            node = wait(busy_node, 120)
            slurm.kill(node)
            say(f"killed node {node} in mid-job", began)
            finish(process, project)
        _compare(expected, project)
        states = Counter(jobs()[count:])
        say(f"with a dead node: the same; jobs by state: {dict(states)}", began)
        if not states["NODE_FAIL"]:
            raise RuntimeError("no job was lost to the dead node")


def say(text: str, began: float) -> None:
    """Print a line, with the seconds since ``began``."""
    print(f"{text}, {time.perf_counter() - began:.0f} s", flush=True)


def _compare(expected: dict[str, str], project: Path) -> None:
    """Raise an error if the results of ``project`` are not as expected, bit for bit."""
    found = contents(project)
    if wrong := sorted(k for k in expected | found if expected.get(k) != found.get(k)):
        raise RuntimeError(f"other results on the cluster: {', '.join(wrong)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", default=[*TARGETS], metavar="TARGET")
    arguments = parser.parse_args()
    if reason := missing():
        sys.exit(reason)
    # An exception, so that the cluster is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    with tempfile.TemporaryDirectory(prefix="rtk-slurm-") as scratch:
        prove(arguments.targets, Path(scratch))


if __name__ == "__main__":
    main()
