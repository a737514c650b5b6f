"""The configured methods: their candidates, grids and runs."""

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from experiments.comparison import methods
from figures import style
from rtk import segments, targets

CONFIG = Path(__file__).parents[3] / "experiments" / "config"
PROTOCOL = yaml.safe_load((CONFIG / "protocol.yaml").read_text(encoding="utf-8"))
COMPARISON = PROTOCOL["comparison"]
DEFAULT = yaml.safe_load((CONFIG / "default.yaml").read_text(encoding="utf-8"))["comparison"]
TUNED = {name: method for name, method in COMPARISON["methods"].items() if "candidates" in method}


def test_candidates_are_all_combinations() -> None:
    method = {"sampler": {}, "candidates": {"rule": ["power", "log_snr"], "step_size": [1, 2]}}
    assert methods.candidates(method) == [
        {"rule": "power", "step_size": 1},
        {"rule": "power", "step_size": 2},
        {"rule": "log_snr", "step_size": 1},
        {"rule": "log_snr", "step_size": 2},
    ]
    assert methods.candidates({"sampler": {}}) == [{}]


@pytest.mark.parametrize("name", TUNED)
def test_every_method_that_is_tuned_has_the_same_budget(name: str) -> None:
    methods.check_budget(name, TUNED[name], COMPARISON["budget"])
    found = methods.candidates(TUNED[name])
    assert len({str(one) for one in found}) == len(found)


def test_another_number_of_candidates_is_an_error() -> None:
    method = {"sampler": {}, "candidates": {"t_end": [0.1, 0.01]}}
    with pytest.raises(ValueError, match="method mine has 2 candidates, expected 12"):
        methods.check_budget("mine", method, 12)


def test_grid_leaves_one_score_for_the_end() -> None:
    target = targets.target("uneven-2")

    def grid(candidate: methods.Candidate, nfe: int) -> segments.Times | None:
        return methods.grid(candidate, nfe, target.score, target.dimension)

    assert grid({"rule": "karras", "t_end": 0.01}, 9) == segments.karras(8, t_end=0.01)
    power = grid({"rule": "power", "t_end": 0.01, "exponent": 2.0, "scores": 3}, 9)
    assert power == segments.power(2, t_end=0.01, exponent=2.0)
    assert grid({"rule": "log_snr", "scores": 9}, 4) == segments.log_snr(1)
    assert grid({"step_size": 1.0}, 9) is None
    picked = grid({"rule": "gits", "t_end": 0.01, "gamma": 1.1}, 9)
    assert picked is not None
    assert (len(picked), picked[0], picked[-1]) == (9, 5.0, 0.01)


@pytest.mark.parametrize("name", COMPARISON["methods"])
def test_every_candidate_keeps_within_every_budget(name: str) -> None:
    """Runs of two chains. A method that may not spend what others spend would not be equal."""
    method: dict[str, Any] = COMPARISON["methods"][name]
    target = targets.target("uneven-2")
    sampler, rows = methods.fitted(method["sampler"], target, target.score, 0)
    assert (rows > 0) == (name in ("calibrated", "rtk", "dpm-v3"))
    for candidate in methods.candidates(method):
        for nfe in DEFAULT["nfe"][:4]:
            result = methods.run(
                target, sampler, candidate, n=2, nfe=nfe, seed=0, score=target.score
            )
            assert 0 < result.nfe <= nfe


@pytest.mark.parametrize("name", COMPARISON["methods"])
def test_every_method_has_a_look(name: str) -> None:
    assert style.look(name)


def test_a_method_with_wrong_scores_gets_no_exact_energy() -> None:
    for name in PROTOCOL["score_errors"]["methods"]:
        assert COMPARISON["methods"][name]["sampler"].get("energy") != "exact"


def test_a_score_can_be_given() -> None:
    target = targets.target("uneven-2")
    candidate = {"rule": "log_snr"}
    own = methods.run(target, {"method": "ddim"}, candidate, n=8, nfe=4, seed=0, score=target.score)
    same = methods.run(
        target, {"method": "ddim"}, candidate, n=8, nfe=4, seed=0, score=target.score
    )
    other = methods.run(
        target, {"method": "ddim"}, candidate, n=8, nfe=4, seed=0, score=lambda x, t: -x
    )
    assert torch.equal(own.samples, same.samples)
    assert not torch.equal(own.samples, other.samples)


def test_an_option_that_the_sampler_does_not_have_is_an_error() -> None:
    target = targets.target("uneven-2")
    with pytest.raises(ValueError, match="no option"):
        methods.run(
            target, {"method": "ddim"}, {"step_size": 1.0}, n=2, nfe=4, seed=0, score=target.score
        )
