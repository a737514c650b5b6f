"""Bad input of every kind is refused in words that say what was wrong and what was expected.

The rows are in the modules beside this one.
"""

from pathlib import Path

import pytest
import yaml

import rtk
from experiments.comparison.methods import FITTED_TO_DATA
from rtk.energy import ESTIMATORS
from rtk.warm_start import WARM_STARTS
from tests.refusals import files, library, workflow
from tests.refusals.rows import Row, refused

ROWS = [*library.ROWS, *files.ROWS, *workflow.ROWS]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_is_refused(row: Row, tmp_path: Path) -> None:
    refused(row, tmp_path)
    assert not (tmp_path / files.TRACE).exists()


def test_a_pickle_would_leave_its_trace(tmp_path: Path) -> None:
    """Without this the assertion above could not fail."""
    files.Bomb(tmp_path).__reduce__()[0](str(tmp_path / files.TRACE))
    assert (tmp_path / files.TRACE).exists()


def test_the_configuration_itself_is_taken(tmp_path: Path) -> None:
    workflow.changed("scale", "smoke")(tmp_path)


def test_the_schema_knows_every_name_of_the_library() -> None:
    schema = yaml.safe_load((workflow.CONFIG / "schema.yaml").read_text(encoding="utf-8"))
    options = schema["$defs"]["sampler"]["properties"]
    assert options["method"]["enum"] == [*rtk.methods(), *FITTED_TO_DATA]
    assert set(options["energy"]["enum"]) == set(ESTIMATORS)
    assert set(options["warm_start"]["enum"]) == set(WARM_STARTS)
