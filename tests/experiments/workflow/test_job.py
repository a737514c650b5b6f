"""Jobs of the workflow: their logs, their seeds, and what they write."""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from experiments.workflow import job, results, tidy
from rtk.metrics import Estimate

ROOT = Path(__file__).parents[3]


def run_script(script: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, script],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def test_output_goes_to_the_log(tmp_path: Path) -> None:
    """Printed text, messages of compiled code (written to the descriptor) and the traceback."""
    script = tmp_path / "script.py"
    log = tmp_path / "script.log"
    script.write_text(
        "import os, types\n"
        "from experiments.workflow import job\n"
        f"snakemake = types.SimpleNamespace(log=[{str(log)!r}])\n"
        "assert job.start() is snakemake\n"
        "print('printed', flush=True)\n"
        "os.write(2, b'from compiled code')\n"
        "raise ValueError('the reason')\n",
        encoding="utf-8",
    )
    run = run_script(script)
    assert run.returncode == 1
    assert run.stdout == run.stderr == ""
    for text in ("printed", "from compiled code", "ValueError: the reason"):
        assert text in log.read_text(encoding="utf-8")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that stands for a full disk")
def test_error_for_which_the_log_has_no_room_is_printed(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import types\n"
        "from experiments.workflow import job\n"
        "snakemake = types.SimpleNamespace(log=['/dev/full'])\n"
        "job.start()\n"
        "raise OSError('no room for the table')\n",
        encoding="utf-8",
    )
    run = run_script(script)
    assert run.returncode != 0
    assert "OSError: no room for the table" in run.stderr


def test_script_run_by_hand_says_what_to_do() -> None:
    with pytest.raises(RuntimeError, match="ask snakemake"):
        job.start()


def test_seed_is_the_head_of_a_digest() -> None:
    """`printf 'mixtures\\n7' | sha256sum`, its first 16 hexadecimal digits, halved."""
    assert job.derive_seed("mixtures", 7) == 0xCD3DA1E9EEAB4A1F // 2


def test_seeds_differ() -> None:
    parts = [(), (1,), (2,), ("a", "b"), ("b", "a"), ("ab",), ("a", "b", 0), (1, 11), (11, 1)]
    seeds = {job.derive_seed(*each) for each in parts}
    assert len(seeds) == len(parts)
    assert all(0 <= seed < 2**63 for seed in seeds)


@dataclass(frozen=True)
class Settings:
    """Those of the study below: two sizes and an input file."""

    cells: int
    steps: list[int]
    data: str


def rows(settings: Settings, seed: int) -> list[dict[str, Any]]:
    common = {"target": settings.data, "method": "m", "settings": "", "metric": "tv", "value": 0.5}
    return [{**common, "nfe": step, "seed": seed} for step in settings.steps] + [common]


@pytest.fixture
def rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A job of the rule `study`."""
    params = SimpleNamespace(settings={"cells": 5, "steps": [1, 2]}, seed=2**62 + 1)
    found = SimpleNamespace(
        input={"data": "images"},
        params=params,
        wildcards=SimpleNamespace(study="example"),
        output=SimpleNamespace(table=tmp_path / "a.parquet", sample=tmp_path / "a.npz"),
    )
    monkeypatch.setattr(job, "start", lambda: found)
    return found


def test_study_completes_its_rows(rule: SimpleNamespace) -> None:
    """A row's own values stay; the integers are kept exactly although one row lacks them."""
    job.study(rows, Settings)
    frame = results.read(rule.output.table)
    assert frame["experiment"].tolist() == ["example"] * 3
    assert frame["target"].tolist() == ["images"] * 3
    assert frame["seed"].tolist() == [2**62 + 1, 2**62 + 1, 0]
    assert frame["nfe"].tolist() == [1, 2, 0]
    assert frame["nfe_asked"].tolist() == [0, 0, 0]
    assert frame["standard_error"].tolist() == [0.0, 0.0, 0.0]


def test_study_knows_its_settings_and_seed(rule: SimpleNamespace) -> None:
    job.study(rows, Settings)
    origin = results.provenance(rule.output.table)
    assert origin["config"] == {"cells": 5, "steps": [1, 2], "seed": 2**62 + 1}
    assert origin["seed"] == 2**62 + 1


def test_setting_that_a_study_does_not_have(rule: SimpleNamespace) -> None:
    rule.params.settings["cell"] = 1
    with pytest.raises(TypeError, match="cell"):
        job.study(rows, Settings)


def test_arrays_are_written_where_a_job_keeps_some(rule: SimpleNamespace) -> None:
    table = [{"experiment": "e", **job.DEFAULTS, **rows(Settings(1, [], "t"), 0)[-1]}]
    record: dict[str, Any] = {"config": {"seed": 7}, "started": time.perf_counter()}
    job.write(rule.output, table, **record)
    assert not rule.output.sample.exists()
    job.write(rule.output, table, {"x": np.arange(3)}, **record, device="cuda")
    assert results.read_arrays(rule.output.sample)["x"].tolist() == [0, 1, 2]
    for path in (rule.output.table, rule.output.sample):
        origin = results.provenance(path)
        assert (origin["config"], origin["seed"], origin["device"]) == ({"seed": 7}, 7, "cuda")


def test_tidy_rows_of_pairs_and_estimates() -> None:
    measured: dict[str, Any] = {"tv": (0.5, 0.1), "w2": Estimate(2.0, 0.2)}
    assert tidy.rows(measured, target="t") == [
        {"target": "t", "metric": "tv", "value": 0.5, "standard_error": 0.1},
        {"target": "t", "metric": "w2", "value": 2.0, "standard_error": 0.2},
    ]
