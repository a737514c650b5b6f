"""The committed table of the benchmark has every case, and its processes speak as expected."""

import importlib.util
import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from experiments.benchmark import table
from experiments.benchmark.problem import Problem
from experiments.benchmark.processes import started
from experiments.benchmark.variants import RIVALS_PYTHON, THREADED, VARIANTS
from figures.analysis.frames import where

FRAME = table.read()
ROUNDS = {0, 1, 2}
KERNELS = [*itertools.product(table.COMPONENTS, table.DIMENSIONS)]


def test_the_table_has_its_columns_and_one_machine() -> None:
    assert list(FRAME.columns) == list(table.COLUMNS)
    assert np.isfinite(FRAME["value"]).all()
    for column in ("cpu", "cores", "libraries"):
        assert FRAME[column].nunique() == 1
    for library in ("torch", "jax", "blackjax", "diffrax"):
        assert f"{library} " in FRAME["libraries"][0]


def test_a_table_without_a_column_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "measured.csv"
    FRAME.drop(columns="steps").to_csv(path, index=False)
    with pytest.raises(ValueError, match=r"lacks the column\(s\) steps"):
        table.read(path)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("components", "dimension"), KERNELS)
def test_every_case_was_timed(variant: str, components: int, dimension: int) -> None:
    """At every number of chains, in every round, by processor and by wall time."""
    kernel = {"variant": variant, "components": components, "dimension": dimension}
    for n, metric in itertools.product(table.SIZES[dimension], ("cpu_ns", "wall_ns")):
        rows = where(FRAME, part="chains", metric=metric, n=n, **kernel)
        assert {*rows["round"]} == ROUNDS
        assert len(rows) == len(ROUNDS)
        assert (rows["value"] > 1.0).all()


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("components", "dimension"), KERNELS)
def test_every_timed_sampler_has_the_right_law(
    variant: str, components: int, dimension: int
) -> None:
    """Chains with a Metropolis test lie within 5 standard errors of the exact kernel.

    Underdamped chains have a bias of order their step in the variance, and none in the mean but
    for what the law lacks in symmetry.
    """
    rows = where(
        FRAME, part="law", variant=variant, components=components, dimension=dimension
    ).set_index("metric")["value"]
    if variant.startswith(("rtk-mala", "blackjax")):
        for what in ("mean", "variance"):
            assert abs(rows[f"{what}_error"]) < 5.0 * rows[f"{what}_standard_error"]
        ours = where(
            FRAME, part="law", variant="rtk-mala", metric="acceptance", components=components
        )
        expected = where(ours, dimension=dimension)["value"].item()
        assert rows["acceptance"] == pytest.approx(expected, abs=0.02)
    else:
        assert abs(rows["mean_error"]) < 0.05
        assert abs(rows["variance_error"]) < 0.2


def test_all_settings_of_threads_and_all_pieces_are_there() -> None:
    pairs = where(FRAME, part="threads", metric="wall_ns")
    found = {*pairs[["variant", "copies"]].itertuples(index=False, name=None)}
    assert found == {*itertools.product(THREADED, (1, 2))}
    assert {*where(FRAME, part="overhead")["variant"]} == {"ddpm", "rtk-uld", "rtk-mala"}
    assert {*where(FRAME, part="memory")["steps"]} == {50, 500}
    assert {*where(FRAME, part="profile")["variant"]} == {"rtk-mala", "rtk-mala-compile"}


def test_a_process_answers(tmp_path: Path) -> None:
    variants = {"rtk-mala": VARIANTS["rtk-mala"]}
    with started(variants, Problem(2, 3), str(tmp_path)) as ((name, process),):
        assert name == "rtk-mala"
        assert process.ask("first", 10, 2)["first_seconds"] > 0.0
        timed = process.ask("measure", 10, 2, repeats=3)
        assert timed["cpu_ns"] > 0.0
        assert timed["wall_ns"] > 0.0
        assert process.ask("law", 10, 2).keys() > {"mean_error", "acceptance"}
        assert process.ask("peak", 10, 2)["peak_mb"] > 50.0


def test_a_process_that_fails_is_an_error(tmp_path: Path) -> None:
    broken = {"no-such-variant": VARIANTS["rtk-mala"]}
    with (
        started(broken, Problem(2, 3), str(tmp_path)) as ((_, process),),
        pytest.raises(RuntimeError, match="no-such-variant"),
    ):
        process.receive()


def test_rivals_stay_out_of_the_environment() -> None:
    """Nothing else needs them, and where they are installed they are the pinned versions."""
    for name in ("jax", "blackjax", "diffrax"):
        assert importlib.util.find_spec(name) is None
    if not RIVALS_PYTHON.exists():
        pytest.skip("the rivals are not installed")
    text = (Path(table.__file__).with_name("requirements.txt")).read_text(encoding="utf-8")
    pins = dict(line.split("==") for line in text.splitlines() if "==" in line)
    code = (
        "import json, sys\n"
        "from importlib.metadata import version\n"
        "print(json.dumps({name: version(name) for name in sys.argv[1:]}))"
    )
    run = subprocess.run([RIVALS_PYTHON, "-c", code, *pins], capture_output=True, check=True)
    assert json.loads(run.stdout) == pins
    assert str(RIVALS_PYTHON) != sys.executable
