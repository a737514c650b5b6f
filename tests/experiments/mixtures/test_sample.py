"""A1: the segments that a configuration asks for, and the runs into which chains are cut."""

import pytest

from experiments.mixtures.grid import grid
from experiments.mixtures.sample import accuracy_by_run
from rtk import metrics, segments, targets


def test_grid_without_a_count_spends_all_scores() -> None:
    assert grid("uniform", nfe=7) == segments.uniform(7)
    assert grid("log_snr", nfe=7) == segments.log_snr(6)
    assert grid("uniform", nfe=7, count=3) == segments.uniform(3)


def test_runs_are_disjoint_sets_of_the_chains() -> None:
    reference = metrics.Reference.of(targets.mixture("circle"), size=500, seed=0)
    samples = targets.mixture("circle").sample(500)
    samples[:100] += 10.0
    found = accuracy_by_run(samples, reference, 50, (-1.5, 1.5))
    assert [*found] == [f"accuracy_of_run_{k}" for k in range(1, 6)]
    # Nothing of the first run lies in the interval, so half of its accuracy is lost.
    assert found["accuracy_of_run_1"].value == pytest.approx(0.5)
    for k in range(2, 6):
        part = samples[100 * (k - 1) : 100 * k]
        expected = metrics.halved_marginal_accuracy(part, reference, 50, (-1.5, 1.5))
        assert found[f"accuracy_of_run_{k}"].value == expected.value
        assert expected.value > 0.8
