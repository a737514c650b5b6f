"""A1: which of the samples on the paper's mixtures the pictures show."""

from collections.abc import Sequence


def shown_budgets(nfe: Sequence[int]) -> Sequence[int]:
    """The first and the third number of score evaluations; the first alone of fewer than three."""
    return nfe[:3:2] if len(nfe) >= 3 else nfe[:1]
