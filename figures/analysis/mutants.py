"""B12: the outcomes of planted faults as a matrix of rules and faults."""

import pandas as pd

OUTCOMES = ("untouched", "unnoticed", "noticed", "stopped")
"""The outcomes by their number in the results."""
POSITIVE = ("reproduced", "respected", "respected and sharp", "supported", "holds")
"""The verdicts that say that a statement holds as it stands."""

PARTLY = ("in part", "holds in part")
"""The verdicts that say that a weaker form holds."""


def rank(verdict: str) -> int:
    """2 for a verdict of `POSITIVE`, 1 for one of `PARTLY`, 0 for the others."""
    return 2 * (verdict in POSITIVE) + (verdict in PARTLY)


def rules_of(frame: pd.DataFrame) -> pd.Series:
    """The rule of each row: the name of its claim, with the mark of the reading behind it."""
    rules: pd.Series = (frame["target"] + " " + frame["reading"]).str.strip()
    return rules


def matrix(frame: pd.DataFrame) -> pd.DataFrame:
    """The outcomes by name, with rules in rows and faults in columns, in the order of the study."""
    rules = rules_of(frame)
    named = frame.assign(rule=rules, outcome=[OUTCOMES[int(value)] for value in frame["value"]])
    table = named.pivot(index="rule", columns="method", values="outcome")
    return table.loc[rules.unique(), frame["method"].unique()]


def clean(frame: pd.DataFrame) -> pd.Series:
    """The verdict of each rule of `matrix` without a fault."""
    rules = rules_of(frame)
    verdicts: pd.Series = frame.assign(rule=rules).groupby("rule", sort=False)["clean"].first()
    return verdicts
