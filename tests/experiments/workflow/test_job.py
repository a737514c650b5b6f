"""Jobs of the workflow: their logs, their seeds, and which of the project's files they run."""

import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from experiments.workflow import job, results
from experiments.workflow.sources import sources

ROOT = Path(__file__).parents[3]


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
        "raise ValueError('the reason')\n"
    )
    run = subprocess.run(
        [sys.executable, script],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1
    assert run.stdout == run.stderr == ""
    for text in ("printed", "from compiled code", "ValueError: the reason"):
        assert text in log.read_text()


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


@pytest.mark.parametrize(("params", "seed"), [({"seed": 7, "cells": 5}, 7), ({"cells": 5}, None)])
def test_table_knows_the_params_and_their_seed(
    tmp_path: Path, params: dict[str, int], seed: int | None
) -> None:
    path = tmp_path / "table.parquet"
    snakemake = SimpleNamespace(params=params, output=SimpleNamespace(table=path))
    row = {"experiment": "e", "target": "t", "method": "m", "settings": "", "seed": 0}
    row |= {"nfe_asked": 0, "nfe": 0, "metric": "tv", "value": 0.5, "standard_error": 0.0}
    job.write(snakemake, pd.DataFrame([row]), started=time.perf_counter())
    origin = results.provenance(path)
    assert (origin["config"], origin["seed"]) == (params, seed)
    assert results.read(path)["value"].tolist() == [0.5]


def test_sources_follow_the_imports(tmp_path: Path) -> None:
    """Through packages, functions and other files; not into the standard library."""
    files = {
        "script.py": "import json\nfrom package import used\n",
        "package/__init__.py": "",
        "package/used.py": "def f():\n    from package.deep import lazily\n",
        "package/deep/__init__.py": "from . import sibling\n",
        "package/deep/lazily.py": "import numpy\n",
        "package/deep/sibling.py": "",
        "package/unused.py": "raise RuntimeError('nothing may be executed')\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = sources(str(tmp_path / "script.py"), str(tmp_path))
    assert found == sorted(set(files) - {"package/unused.py"})
