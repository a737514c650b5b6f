"""The jobs of figures and tables: what their functions receive, and which files they write."""

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from experiments.workflow import job as workflow_job
from experiments.workflow import results
from figures import job

RECORD: dict[str, Any] = {"config": {}, "seed": 1, "started": time.perf_counter()}


@pytest.fixture
def snakemake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A rule with two tables under one name, arrays, numbers and a param."""
    row = {
        **dict.fromkeys(("experiment", "target", "method", "settings", "metric"), "a"),
        **dict.fromkeys(("seed", "nfe_asked", "nfe"), 1),
        "standard_error": 0.0,
    }
    for name, value in (("one", 1.0), ("two", 2.0)):
        frame = pd.DataFrame([{**row, "value": value}])
        results.write(frame, tmp_path / f"{name}.parquet", **RECORD)
        arrays = {"x": np.array([value])}
        results.write_arrays(arrays, tmp_path / f"{name}.npz", **RECORD)
    results.write_numbers({"slope": 0.5}, tmp_path / "numbers.json")
    rule = SimpleNamespace(
        input={
            "frame": [str(tmp_path / "two.parquet"), str(tmp_path / "one.parquet")],
            "samples": [str(tmp_path / "one.npz"), str(tmp_path / "two.npz")],
            "known": str(tmp_path / "numbers.json"),
        },
        params={"code": "0123456789abcdef", "nfe": [5, 10]},
        output=SimpleNamespace(
            pdf=str(tmp_path / "out.pdf"),
            table=str(tmp_path / "out.csv"),
            numbers=str(tmp_path / "out.json"),
        ),
    )
    monkeypatch.setattr(workflow_job, "start", lambda: rule)
    return rule


def test_inputs_are_read_and_params_passed_on(snakemake: SimpleNamespace) -> None:
    arguments = job.read_arguments(snakemake)
    assert list(arguments) == ["frame", "samples", "known", "nfe"]
    assert arguments["frame"]["value"].tolist() == [2.0, 1.0]
    assert {k: v["x"].tolist() for k, v in arguments["samples"].items()} == {
        "one": [1.0],
        "two": [2.0],
    }
    assert arguments["known"] == {"slope": 0.5}
    assert arguments["nfe"] == [5, 10]


def test_figure_is_saved(snakemake: SimpleNamespace) -> None:
    def draw(frame: pd.DataFrame, **_: Any) -> Figure:
        figure, axes = plt.subplots()
        axes.plot(frame["value"])
        return figure

    job.plot(draw)
    pdf = Path(snakemake.output.pdf)
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert pdf.with_suffix(".png").exists()


def test_table_and_numbers_are_written(snakemake: SimpleNamespace) -> None:
    job.table(lambda frame, **_: frame[["value"]], lambda known, nfe, **_: known | {"n": len(nfe)})
    assert pd.read_csv(snakemake.output.table)["value"].tolist() == [2.0, 1.0]
    assert json.loads(Path(snakemake.output.numbers).read_text(encoding="utf-8")) == {
        "slope": 0.5,
        "n": 2.0,
    }


def test_a_table_without_numbers(snakemake: SimpleNamespace) -> None:
    job.table(lambda frame, **_: frame[["value"]])
    assert not Path(snakemake.output.numbers).exists()
