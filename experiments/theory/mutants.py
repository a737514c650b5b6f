"""B12: faults that are planted in the samplers, and which rules of the claims notice them.

A rule that no fault can fail is no evidence. Each experiment that a rule rests on runs once as it
is and once with each fault (`experiments.mutants`). The rules of `paper/claims.yaml` then judge the
numbers of each run. A row has the outcome of one fault for one rule:

- *noticed*: the verdict is another one than without the fault;
- *unnoticed*: the numbers of the rule change, and the verdict stays;
- *stopped*: the experiment ends with an error, or a number of the rule is missing, so that there is
  no verdict;
- *untouched*: the numbers of the rule are those without the fault.

Of all experiments only those on images and B8 are left out, which take too long to run so often.
"""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from experiments.mutants.cases import CASES, Numbers, bounded_searches
from experiments.mutants.faults import FAULTS
from experiments.mutants.plant import planted, watched
from experiments.workflow import job, tidy
from paper import verdicts

OUTCOMES = ("untouched", "unnoticed", "noticed", "stopped")
"""What can become of a fault; the value in the table is the position here."""
ERRORS = (ArithmeticError, ValueError, KeyError)
"""Errors by which an experiment refuses what a fault makes of its numbers."""


@dataclass(frozen=True)
class Settings:
    """Sizes of the study.

    Attributes:
        experiments: the sizes of each experiment, by the name of its file of numbers.
        methods: the samplers on the paper's mixtures, as in A1.
    """

    experiments: dict[str, dict[str, Any]]
    methods: dict[str, dict[str, Any]]


def rules_on(experiment: str) -> dict[tuple[str, str], verdicts.Claim]:
    """The rules that rest on one experiment, by the claim's name and the mark of the reading.

    The first rule of a claim has an empty mark. A rule that rests on several experiments is none.
    """
    every = (
        ((name, mark), reading)
        for name, claim in verdicts.load().items()
        for mark, reading in {"": claim, **verdicts.readings(claim)}.items()
    )
    return {
        key: rule
        for key, rule in every
        if {file for file, _ in verdicts.names(rule)} == {experiment}
    }


def run(experiment: str, sizes: Mapping[str, Any], seed: int) -> Numbers | None:
    """The numbers of an experiment, or None if it ends with one of `ERRORS`."""
    try:
        with warnings.catch_warnings(), bounded_searches():
            warnings.simplefilter("ignore")
            return CASES[experiment](sizes, seed)
    except ERRORS:
        return None


def evidence(rule: verdicts.Claim, numbers: Numbers) -> list[float] | None:
    """The numbers of a rule, or None if one is missing."""
    found = [numbers.get(number) for _, number in verdicts.names(rule)]
    return None if None in found else [float(value) for value in found if value is not None]


def outcome(
    rule: verdicts.Claim, experiment: str, clean: Numbers, faulty: Numbers | None
) -> tuple[str, str]:
    """The outcome for one rule, one of `OUTCOMES`, and the verdict with the fault.

    Args:
        rule: the claim or the reading.
        experiment: the name of the file of numbers.
        clean: the numbers without the fault.
        faulty: the numbers with the fault, or None if there are none.
    """
    if faulty is None or (found := evidence(rule, faulty)) is None:
        return "stopped", ""
    before, after = (verdicts.decide(rule, {experiment: part}) for part in (clean, faulty))
    if before != after:
        return "noticed", after
    return ("untouched" if found == evidence(rule, clean) else "unnoticed"), after


def examine(experiment: str, sizes: Mapping[str, Any], seed: int) -> Iterator[tidy.Row]:
    """The rows of one experiment: one for each of its rules and each fault."""
    with watched(FAULTS) as called:
        clean = run(experiment, sizes, seed)
    if clean is None:
        raise ArithmeticError(f"the experiment {experiment} fails without a fault")
    for name, fault in FAULTS.items():
        faulty: Numbers | None = clean
        if name in called:
            with planted(fault):
                faulty = run(experiment, sizes, seed)
        for (claim, mark), rule in rules_on(experiment).items():
            result, verdict = outcome(rule, experiment, clean, faulty)
            yield {
                "target": claim,
                "reading": mark,
                "method": name,
                "settings": experiment,
                "clean": verdicts.decide(rule, {experiment: clean}),
                "verdict": verdict,
                "metric": "outcome",
                "value": float(OUTCOMES.index(result)),
            }


def rows(settings: Settings, seed: int) -> list[tidy.Row]:
    """The outcomes of all faults, experiment by experiment."""
    sizes = {**settings.experiments}
    sizes["mixtures"] = {**sizes["mixtures"], "methods": settings.methods}
    return [row for name in CASES for row in examine(name, sizes[name], seed)]


if __name__ == "__main__":
    job.study(rows, Settings)
