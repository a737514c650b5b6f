"""What tuning chooses and records, and that it never sees a target of the report."""

from typing import Any

import numpy as np
import pytest

from experiments.comparison import methods, tune
from experiments.comparison.judge import mode_error
from experiments.comparison.targets import draw
from rtk import targets

SIZES = {"mild": 1000, "separated": 1000}


def test_objective_is_the_geometric_mean_of_the_excess_in_floors() -> None:
    """Excesses of 4 and of 0.1 floors."""
    value = tune.objective({"a": 0.5, "b": 0.02}, {"a": 0.1, "b": 0.05})
    assert value == pytest.approx((4.0 * 0.1) ** 0.5)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_planted_bad_candidate_is_not_chosen(place: int) -> None:
    """A grid that ends at t = 1 cannot tell the modes apart, wherever it is in the list."""
    ends = [0.01, 0.001]
    ends.insert(place, 1.0)
    method = {
        "sampler": {"method": "dpm++2m"},
        "candidates": {"rule": ["log_snr"], "t_end": ends},
    }
    found = tune.tune(method, [8, 20], SIZES, ["circle"], seed=0)
    for nfe in ("8", "20"):
        records = found["tried"][nfe]
        assert [record["candidate"]["t_end"] for record in records] == ends
        objectives = [record["objective"] for record in records]
        assert int(np.argmax(objectives)) == place
        assert found["chosen"][nfe] == records[int(np.argmin(objectives))]["candidate"]
        assert found["chosen"][nfe]["t_end"] != 1.0


def test_each_number_of_scores_has_a_choice_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Invented errors: the first candidate is better at 8 scores, the second one at 20."""

    def invented(*arguments: Any) -> Any:
        _, _, candidate, nfe, sizes, _ = arguments
        first = candidate["t_end"] == 0.1
        return {target: 0.2 if first == (nfe == 8) else 0.4 for target in sizes}

    monkeypatch.setattr(tune, "errors", invented)
    method = {"sampler": {"method": "ddim"}, "candidates": {"t_end": [0.1, 0.01]}}
    found = tune.tune(method, [8, 20], SIZES, ["circle"], seed=0)
    assert found["chosen"] == {"8": {"t_end": 0.1}, "20": {"t_end": 0.01}}


def test_a_target_of_the_report_is_refused() -> None:
    method = {"sampler": {"method": "ddim"}}
    with pytest.raises(ValueError, match="the targets mild are both"):
        tune.tune(method, [8], SIZES, ["circle", "mild"], seed=0)


def test_tuning_sees_the_tuning_targets_only(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def watched(name: str) -> Any:
        seen.append(name)
        return targets.MIXTURES[name]()

    monkeypatch.setattr(targets, "mixture", watched)
    method = {"sampler": {"method": "ddim"}, "candidates": {"rule": ["log_snr"]}}
    found = tune.tune(method, [8], SIZES, ["circle"], seed=0)
    assert {*seen} == {*SIZES} == {*found["floors"]}


def test_floor_and_errors_are_those_of_the_runs() -> None:
    mild = targets.mixture("mild")
    mixtures, sizes = {"mild": mild}, {"mild": 1000}
    (floor,) = tune.floors(mixtures, sizes, 0).values()
    fresh = mode_error(draw(mild, 1000, 99), mild)
    assert floor == pytest.approx(fresh, rel=0.6)
    candidate = {"rule": "log_snr", "t_end": 0.001}
    sampler = {"method": "dpm++2m"}
    found, again, other = (
        tune.errors(mixtures, {"mild": sampler}, candidate, 20, sizes, seed) for seed in (0, 0, 1)
    )
    assert found == again
    assert found != other
    one = methods.run(mild, sampler, candidate, n=1000, nfe=20, seed=5, score=mild.score)
    error = mode_error(one.samples.double().numpy(), mild)
    assert found["mild"] == pytest.approx(error, rel=0.6)
