"""Fetch MNIST for the rule `fetch_mnist`, as `data.fetch` does."""

from pathlib import Path

from experiments.mnist import data
from experiments.workflow import job


def main() -> None:
    snakemake = job.start()
    local = snakemake.params.local
    data.fetch(Path(snakemake.output.data), Path(local) if local else None)


if __name__ == "__main__":
    main()
