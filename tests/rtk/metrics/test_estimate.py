"""Means of estimates against scipy and by hand."""

import numpy as np
import pytest
from scipy import stats

from rtk.metrics import Estimate


def test_mean_of_replicates() -> None:
    values = np.array([1.0, 4.0, 2.0, 7.0])
    found = Estimate.of_replicates(values)
    assert found.value == pytest.approx(3.5)
    assert found.standard_error == pytest.approx(stats.sem(values))


def test_errors_of_one_sample_add_up() -> None:
    found = Estimate.of_one_sample([Estimate(1.0, 0.1), Estimate(4.0, 0.3)])
    assert found.value == pytest.approx(2.5)
    assert found.standard_error == pytest.approx(0.2)
