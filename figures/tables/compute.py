"""What the numbers cost: time and memory of the jobs of each experiment, from their provenance."""

from pathlib import Path

import pandas as pd

from experiments.workflow import job, results


def experiment(path: str) -> str:
    """The experiment that a file of ``<results>/data`` belongs to: its name or its folder's."""
    parts = Path(path).parts
    return Path(parts[len(parts) - parts[::-1].index("data")]).stem


def table(origins: pd.DataFrame) -> pd.DataFrame:
    """One row per experiment of what its jobs took; ``origins`` has a row per job."""
    groups = origins.groupby("experiment", sort=False)
    return pd.DataFrame(
        {
            "jobs": groups.size(),
            "thread minutes": groups["wall_seconds"].sum() / 60,
            "longest job (min)": groups["wall_seconds"].max() / 60,
            "peak memory (MB)": groups["peak_memory_mb"].max(),
            "device": groups["device"].agg(lambda devices: ", ".join(sorted(set(devices)))),
        }
    ).reset_index()


def numbers(origins: pd.DataFrame) -> dict[str, float]:
    """Sums over all jobs, and the largest memory."""
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
