"""A1: the published count of score evaluations."""

import pytest

from experiments.mixtures.steps import inner_steps


@pytest.mark.parametrize(("nfe", "steps"), [(25, 4), (105, 20), (505, 100)])
def test_published_count(nfe: int, steps: int) -> None:
    """Each of the five segments costs one score beside its inner steps."""
    assert inner_steps(nfe, 5) == steps
    assert 5 * steps + 5 == nfe
