"""Copy the workflow's verdicts and headline figure into the tracked files: `make readme`.

The README's table is made from `paper/verdicts.json`. That file is a copy of what the workflow
computed at default scale: the verdicts and the numbers that decided them. A test refuses a table or
a verdict that does not follow from these numbers.
"""

import json
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from experiments.workflow import results

ROOT = Path(__file__).parent.parent
README, LEDGER = ROOT / "README.md", ROOT / "paper" / "verdicts.json"
BEGIN, END = "<!-- verdicts: made by `make readme`, do not edit -->", "<!-- end of verdicts -->"


def table(records: Iterable[Mapping[str, Any]]) -> str:
    """The ledger as a Markdown table."""
    rows = [
        f"| {number} | {record['claim']} | **{record['verdict']}**"
        f"{' (amended)' if record['amended'] else ''} | `{record['name']}` |"
        for number, record in enumerate(records, 1)
    ]
    return "\n".join(["| # | claim | verdict | rule |", "|---|---|---|---|", *rows])


def embed(text: str, block: str) -> str:
    """The text ``text`` with ``block`` between the two marks; ValueError if it lacks them."""
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"README.md needs one line {BEGIN} and one line {END}")
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{block}\n{END}{rest.split(END)[1]}"


def main() -> None:
    made = ROOT / "results" / "verdicts.json"
    if not made.exists():
        sys.exit("results/verdicts.json is missing: `make` computes it")
    records = json.loads(made.read_text(encoding="utf-8"))
    shutil.copyfile(made, LEDGER)
    shutil.copyfile(ROOT / "results/figures/comparison_curves.png", ROOT / "figures/headline.png")
    with results.atomic(README) as unfinished:
        unfinished.write_text(
            embed(README.read_text(encoding="utf-8"), table(records)), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
