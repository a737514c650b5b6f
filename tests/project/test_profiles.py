"""Where the workflow runs: profiles of Snakemake for a cluster and a GPU, and the container."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROFILES = ROOT / "profiles"
CONTAINER = PROFILES / "container"
ADDED = ("slurm", "gpu")


def profile(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(
        (PROFILES / name / "config.yaml").read_text(encoding="utf-8")
    )
    return content


def scripts_of_rules() -> dict[str, str]:
    """Rule -> the source of its script, if that is a file of its own."""
    found = {}
    for file in (ROOT / "experiments" / "rules").glob("*.smk"):
        for rule in re.split(r"^rule ", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            script = (file.parent / rule.split('script:\n        "')[1].split('"')[0]).resolve()
            if script.exists():
                found[rule.split(":")[0]] = script.read_text(encoding="utf-8")
    return found


def test_no_profile_replaces_what_another_says() -> None:
    """Snakemake takes a key from the last profile that has it, as a whole."""
    keys = [key for name in ("default", *ADDED) for key in profile(name)]
    assert len(keys) == len(set(keys))


def test_jobs_that_run_on_a_gpu_ask_for_it_and_have_it_alone() -> None:
    asked = profile("gpu")["set-resources"]
    on_gpu = {rule for rule, source in scripts_of_rules().items() if '"cuda"' in source}
    assert {*asked} == on_gpu != set()
    assert all(resources == {"gpu": 1} for resources in asked.values())
    assert profile("gpu")["resources"] == {"gpu": 1}


def test_a_job_lost_on_the_cluster_is_submitted_again_by_snakemake_alone() -> None:
    slurm = profile("slurm")
    assert slurm["executor"] == "slurm"
    assert slurm["restart-times"] >= 1
    assert slurm["slurm-no-requeue"]


def test_a_further_attempt_on_the_cluster_has_more_memory_and_time() -> None:
    resources = profile("slurm")["default-resources"]
    assert {*resources} == {"mem_mb", "runtime"}
    assert all(re.fullmatch(r"\d+ \* attempt", size) for size in resources.values())


def plan(*arguments: str) -> str:
    """What a dry run of the smoke workflow prints."""
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--forceall", *arguments]
    targets = ["results/smoke/tables/calibration.csv", "results/smoke/tables/mixing.csv"]
    run = subprocess.run(
        [*command, "--config", "scale=smoke", "--", *targets],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def resources_of(rule: str, printed: str) -> set[str]:
    """The lines of resources of all jobs of a rule, without the folder for scratch files."""
    jobs = re.findall(rf"^rule {rule}:\n(?:    .*\n)*?    resources: (.*)$", printed, re.MULTILINE)
    return {re.sub(r"(, )?tmpdir=[^,]*(, )?", "", job) for job in jobs}


@pytest.mark.slow
def test_plan_with_a_gpu() -> None:
    printed = plan("--cores", "4", "--profile", "profiles/gpu")
    assert resources_of("simulate_mixture", printed) == {"gpu=1"}
    assert resources_of("study", printed) == {""}


@pytest.mark.slow
def test_plan_on_a_cluster_with_gpus() -> None:
    printed = plan("--profile", "profiles/slurm", "--profile", "profiles/gpu")
    (sampling,) = resources_of("simulate_mixture", printed)
    (study,) = resources_of("study", printed)
    assert {"mem_mb=4000", "runtime=360"} <= {*study.split(", ")}
    assert {*sampling.split(", ")} - {*study.split(", ")} == {"gpu=1"}


def test_container_has_the_same_python_and_pins_and_runs_make() -> None:
    lines = (CONTAINER / "Dockerfile").read_text(encoding="utf-8").splitlines()
    steps = [line for line in lines if line and line[0] not in "# "]
    python = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    version = python["dependencies"][0].removeprefix("python=")
    assert steps[0].startswith(f"FROM python:{version}-")
    assert steps[-1] == 'CMD ["make"]'
    environment = f"RUN make env PYTHON=python{version}"
    assert steps.index("COPY Makefile requirements.txt ./") < steps.index(environment)
    assert steps.index(environment) < steps.index("COPY . .")
    assert "==" not in "".join(steps)
    assert "pip install" not in "".join(steps)


def test_container_leaves_out_what_git_ignores() -> None:
    """Results and environments of the host do not get into the image."""
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    left_out = (CONTAINER / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    assert {name.strip("/") for name in ignored} == {name.removeprefix("**/") for name in left_out}
