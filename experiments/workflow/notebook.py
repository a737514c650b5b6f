"""Execute one notebook: its source, a Python file of jupytext, becomes an `.ipynb` with outputs.

The kernel is the Python that runs this script, whatever kernels Jupyter knows on this machine. Its
working folder is the root of the repository, and the environment variable RTK_RESULTS holds the
folder of the results.
"""

import os
import sys
import tempfile
from pathlib import Path

import jupytext
import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from experiments.workflow import job
from experiments.workflow.results import atomic

SECONDS_PER_CELL = 600


class ThisPython(KernelSpecManager):
    """A manager that answers every name of a kernel with the Python that is running."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """The command that starts the kernel."""
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="Python 3", language="python")


def execute(source: str | Path, results: str | Path, output: str | Path) -> None:
    """Run the notebook ``source`` on the folder ``results``, and write it to ``output``.

    Raises:
        RuntimeError: if a cell fails; the message has the notebook, the cell and its error.
    """
    notebook = jupytext.read(source)
    client = NotebookClient(
        notebook,
        km=AsyncKernelManager(kernel_spec_manager=ThisPython()),
        timeout=SECONDS_PER_CELL,
        record_timing=False,
        resources={"metadata": {"path": str(Path.cwd())}},
    )
    with tempfile.TemporaryDirectory() as folder:
        # IPython gets an empty folder, so that no start-up file of the user runs.
        settings = {"RTK_RESULTS": str(results), "IPYTHONDIR": folder}
        try:
            client.execute(env={**os.environ, **settings})
        except CellExecutionError as error:
            raise RuntimeError(f"a cell of {source} failed\n{error}") from None
    with atomic(output) as unfinished:
        nbformat.write(notebook, unfinished)


def main() -> None:
    """Execute the notebook of the rule."""
    snakemake = job.start()
    output = Path(snakemake.output.notebook)
    execute(snakemake.input.source, output.parents[1], output)


if __name__ == "__main__":
    main()
