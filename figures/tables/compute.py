"""What the numbers cost: time and memory of the jobs of each experiment, from their provenance."""

from pathlib import Path

import pandas as pd

from experiments.workflow import job, results


def experiment(path: str) -> str:
    """The experiment that a file of ``<results>/data`` belongs to: its name or its folder's."""
    parts = Path(path).parts
    return Path(parts[len(parts) - parts[::-1].index("data")]).stem


def main() -> None:
    snakemake = job.start()
    origins = pd.DataFrame(
        {"experiment": experiment(path), **results.provenance(path)}
        for path in snakemake.input.results
    )
    groups = origins.groupby("experiment", sort=False)
    table = pd.DataFrame(
        {
            "jobs": groups.size(),
            "thread minutes": groups["wall_seconds"].sum() / 60,
            "longest job (min)": groups["wall_seconds"].max() / 60,
            "peak memory (MB)": groups["peak_memory_mb"].max(),
            "device": groups["device"].agg(lambda devices: ", ".join(sorted(set(devices)))),
        }
    ).reset_index()
    results.write_csv(table, snakemake.output.table)
    numbers = {
        "thread_minutes": table["thread minutes"].sum(),
        "jobs": float(table["jobs"].sum()),
        "memory_gb": table["peak memory (MB)"].max() / 1000,
    }
    results.write_numbers(numbers, snakemake.output.numbers)


if __name__ == "__main__":
    main()
