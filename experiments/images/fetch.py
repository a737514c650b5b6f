"""Fetch a data set for the rule `fetch_images`, as `data.fetch` does."""

from pathlib import Path

from experiments.images import data
from experiments.workflow import job


def main() -> None:
    snakemake = job.start()
    local = snakemake.params.local
    dataset = snakemake.wildcards.dataset
    data.fetch(dataset, Path(snakemake.output.data), Path(local) if local else None)


if __name__ == "__main__":
    main()
