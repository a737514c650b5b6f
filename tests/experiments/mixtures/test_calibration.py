"""The numbers that every later result stands on: known marginal accuracies on the circle.

50 000 chains, so that the metric's own noise is 2e-4 and its bias that of the stated values. The
expected values come from an independent implementation; the tolerance is 0.006 (README, A1).
"""

from typing import Any

import pytest
import torch

import rtk
from rtk import metrics, segments, targets

CHAINS = 50_000
TOLERANCE = 0.006


@pytest.fixture(scope="module")
def reference() -> metrics.Reference:
    return metrics.Reference.of(targets.circle(), size=1000)


def accuracy(reference: metrics.Reference, **options: Any) -> float:
    mixture = targets.circle()
    result = rtk.sample(mixture.score, 10, CHAINS, seed=1, **options)
    assert result.nfe <= options["nfe"]
    return metrics.halved_marginal_accuracy(result.samples, reference).value


def test_exact_samples(reference: metrics.Reference) -> None:
    samples = targets.circle().sample(CHAINS, generator=torch.Generator().manual_seed(1))
    value = metrics.halved_marginal_accuracy(samples, reference).value
    assert value == pytest.approx(0.994, abs=TOLERANCE)


def test_ddpm_on_a_uniform_grid(reference: metrics.Reference) -> None:
    value = accuracy(reference, method="ddpm", nfe=205, segments=segments.uniform(205))
    assert value == pytest.approx(0.795, abs=TOLERANCE)


def test_dpm_solver_on_a_log_snr_grid(reference: metrics.Reference) -> None:
    grid = segments.log_snr(24, t_end=3e-4)
    value = accuracy(reference, method="dpm++2m", nfe=25, segments=grid)
    assert value == pytest.approx(0.989, abs=TOLERANCE)


@pytest.mark.parametrize(("nfe", "least"), [(30, 0.98), (110, 0.99)])
def test_rtk_mala_on_five_uniform_segments(
    reference: metrics.Reference, nfe: int, least: float
) -> None:
    value = accuracy(
        reference,
        method="rtk-mala",
        nfe=nfe,
        segments=segments.uniform(5),
        log_prob=targets.circle().log_prob,
        data_variance=targets.PAPER_VARIANCE,
    )
    assert value > least - TOLERANCE
