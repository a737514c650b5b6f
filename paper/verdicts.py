"""The claims ledger: verdicts on the paper's claims, computed from the numbers of the workflow.

`claims.yaml` holds the claims and the rules that decide them. A rule is a condition on numbers. The
name ``file.number`` in a rule stands for ``number`` in ``<results>/numbers/file.json``.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import yaml

from experiments.workflow import job, results

CLAIMS = Path(__file__).parent / "claims.yaml"

# In the order in which the rules are tried.
RULES = {"outside": "outside the assumptions", "reproduced": "reproduced", "in_part": "in part"}
NOT_REPRODUCED, NOT_TESTABLE = "not reproduced", "not testable here"

Claim = Mapping[str, str]
Numbers = Mapping[str, Mapping[str, float]]


def load(path: Path = CLAIMS) -> dict[str, Claim]:
    """The claims by name, in the order of the file.

    Raises:
        ValueError: for a key that is none of a claim's, a verdict above all; for a claim without
            its text or source, or with neither rules nor the reason why it cannot be tested.
    """
    claims: dict[str, Claim] = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name, claim in claims.items():
        unknown = claim.keys() - {"claim", "source", "amended", "not_testable", *RULES}
        if unknown:
            raise ValueError(
                f"claim {name!r} has the key(s) {', '.join(sorted(unknown))}: expected claim, "
                f"source, and rules ({', '.join(RULES)}) or not_testable; verdicts are computed"
            )
        if not (claim.get("claim") and claim.get("source")):
            raise ValueError(f"claim {name!r} needs its text, claim:, and where it stands, source:")
        if ("reproduced" in claim) == ("not_testable" in claim):
            raise ValueError(f"claim {name!r} needs either a rule reproduced: or not_testable:")
    return claims


def names(claim: Claim) -> list[tuple[str, str]]:
    """The numbers that the rules of a claim use, each once, as pairs (file, number)."""
    rules = " ".join(claim.get(key, "") for key in RULES)
    return list(dict.fromkeys(re.findall(r"\b([a-z]\w*)\.([a-z]\w*)", rules)))


def decide(claim: Claim, numbers: Numbers) -> str:
    """The verdict on a claim, which is that of the first rule that holds.

    Raises:
        KeyError: if a number that the rules use is missing.
    """
    if "not_testable" in claim:
        return NOT_TESTABLE
    for file, number in names(claim):
        if number not in numbers.get(file, {}):
            raise KeyError(f"no number {number!r} in the numbers of {file!r}")
    known = {file: SimpleNamespace(**values) for file, values in numbers.items()}
    for key, verdict in RULES.items():
        rule = claim.get(key)
        if rule is not None and bool(pd.eval(rule, local_dict=known, engine="python")):
            return verdict
    return NOT_REPRODUCED


def ledger(claims: Mapping[str, Claim], numbers: Numbers) -> list[dict[str, Any]]:
    """One record per claim: its name, text, source, verdict, and the numbers that decided."""
    return [
        {
            "name": name,
            "claim": claim["claim"],
            "source": claim["source"],
            "verdict": decide(claim, numbers),
            "evidence": {f"{file}.{key}": numbers[file][key] for file, key in names(claim)},
            "amended": claim.get("amended", ""),
            "reason": claim.get("not_testable", ""),
        }
        for name, claim in claims.items()
    ]


def evidence(records: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """The numbers that a ledger recorded, by file, in the form that `decide` takes."""
    numbers: dict[str, dict[str, float]] = {}
    for record in records:
        for name, value in record["evidence"].items():
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
