"""Expected processor time of each experiment at paper scale, from measured times and a cost model.

The seconds of every job are in its benchmark, those of training in the score networks and those of
tuning on images in the files of the settings. Without those of the shortest job, which does hardly
more than start, they grow by the factor of `figures.analysis.cost`. Times are those of one core of
the kind that made the results, with what else it did. From smoke scale, where jobs do little more
than start, the estimate is far too large.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from safetensors import safe_open

from experiments.workflow import job, results
from figures.analysis import cost

SHORT = 1.0
"""Experiments that are expected to take fewer hours share one row."""
OTHERS = f"others, below {SHORT:g} hours each"


def benchmarks(paths: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Rule or study, job and seconds of each benchmark ``.../benchmarks/RULE/JOB.tsv``."""
    for path in paths:
        parts = Path(path).with_suffix("").parts
        name, *others = parts[len(parts) - parts[::-1].index("benchmarks") :]
        seconds = pd.read_csv(path, sep="\t")["s"].mean()
        yield {"rule": name, "job": "/".join(others), "seconds": seconds}


def trainings(networks: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The seconds that the training of each score network took, from the record in its file."""
    for path in networks:
        with safe_open(path, "pt") as file:
            record = json.loads(file.metadata()["record"])
        yield {"rule": "train_score", "job": Path(path).parent.name, "seconds": record["seconds"]}


def tunings(tuned: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The seconds that the tuning of each method on images took, from its file."""
    for path in map(Path, tuned):
        record = json.loads(path.read_text(encoding="utf-8"))
        job = f"{path.parent.name}/{path.stem}"
        yield {"rule": "tune_images", "job": job, "seconds": record["seconds"]}


def expected(jobs: pd.DataFrame, here: Mapping[str, Any], paper: Mapping[str, Any]) -> pd.DataFrame:
    """The jobs with their experiment, and their hours here and, at most, at paper scale.

    Args:
        jobs: columns ``rule``, ``job`` and ``seconds``, one row per job.
        here, paper: the configurations of this scale and of paper scale.
    """
    start = jobs["seconds"].min()
    factors = [
        cost.factor(rule, each, here, paper)
        for rule, each in zip(jobs["rule"], jobs["job"], strict=True)
    ]
    return jobs.assign(
        experiment=[cost.PARTS[rule][0] for rule in jobs["rule"]],
        here=jobs["seconds"] / 3600,
        there=(start + (jobs["seconds"] - start) * factors) / 3600,
    )


def table(jobs: pd.DataFrame) -> pd.DataFrame:
    """One row per experiment, the longest first, from the result of `expected`.

    The last row has all `SHORT` experiments.
    """
    hours = jobs.groupby("experiment")["there"].transform("sum")
    names = jobs["experiment"].where(hours >= SHORT, OTHERS)
    groups = jobs.groupby(names)
    found = pd.DataFrame(
        {
            "jobs": groups.size(),
            "hours here": groups["here"].sum(),
            "hours at paper scale": groups["there"].sum(),
            "longest job (hours)": groups["there"].max(),
        }
    ).sort_values("hours at paper scale", ascending=False, kind="stable")
    last = found.index == OTHERS
    return pd.concat([found[~last], found[last]]).reset_index(names="experiment")


def longest_path(jobs: pd.DataFrame) -> float:
    """Hours of the longest chain of jobs that wait for one another, however many run at once.

    Images are sampled with a network that was trained, and samplers run with settings that were
    tuned. Figures, tables and the article, which come last, take minutes.
    """
    names = zip(jobs["rule"], jobs["job"], strict=True)
    hours: dict[tuple[str, str], float] = dict(zip(names, jobs["there"], strict=True))
    tuned = [0.0, *(taken for (rule, _), taken in hours.items() if rule == "tune")]

    def waits(rule: str, each: str) -> float:
        match rule:
            case "sample_images":
                run, method = each.split("/")
                dataset = run.removesuffix("_published")
                protocol = "methods" if run == dataset else "published"
                before = ("train_score", dataset), ("tune_images", f"{protocol}/{method}")
                return max(hours.get(name, 0.0) for name in before)
            case "compare" | "compare_with_score_errors":
                return hours.get(("tune", each), 0.0)
            case "sample_exact_images":
                return max(tuned)
            case _:
                return 0.0

    return max(taken + waits(*name) for name, taken in hours.items())


def numbers(jobs: pd.DataFrame) -> dict[str, float]:
    """Hours of all jobs, of the longest, and of the longest chain of jobs."""
    return {
        "hours": jobs["there"].sum(),
        "longest": jobs["there"].max(),
        "path": longest_path(jobs),
    }


def main() -> None:
    snakemake = job.start()
    files, params = snakemake.input, snakemake.params
    jobs = pd.DataFrame(
        [*benchmarks(files.benchmarks), *trainings(files.networks), *tunings(files.tuned)]
    )
    jobs = expected(jobs, params.here, params.paper)
    results.write_csv(table(jobs), snakemake.output.table)
    results.write_numbers(numbers(jobs), snakemake.output.numbers)


if __name__ == "__main__":
    main()
