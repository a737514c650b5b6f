"""The ledger: verdicts on the statements that the article judges, from the workflow's numbers.

`claims.yaml` holds the statements and the rules that decide them. A rule is a condition on numbers.
The name ``file.number`` in a rule stands for ``number`` in ``<results>/numbers/file.json``.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import yaml

from experiments.workflow import job, results

CLAIMS = Path(__file__).parent / "claims.yaml"


@dataclass(frozen=True)
class Kind:
    """What can be said of a statement of one kind.

    Attributes:
        title: heading of its part of the ledger.
        verdicts: the verdict of each rule, in the order in which the rules are tried.
        otherwise: the verdict if no rule holds.
    """

    title: str
    verdicts: Mapping[str, str]
    otherwise: str


KINDS = {
    "claim": Kind(
        "Claims of the paper",
        {"reproduced": "reproduced", "in_part": "in part"},
        "not reproduced",
    ),
    "bound": Kind(
        "Bounds of others that the paper quotes",
        {"sharp": "respected and sharp", "respected": "respected"},
        "violated",
    ),
    "question": Kind(
        "Open questions of the paper",
        {"supported": "supported", "contradicted": "contradicted"},
        "undecided",
    ),
    "observation": Kind(
        "Our own observations",
        {"holds": "holds", "in_part": "holds in part"},
        "does not hold",
    ),
}
NOT_TESTABLE = "not testable here"
FOUND = ("quoted", "summarised", "inferred")
"""How the source of a statement was found in public text."""
READINGS = ("refined", "sharper")
"""Rules that stand beside the first ones: changed after a result, or harder to pass."""

Claim = Mapping[str, Any]
Numbers = Mapping[str, Mapping[str, float]]


def load(path: Path = CLAIMS) -> dict[str, Claim]:
    """The statements by name, in the order of the file.

    Raises:
        ValueError: for an entry that `check` refuses.
    """
    claims: dict[str, Claim] = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name, claim in claims.items():
        check(name, claim)
    return claims


def check(name: str, claim: Claim) -> None:
    """Check one entry of the file.

    Raises:
        ValueError: if it has no known kind; lacks a key that its kind needs, or has one that its
            kind does not know, a verdict above all; has both rules and the reason why it cannot be
            tested, or neither; or if a further reading lacks its reason or its rules.
    """
    kind = claim.get("kind")
    if kind not in KINDS:
        raise ValueError(f"{name!r} has the kind {kind!r}: expected one of {', '.join(KINDS)}")
    rules = set(KINDS[kind].verdicts)
    needed = {"kind", "statement", "source"}
    needed |= {"found"} if kind != "observation" else set()
    needed |= {"where"} if kind == "question" else set()
    if missing := [key for key in sorted(needed) if not claim.get(key)]:
        raise ValueError(f"the {kind} {name!r} lacks {', '.join(missing)}")
    if unknown := claim.keys() - needed - rules - {"not_testable", *READINGS}:
        raise ValueError(
            f"the {kind} {name!r} has the key(s) {', '.join(sorted(unknown))}: expected "
            f"{', '.join(sorted(needed))}, and the rules {', '.join(KINDS[kind].verdicts)} or "
            "not_testable; verdicts are computed"
        )
    if "found" in claim and claim["found"] not in FOUND:
        raise ValueError(
            f"{name!r} was found as {claim['found']!r}: expected one of {', '.join(FOUND)}"
        )
    if bool(rules & claim.keys()) == ("not_testable" in claim):
        raise ValueError(f"the {kind} {name!r} needs either rules or not_testable:")
    for mark in READINGS:
        reading = claim.get(mark, {"why": "none", **dict.fromkeys(rules)})
        if not (reading.get("why") and rules & reading.keys()) or reading.keys() - rules - {"why"}:
            raise ValueError(f"the reading {mark!r} of {name!r} needs why: and rules, and no more")


def readings(claim: Claim) -> dict[str, Claim]:
    """The readings of a statement that stand beside the first one, each with the statement's kind.

    The key is the reading's mark, one of `READINGS`.
    """
    return {mark: {"kind": claim["kind"], **claim[mark]} for mark in READINGS if mark in claim}


def rules(claim: Claim) -> dict[str, str]:
    """The rules of a statement or of a reading, by their verdicts, in the order of trial."""
    verdicts = KINDS[claim["kind"]].verdicts
    return {verdict: claim[key] for key, verdict in verdicts.items() if key in claim}


def names(claim: Claim) -> list[tuple[str, str]]:
    """The numbers that the rules use, each once, as pairs (file, number)."""
    text = " ".join(rules(claim).values())
    return list(dict.fromkeys(re.findall(r"\b([a-z]\w*)\.([a-z]\w*)", text)))


def number_files(claims: Mapping[str, Claim]) -> set[str]:
    """The files of numbers that the ledger needs, those of further readings included."""
    every = (each for claim in claims.values() for each in (claim, *readings(claim).values()))
    return {file for each in every for file, _ in names(each)}


def decide(claim: Claim, numbers: Numbers) -> str:
    """The verdict on a statement or of a reading, which is that of the first rule that holds.

    Raises:
        KeyError: if a number that the rules use is missing.
    """
    if "not_testable" in claim:
        return NOT_TESTABLE
    for file, number in names(claim):
        if number not in numbers.get(file, {}):
            raise KeyError(f"no number {number!r} in the numbers of {file!r}")
    known = {file: SimpleNamespace(**values) for file, values in numbers.items()}
    for verdict, rule in rules(claim).items():
        if bool(pd.eval(rule, local_dict=known, engine="python")):
            return verdict
    return KINDS[claim["kind"]].otherwise


def judged(claim: Claim, numbers: Numbers) -> dict[str, Any]:
    """The verdict of a statement or of a reading, its rules, and the numbers that decided."""
    return {
        "verdict": decide(claim, numbers),
        "rules": rules(claim),
        "evidence": {f"{file}.{key}": numbers[file][key] for file, key in names(claim)},
    }


def ledger(claims: Mapping[str, Claim], numbers: Numbers) -> list[dict[str, Any]]:
    """One record per statement: what it says, what was judged, and its further readings."""
    return [
        {
            "name": name,
            **{key: claim.get(key, "") for key in ("kind", "statement", "source", "found")},
            "where": claim.get("where", ""),
            "reason": claim.get("not_testable", ""),
            **judged(claim, numbers),
            "readings": {
                mark: {"why": reading["why"], **judged(reading, numbers)}
                for mark, reading in readings(claim).items()
            },
        }
        for name, claim in claims.items()
    ]


def evidence(records: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """The numbers that a ledger recorded, by file, in the form that `decide` takes."""
    numbers: dict[str, dict[str, float]] = {}
    for record in records:
        for judgement in (record, *record["readings"].values()):
            for name, value in judgement["evidence"].items():
                file, number = name.split(".")
                numbers.setdefault(file, {})[number] = value
    return numbers


def main() -> None:
    snakemake = job.start()
    numbers = {Path(path).stem: results.read_numbers(path) for path in snakemake.input.numbers}
    text = json.dumps(ledger(load(), numbers), indent=1, ensure_ascii=False)
    with results.atomic(snakemake.output.ledger) as unfinished:
        unfinished.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
