"""Executes one notebook: its source, a Python file of jupytext, becomes an `.ipynb` with outputs.

The kernel is this Python, works in the repository's root, and is told where the results are by the
environment variable RTK_RESULTS.
"""

import os
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from experiments.workflow import job
from experiments.workflow.results import atomic

SECONDS_PER_CELL = 600


def execute(source: str | Path, results: str | Path, output: str | Path) -> None:
    """Run the notebook ``source`` on the folder ``results`` and write it to ``output``.

    Raises RuntimeError with the notebook's name, the cell and its error if a cell fails.
    """
    notebook = jupytext.read(source)
    client = NotebookClient(
        notebook,
        timeout=SECONDS_PER_CELL,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(Path.cwd())}},
    )
    try:
        client.execute(env={**os.environ, "RTK_RESULTS": str(results)})
    except CellExecutionError as error:
        raise RuntimeError(f"a cell of {source} failed\n{error}") from None
    with atomic(output) as unfinished:
        nbformat.write(notebook, unfinished)


def main() -> None:
    snakemake = job.start()
    output = Path(snakemake.output.notebook)
    execute(snakemake.input.source, output.parents[1], output)


if __name__ == "__main__":
    main()
