"""Settings are tuned on some targets and judged on others; the configuration keeps them apart."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from experiments.comparison.targets import check_disjoint, draw
from rtk import targets

CONFIG = Path(__file__).parents[3] / "experiments" / "config"


@pytest.mark.parametrize("scale", ["smoke", "default", "paper"])
def test_no_target_of_the_report_is_tuned_on(scale: str) -> None:
    sizes = yaml.safe_load((CONFIG / f"{scale}.yaml").read_text(encoding="utf-8"))
    tuning = {*sizes["comparison"]["tuning"]}
    assert not tuning & {*sizes["comparison"]["targets"]}
    assert not tuning & {*sizes["score_errors"]["targets"]}


@pytest.mark.parametrize("scale", ["smoke", "default", "paper"])
def test_wrong_scores_run_at_budgets_that_are_tuned(scale: str) -> None:
    sizes = yaml.safe_load((CONFIG / f"{scale}.yaml").read_text(encoding="utf-8"))
    protocol = yaml.safe_load((CONFIG / "protocol.yaml").read_text(encoding="utf-8"))
    assert {*sizes["score_errors"]["nfe"]} <= {*sizes["comparison"]["nfe"]}
    pictured = protocol["comparison"]["pictured"]
    assert {*pictured["nfe"]} <= {*sizes["comparison"]["nfe"]}
    assert pictured["target"] in sizes["comparison"]["targets"]


@pytest.mark.parametrize("scale", ["smoke", "default", "paper"])
def test_every_batch_has_enough_chains_for_the_metrics(scale: str) -> None:
    sizes = yaml.safe_load((CONFIG / f"{scale}.yaml").read_text(encoding="utf-8"))
    for part in (sizes["comparison"], sizes["score_errors"]):
        assert min(part["targets"].values()) >= 64 * part["batches"]


def test_a_shared_target_is_named() -> None:
    check_disjoint(["mild", "far"], ["circle"])
    with pytest.raises(ValueError, match="the targets far, mild are both"):
        check_disjoint(["mild", "wide", "far"], ["far", "circle", "mild"])


def test_exact_samples_depend_on_the_seed_alone() -> None:
    target = targets.target("rings")
    np.testing.assert_array_equal(draw(target, 5, 1), draw(target, 5, 1))
    assert not np.array_equal(draw(target, 5, 1), draw(target, 5, 2))
    assert draw(target, 5, 1).shape == (5, 10)
