"""B12: by fault, which rules notice it; and how many rules there are that some fault fails."""

import pandas as pd

from experiments.mutants.faults import FAULTS
from figures import job
from figures.analysis.mutants import POSITIVE, clean, matrix, rank

WEAK = "mala-dimension sharper"
"""The rule with a positive verdict that the article names because no fault fails it."""


def numbers(frame: pd.DataFrame) -> dict[str, float]:
    """The numbers that the article quotes."""
    outcomes, verdicts = matrix(frame), clean(frame)
    positive = outcomes[verdicts.loc[outcomes.index].isin(POSITIVE).to_numpy()]
    fields = outcomes.to_numpy()
    result = {
        "rules": len(outcomes),
        "faults": outcomes.shape[1],
        "positive": len(positive),
        "positive_failed": int((positive == "noticed").any(axis=1).sum()),
        "failed": int((outcomes == "noticed").any(axis=1).sum()),
        "never_noticed": int((outcomes != "noticed").all(axis=1).sum()),
    }
    result |= {name: int((fields == name).sum()) for name in ("noticed", "unnoticed", "stopped")}
    weak = outcomes[outcomes.index == WEAK]
    result["mala_dimension_sharper_noticed"] = int((weak == "noticed").to_numpy().sum())
    better = frame["verdict"].map(rank) > frame["clean"].map(rank)
    result["favoured"] = int((better & (frame["verdict"] != "")).sum())
    result["control_stopped"] = int((outcomes["short step"] == "stopped").sum())
    result["control_noticed"] = int((outcomes["short step"] == "noticed").sum())
    return {name: float(value) for name, value in result.items()}


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per fault: what is wrong, and the number of rules with each outcome."""
    outcomes = matrix(frame)
    counts = {
        name: (outcomes == name).sum() for name in ("noticed", "stopped", "unnoticed", "untouched")
    }
    return pd.DataFrame(
        {
            "fault": outcomes.columns,
            "what is wrong": [FAULTS[name].what for name in outcomes.columns],
            **{name: column.to_numpy() for name, column in counts.items()},
        }
    )


if __name__ == "__main__":
    job.table(table, numbers)
