"""Notebooks: sources that Jupyter opens, and errors that tell the reader what to do.

`test_workflow.py` executes them, on the results of the smoke scale.
"""

import json
import subprocess
import sys
from pathlib import Path

import jupytext
import numpy as np
import pandas as pd
import pytest

from experiments.workflow import reader, results
from experiments.workflow.notebook import execute

ROOT = Path(__file__).parents[3]
SOURCES = sorted((ROOT / "experiments" / "notebooks").glob("*.py"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_source_is_a_notebook(source: Path) -> None:
    """In percent format, with a title and a kernel that every environment has; cells compile."""
    notebook = jupytext.read(source, fmt="py:percent")
    assert notebook.metadata["kernelspec"]["name"] == "python3"
    title, *rest = notebook.cells
    assert title.cell_type == "markdown"
    assert title.source.startswith("# ")
    assert {cell.cell_type for cell in rest} == {"markdown", "code"}
    for cell in rest:
        if cell.cell_type == "code":
            compile(cell.source, source.name, "exec")


def test_no_outputs_are_tracked() -> None:
    """Executed notebooks are results: git has the sources alone."""
    run = subprocess.run(
        ["git", "ls-files", "*.ipynb"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    )
    assert run.stdout == ""


@pytest.mark.parametrize(
    ("folder", "command"),
    [
        ("results", ".venv/bin/snakemake --cores all -- results/{}"),
        (
            "results/smoke",
            ".venv/bin/snakemake --cores all --config scale=smoke -- results/smoke/{}",
        ),
    ],
)
def test_missing_results_name_their_command(
    folder: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "ROOT", tmp_path)
    monkeypatch.setenv("RTK_RESULTS", folder)
    for target, read in {
        "figures/cheeger.pdf": lambda: reader.table("cheeger"),
        "figures/mixture_accuracy.pdf": lambda: reader.table(
            "mixtures", "figures/mixture_accuracy.pdf"
        ),
        "data/mnist/ddpm.npz": lambda: reader.arrays("mnist/ddpm"),
        "tables/cheeger.csv": lambda: reader.printed("cheeger"),
        "numbers/cheeger.json": lambda: reader.numbers("cheeger"),
    }.items():
        with pytest.raises(reader.MissingResults) as error:
            read()
        message = str(error.value)
        assert message.endswith(f"run\n\n    {command.format(target)}")
        # In Jupyter there is no traceback above it.
        assert error.value._render_traceback_() == [f"MissingResults: {message}"]


def test_reader_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of one file and of a folder of files, arrays, finished tables and numbers."""
    monkeypatch.setattr(reader, "ROOT", tmp_path)
    monkeypatch.setenv("RTK_RESULTS", "results")
    row = {
        **dict.fromkeys(("experiment", "target", "method", "settings", "metric"), "a"),
        **dict.fromkeys(("seed", "nfe_asked", "nfe"), 1),
        **dict.fromkeys(("value", "standard_error"), 0.5),
    }
    made = tmp_path / "results"
    for name in ("one", "many/circle/ddpm", "many/circle/ddim"):
        path = made / "data" / f"{name}.parquet"
        results.write(pd.DataFrame([row]), path, config={}, seed=1, started=0.0)
    path = made / "data" / "many" / "circle" / "ddpm.npz"
    results.write_arrays({"x": np.arange(3)}, path, config={}, seed=1, started=0.0)
    results.write_csv(pd.DataFrame({"a": [1]}), made / "tables" / "one.csv")
    results.write_numbers({"a": 1.0}, made / "numbers" / "one.json")
    assert len(reader.table("one")) == 1
    assert len(reader.table("many")) == 2
    assert reader.arrays("many/circle/ddpm")["x"].tolist() == [0, 1, 2]
    assert reader.printed("one")["a"].tolist() == [1]
    assert reader.numbers("one") == {"a": 1.0}


@pytest.mark.slow
def test_execution(tmp_path: Path) -> None:
    """The kernel knows the results' folder; what it says is kept."""
    source, output = tmp_path / "small.py", tmp_path / "small.ipynb"
    source.write_text(
        "# %%\nimport os\nprint(os.environ['RTK_RESULTS'], 6 * 7)\n", encoding="utf-8"
    )
    execute(source, "results/smoke", output)
    (cell,) = jupytext.read(output).cells
    assert cell.outputs[0]["text"] == "results/smoke 42\n"


@pytest.mark.slow
@pytest.mark.parametrize("command", ["/bin/false", "/nowhere/python"])
def test_kernel_is_this_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Whatever the machine's kernel "python3" is, and whatever its IPython runs at its start."""
    spec = tmp_path / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    argv = [command, "-f", "{connection_file}"]
    spec.write_text(
        json.dumps({"argv": argv, "display_name": "other", "language": "python"}), encoding="utf-8"
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    startup = tmp_path / "ipython" / "profile_default" / "startup" / "a.py"
    startup.parent.mkdir(parents=True)
    startup.write_text("print('from the start-up file')\n", encoding="utf-8")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    source, output = tmp_path / "small.py", tmp_path / "small.ipynb"
    source.write_text("# %%\nimport sys\nprint(sys.executable)\n", encoding="utf-8")
    execute(source, "results", output)
    (cell,) = jupytext.read(output).cells
    assert [each["text"] for each in cell.outputs] == [f"{sys.executable}\n"]


@pytest.mark.slow
def test_failing_cell_is_named(tmp_path: Path) -> None:
    source, output = tmp_path / "small.py", tmp_path / "small.ipynb"
    source.write_text("# %%\n1 / 0\n", encoding="utf-8")
    with pytest.raises(RuntimeError, match=r"(?s)small\.py failed.*1 / 0.*ZeroDivisionError"):
        execute(source, "results", output)
    assert not output.exists()
