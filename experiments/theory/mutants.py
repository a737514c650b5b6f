"""B12: faults that are planted in the samplers, and which rules of the claims notice them.

A rule that no fault can fail is no evidence. Each experiment that a rule rests on runs once as it
is and once with each fault (`experiments.mutants`). The rules of `paper/claims.yaml` then judge the
numbers of each run. A row has the outcome of one fault for one rule:

- *noticed*: the verdict is another one than without the fault;
- *unnoticed*: the numbers of the rule change, and the verdict stays;
- *stopped*: the experiment ends with an error, or a number of the rule is missing, so that there is
  no verdict;
- *untouched*: the numbers of the rule are those without the fault.

The experiments on images and B8 are left out, which take too long to run so often, and the order of
the samplers between runs in A1.
"""

import math
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.mutants.cases import EXPERIMENTS, Experiment, Numbers, Rows, bounded_searches
from experiments.mutants.faults import FAULTS
from experiments.mutants.plant import planted, watched
from experiments.workflow import job, tidy
from paper import verdicts

OUTCOMES = ("untouched", "unnoticed", "noticed", "stopped")
"""What can become of a fault; the value in the table is the position here."""


@dataclass(frozen=True)
class Settings:
    """Sizes of the study.

    Attributes:
        experiments: the sizes of each experiment, by the name of its file of numbers.
        methods: the samplers on the paper's mixtures, as in A1.
        claims: path of the file of claims.
    """

    experiments: dict[str, dict[str, Any]]
    methods: dict[str, dict[str, Any]]
    claims: str


Rules = Mapping[tuple[str, str], verdicts.Claim]
"""Rules by the name of their claim and the mark of the reading, which is empty for the first."""


def rules_on(experiment: str, claims: Mapping[str, verdicts.Claim]) -> Rules:
    """The rules that rest on one experiment."""
    return {
        (name, mark): rule
        for name, claim in claims.items()
        for mark, rule in {"": claim, **verdicts.readings(claim)}.items()
        if {file for file, _ in verdicts.names(rule)} == {experiment}
    }


BEHIND = {
    "mixture-order": "rtk_mala|rtk_uld|ddpm",
    "mixture-mala-uld": "rtk_mala|rtk_uld|rtk_ula",
    "mixture-practitioners": r"rtk_\w+|dpm_solver",
}
"""The samplers whose accuracies a rule counts. A count may stay where they change."""


ERRORS = (ArithmeticError, ValueError, KeyError, StopIteration, RuntimeError)
"""Errors by which an experiment refuses what a fault makes of its numbers."""


@contextmanager
def contained() -> Iterator[None]:
    """Searches end, warnings are not printed, and an error of `ERRORS` ends the context alone."""
    with suppress(*ERRORS), warnings.catch_warnings(), bounded_searches():
        warnings.simplefilter("ignore")
        yield


@dataclass(frozen=True)
class Clean:
    """An experiment as it ran without a fault.

    Attributes:
        experiment: the experiment.
        rows: the rows of each part.
        called: for each part the faults whose places it calls.
        others: the rows of the other parts.
    """

    experiment: Experiment
    rows: dict[str, Rows]
    called: dict[str, set[str]]
    others: Rows

    @classmethod
    def run(cls, experiment: Experiment) -> "Clean":
        rows, called = {}, {}
        with warnings.catch_warnings(), bounded_searches():
            warnings.simplefilter("ignore")
            for name, part in experiment.parts.items():
                with watched(FAULTS) as called[name]:
                    rows[name] = [*part()]
            return cls(experiment, rows, called, [*experiment.others()])

    def numbers(self, rows: Mapping[str, Rows]) -> Numbers:
        """The numbers from the rows of the parts, and from those of the other parts."""
        table = [row for part in (*rows.values(), self.others) for row in part]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self.experiment.numbers(pd.DataFrame([{**job.DEFAULTS, **row} for row in table]))

    def numbers_with(self, name: str) -> Numbers:
        """The numbers with a fault, where only the parts run again that it can change.

        A part that ends with an error is left out. If the numbers cannot be made with the parts
        that ran again, they are those of the other parts, if these suffice, or none.
        """
        same = {part: self.rows[part] for part in self.rows if name not in self.called[part]}
        changed: dict[str, Rows] = {}
        for part in [part for part in self.rows if part not in same]:
            with contained(), planted(FAULTS[name]):
                changed[part] = [*self.experiment.parts[part]()]
        every = same | changed
        for rows in (every, same):
            with contained():
                return self.numbers(rows)
        return {}


def has_evidence(rule: verdicts.Claim, numbers: Numbers) -> bool:
    """Whether all numbers of a rule are there and are numbers."""
    return not any(math.isnan(numbers.get(number, math.nan)) for _, number in verdicts.names(rule))


def measured(claim: str, rule: verdicts.Claim, numbers: Numbers) -> list[float]:
    """The numbers of a rule, and the accuracies behind them if they are counts."""
    names = [number for _, number in verdicts.names(rule)]
    if claim in BEHIND:
        accuracy = re.compile(rf"accuracy_({BEHIND[claim]})_[a-z]+_(least|most)")
        names += [name for name in numbers if accuracy.fullmatch(name)]
    return [float(numbers[name]) for name in names]


def outcome(
    claim: str, rule: verdicts.Claim, experiment: str, clean: Numbers, faulty: Numbers
) -> tuple[str, str]:
    """The outcome for one rule, one of `OUTCOMES`, and the verdict with the fault.

    Args:
        claim: the name of the claim.
        rule: the claim or the reading.
        experiment: the name of the file of numbers.
        clean: the numbers without the fault.
        faulty: the numbers with the fault, those that there are.
    """
    if not has_evidence(rule, faulty):
        return "stopped", ""
    before, after = (verdicts.decide(rule, {experiment: part}) for part in (clean, faulty))
    if before != after:
        return "noticed", after
    same = measured(claim, rule, clean) == measured(claim, rule, faulty)
    return ("untouched" if same else "unnoticed"), after


def examine(name: str, experiment: Experiment, rules: Rules) -> Iterator[tidy.Row]:
    """The rows of one experiment: one for each of its rules and each fault."""
    clean = Clean.run(experiment)
    right = clean.numbers(clean.rows)
    for fault in FAULTS:
        wrong = clean.numbers_with(fault)
        for (claim, mark), rule in rules.items():
            result, verdict = outcome(claim, rule, name, right, wrong)
            yield {
                "target": claim,
                "reading": mark,
                "method": fault,
                "settings": name,
                "clean": verdicts.decide(rule, {name: right}),
                "verdict": verdict,
                "metric": "outcome",
                "value": float(OUTCOMES.index(result)),
            }


def rows(settings: Settings, seed: int) -> Rows:
    """The outcomes of all faults, experiment by experiment."""
    claims = verdicts.load(Path(settings.claims))
    sizes = {**settings.experiments}
    sizes["mixtures"] = {**sizes["mixtures"], "methods": settings.methods}
    return [
        row
        for name, at in EXPERIMENTS.items()
        for row in examine(name, at(sizes[name], seed), rules_on(name, claims))
    ]


if __name__ == "__main__":
    job.study(rows, Settings)
