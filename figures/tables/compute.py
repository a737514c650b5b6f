"""Time and memory that the jobs of each experiment took, from the records in their results."""

from pathlib import Path

import pandas as pd

from experiments.workflow import job, results

SHORT = 0.5
"""Experiments that took fewer minutes of a thread share one row."""
OTHERS = f"others, below {SHORT:g} minutes each"


def experiment(path: str) -> str:
    """The experiment of a file in ``<results>/data``: the name of its folder there, or its own."""
    parts = Path(path).parts
    return Path(parts[len(parts) - parts[::-1].index("data")]).stem


def table(origins: pd.DataFrame) -> pd.DataFrame:
    """One row per experiment, from the records of the jobs, which have one row per job.

    The last row has all `SHORT` experiments.
    """
    minutes = origins.groupby("experiment")["wall_seconds"].transform("sum") / 60
    names = origins["experiment"].str.replace("_", " ").where(minutes >= SHORT, OTHERS)
    order = names.sort_values(key=lambda name: name == OTHERS, kind="stable").index
    groups = origins.loc[order].groupby(names.loc[order], sort=False)
    return pd.DataFrame(
        {
            "jobs": groups.size(),
            "thread minutes": groups["wall_seconds"].sum() / 60,
            "longest job (minutes)": groups["wall_seconds"].max() / 60,
            "peak memory (MB)": groups["peak_memory_mb"].max(),
            "device": groups["device"].agg(lambda devices: ", ".join(sorted(set(devices)))),
        }
    ).reset_index()


def numbers(origins: pd.DataFrame) -> dict[str, float]:
    """The number of all jobs, their time in minutes and the largest memory in gigabytes."""
    return {
        "thread_minutes": origins["wall_seconds"].sum() / 60,
        "jobs": float(len(origins)),
        "memory_gb": origins["peak_memory_mb"].max() / 1000,
    }


def main() -> None:
    snakemake = job.start()
    origins = pd.DataFrame(
        {"experiment": experiment(path), **results.provenance(path)}
        for path in snakemake.input.results
    )
    results.write_csv(table(origins), snakemake.output.table)
    results.write_numbers(numbers(origins), snakemake.output.numbers)


if __name__ == "__main__":
    main()
