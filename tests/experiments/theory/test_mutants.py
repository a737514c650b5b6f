"""Which rules notice which faults: outcomes of made-up experiments, and of two real ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from experiments.mutants import cases
from experiments.mutants.faults import FAULTS
from experiments.theory import mutants as study
from figures.analysis.mutants import OUTCOMES, matrix
from figures.tables import mutants as tables
from paper import verdicts
from rtk import segments

ROOT = Path(__file__).parents[3]
PROTOCOL = yaml.safe_load((ROOT / "experiments/config/protocol.yaml").read_text(encoding="utf-8"))
SIZES = PROTOCOL["mutants"]["experiments"]
CLAIMS = verdicts.load()
RULE = {"kind": "claim", "reproduced": "fit.slope <= 1", "in_part": "fit.slope <= 2"}
LEFT_OUT = {"mnist-order", "mnist-values", "open-beyond"}
"""MNIST and B8 take too long; one statement has no rule."""
TOO_LONG = {"mixture_order"}
"""A file of numbers on which some further readings rest; its experiment runs without faults."""


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"slope": 0.5}, ("untouched", "reproduced")),
        ({"slope": 0.7}, ("unnoticed", "reproduced")),
        ({"slope": 1.5}, ("noticed", "in part")),
        ({"slope": float("nan")}, ("stopped", "")),
        ({}, ("stopped", "")),
    ],
)
def test_outcomes(wrong: dict[str, float], expected: tuple[str, str]) -> None:
    assert study.outcome("rate", RULE, "fit", {"slope": 0.5}, wrong) == expected


def test_a_count_that_stays_is_unnoticed_if_the_accuracies_change() -> None:
    rule = {"kind": "claim", "reproduced": "mixtures.mala_above_ddpm == mixtures.cells"}
    right = {"mala_above_ddpm": 2.0, "cells": 2.0, "accuracy_ddpm_circle_most": 0.9}
    other = right | {"accuracy_ddim_circle_most": 0.1}
    wrong = right | {"accuracy_ddpm_circle_most": 0.8}
    for numbers, expected in ((other, "untouched"), (wrong, "unnoticed")):
        found = study.outcome("mixture-order", rule, "mixtures", right, numbers)
        assert found == (expected, "reproduced")


def experiment(part: Callable[[], float]) -> cases.Experiment:
    """An experiment with the given part and with one that no fault touches."""
    return cases.Experiment(
        {"part": lambda: [{"name": "slope", "value": part()}], "fixed": lambda: [{"name": "k"}]},
        cases.nothing,
        lambda frame: {"slope": float(frame["value"].dropna().iloc[0])},
    )


def test_a_fault_reaches_an_experiment_and_only_while_it_is_planted() -> None:
    """The number is ``eta*``, which two faults change and the others do not touch."""
    made = study.Clean.run(experiment(lambda: segments.critical_length(1.0)))
    right = made.numbers(made.rows)["slope"]
    assert made.called == {"part": {"short segments", "long segments"}, "fixed": set()}
    found = {name: made.numbers_with(name)["slope"] / right for name in FAULTS}
    assert found.pop("short segments") == pytest.approx(0.25, rel=1e-12)
    assert found.pop("long segments") == pytest.approx(2.0, rel=1e-12)
    assert {*found.values()} == {1.0}


def test_an_error_with_a_fault_is_a_stop_and_one_without_is_an_error() -> None:
    right = segments.critical_length(1.0)

    def part() -> float:
        if segments.critical_length(1.0) > right:
            raise ArithmeticError
        return 0.5

    made = study.Clean.run(experiment(part))
    assert made.numbers_with("long segments") == {}
    assert made.numbers_with("short segments") == {"slope": 0.5}

    def broken() -> float:
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        study.Clean.run(experiment(broken))


def test_every_rule_is_examined_or_left_out_for_a_reason() -> None:
    examined = {claim for name in cases.EXPERIMENTS for claim, _ in study.rules_on(name, CLAIMS)}
    assert examined | LEFT_OUT == CLAIMS.keys()
    assert not examined & LEFT_OUT
    marks = [mark for name in cases.EXPERIMENTS for _, mark in study.rules_on(name, CLAIMS)]
    kept = [
        rule
        for name in CLAIMS.keys() - LEFT_OUT
        for rule in verdicts.readings(CLAIMS[name]).values()
        if not {file for file, _ in verdicts.names(rule)} & TOO_LONG
    ]
    assert len([mark for mark in marks if mark]) == len(kept)


def test_no_rule_rests_on_the_searches_that_are_left_out() -> None:
    used = {number for claim in CLAIMS.values() for file, number in verdicts.names(claim)}
    used |= {
        number
        for claim in CLAIMS.values()
        for reading in verdicts.readings(claim).values()
        for _, number in verdicts.names(reading)
    }
    assert not [name for name in used if "optimised" in name or "segment_power" in name]


def rows_of(experiment: str) -> pd.DataFrame:
    sizes: dict[str, Any] = SIZES[experiment]
    made = cases.EXPERIMENTS[experiment](sizes, 1)
    rows = study.examine(experiment, made, study.rules_on(experiment, CLAIMS))
    return pd.DataFrame([*rows])


@pytest.mark.parametrize(
    ("experiment", "noticed"),
    [
        (
            "log_concavity",
            {
                "log-concavity": {"short segments", "long segments"},
                "log-concavity sharper": {"short segments", "long segments"},
                "paper-regime": set(),
            },
        ),
        (
            "cheeger",
            {
                "open-cheeger": {"kernel width", "long segments"},
                "open-cheeger sharper": set(),
            },
        ),
    ],
)
def test_which_rules_notice_which_faults(experiment: str, noticed: dict[str, set[str]]) -> None:
    """Expected by hand: a kernel of less curvature than 2 L breaks both; one of more, the upper
    bound on the Hessian alone."""
    outcomes = matrix(rows_of(experiment))
    found = {
        rule: {fault for fault, result in row.items() if result == "noticed"}
        for rule, row in outcomes.iterrows()
    }
    assert found == noticed


def made_up(values: dict[str, list[str]], before: str = "reproduced") -> pd.DataFrame:
    """Outcomes of three faults for each rule."""
    names = [*[*FAULTS][:2], "short step"]
    return pd.DataFrame(
        {"target": rule, "reading": "", "method": fault, "clean": before}
        | {"verdict": "in part", "value": float(OUTCOMES.index(result))}
        for rule, results in values.items()
        for fault, result in zip(names, results, strict=True)
    )


def test_numbers_and_table_count() -> None:
    frame = made_up(
        {"a": ["noticed", "stopped", "unnoticed"], "b": ["untouched", "stopped", "noticed"]}
    )
    result = tables.numbers(frame)
    assert (result["rules"], result["faults"]) == (2, 3)
    assert (result["noticed"], result["stopped"], result["unnoticed"]) == (2, 2, 1)
    assert result["positive_failed"] == result["positive"] == 2
    assert (result["never_noticed"], result["control_noticed"]) == (0, 1)
    assert result["favoured"] == 0
    assert tables.numbers(made_up({"a": ["noticed"] * 3}, "not reproduced"))["favoured"] == 3
    weak = made_up({tables.WEAK: ["noticed", "stopped", "noticed"]})
    assert tables.numbers(weak)["mala_dimension_sharper_noticed"] == 2
    assert result["mala_dimension_sharper_noticed"] == 0
    table = tables.table(frame).set_index("fault")
    assert table.loc[[*FAULTS][1], "stopped"] == 2
    assert OUTCOMES == study.OUTCOMES
