"""What one cell of the comparison records."""

import numpy as np
import pytest

from experiments.comparison import compare
from experiments.comparison.judge import Exact, judge
from experiments.comparison.targets import draw
from rtk import targets


def test_batches_are_parts_of_the_samples_beside_all_of_them() -> None:
    mixture = targets.mixture("uneven-2")
    x, exact = draw(mixture, 600, 0), draw(mixture, 600, 1)
    measured = compare.measure(x, compare.exact_sets(mixture, 600, 3, 1), mixture)
    assert [batch for batch, _ in measured] == [0, 1, 2, 3]
    whole, *parts = (errors for _, errors in measured)
    second = judge(x[200:400], Exact(exact[200:400]), mixture)
    for metric, value in judge(x, Exact(exact), mixture).items():
        assert whole[metric][0] == value
        assert parts[1][metric][0] == second[metric]
        values = [part[metric][0] for part in parts]
        assert whole[metric][1] == pytest.approx(np.std(values, ddof=1) / 3**0.5)
        assert all(np.isnan(part[metric][1]) for part in parts)


def test_the_chosen_candidate_is_that_of_the_budget() -> None:
    tuned = {"chosen": {"8": {"t_end": 0.1}, "20": {"t_end": 0.01}}}
    assert compare.chosen(tuned, 20) == {"t_end": 0.01}
    assert compare.chosen(None, 20) == {}
