"""Copy the workflow's verdicts and headline figure into the tracked files: `make readme`.

The README's table is made from `paper/verdicts.json`. That file is a copy of what the workflow
computed at default scale: the verdicts and the numbers that decided them. A test refuses a table or
a verdict that does not follow from these numbers.
"""

import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.workflow import results
from paper import verdicts

ROOT = Path(__file__).parent.parent
README, LEDGER = ROOT / "README.md", ROOT / "paper" / "verdicts.json"
BEGIN, END = "<!-- verdicts: made by `make readme`, do not edit -->", "<!-- end of verdicts -->"


def table(records: Sequence[Mapping[str, Any]]) -> str:
    """The ledger in Markdown: how the paper's claims fared, and a table for each kind."""
    numbered = [*enumerate(records, 1)]
    parts = []
    for key, kind in verdicts.KINDS.items():
        rows = [row(number, record) for number, record in numbered if record["kind"] == key]
        head = "| # | statement | source | verdict | name |\n|---|---|---|---|---|"
        count = f"{tally(records)}\n\n" if key == "claim" else ""
        parts.append("\n".join([f"**{kind.title}**\n\n{count}{head}", *rows]))
    return "\n\n".join(parts)


def row(number: int, record: Mapping[str, Any]) -> str:
    """One row of a table: primary verdict in bold, those of further readings in brackets."""
    beside = "".join(f" ({mark}: {r['verdict']})" for mark, r in record["readings"].items())
    verdict = f"**{record['verdict']}**{beside}"
    where = f" ({record['where']})" if record["where"] else ""
    cells = (
        str(number),
        record["statement"] + where,
        record["found"] or "ours",
        verdict,
        f"`{record['name']}`",
    )
    return f"| {' | '.join(cells)} |"


def tally(records: Iterable[Mapping[str, Any]]) -> str:
    """How many of the paper's claims have each primary verdict, as a sentence."""
    counts = Counter(record["verdict"] for record in records if record["kind"] == "claim")
    kind = verdicts.KINDS["claim"]
    order = [*kind.verdicts.values(), kind.otherwise, verdicts.NOT_TESTABLE]
    said = ", ".join(f"{counts[verdict]} {verdict}" for verdict in order)
    return f"Of {counts.total()} claims: {said}."


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
