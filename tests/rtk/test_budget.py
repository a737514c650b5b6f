"""Score evaluations are counted, and the budget is kept and spent."""

from typing import Any

import pytest
import torch

import rtk
from tests.oracles import (
    PLAIN,
    CountingScore,
    gaussian,
    skewed,
)

M, V = 0.8, 0.3
CHAINS = 100_000


@pytest.mark.parametrize("energy", ["exact", "trapezoid", "simpson", "taylor"])
@pytest.mark.parametrize("warm_start", ["ddpm", "x", "gaussian"])
def test_scores_of_mala(energy: str, warm_start: str) -> None:
    target = skewed()
    score = CountingScore(target.score)
    result = rtk.sample(
        score, 2, 32, "rtk-mala", 60, 0, target.log_prob, energy=energy, warm_start=warm_start
    )
    assert score.rows == 32 * result.nfe <= 32 * 60
    assert result.nfe >= 50


@pytest.mark.parametrize("nfe", [1, 2, 5, 11, 24, 57, 101])
@pytest.mark.parametrize("method", PLAIN)
def test_the_budget_is_kept(method: str, nfe: int) -> None:
    """The reported NFE is the number of rows the score saw, at most what was asked."""
    grids: list[dict[str, Any]] = [
        {},
        {"segments": 3},
        {"segments": (5.0, 1.0, 0.1), "denoise": False},
    ]
    for options in grids:
        score = CountingScore(gaussian(M, V).score)
        try:
            result = rtk.sample(score, 1, 17, method, nfe=nfe, **options)
        except ValueError as error:
            # A refusal names the minimum, and the minimum then works.
            assert score.rows == 0
            minimum = int(str(error).rsplit(" ", 1)[1])
            assert nfe < minimum <= 30
            score = CountingScore(gaussian(M, V).score)
            result = rtk.sample(score, 1, 17, method, nfe=minimum, **options)
            assert result.nfe <= minimum
        else:
            assert result.nfe <= nfe
        assert score.rows == 17 * result.nfe > 0
        assert sum(segment.nfe for segment in result.diagnostics.segments) == result.nfe
        assert torch.isfinite(result.samples).all()


@pytest.mark.parametrize("method", PLAIN)
def test_most_of_the_budget_is_spent(method: str) -> None:
    for nfe in (25, 105, 205):
        assert rtk.sample(gaussian(M, V).score, 1, 3, method, nfe=nfe).nfe >= 0.8 * nfe


@pytest.mark.parametrize("inner_steps", [1, 3, 10])
@pytest.mark.parametrize("method", ["rtk-ula", "rtk-lm", "rtk-mala", "rtk-ghmc", "rtk-uld"])
def test_inner_steps_shape_the_default_segments(method: str, inner_steps: int) -> None:
    result = rtk.sample(gaussian(M, V).score, 1, 3, method, nfe=100, inner_steps=inner_steps)
    # MALA's segments are planned as if none reused a score, which leaves up to a third.
    assert result.nfe > 60
    inner = result.diagnostics.segments[:-1]
    assert {segment.inner_steps for segment in inner} == {inner_steps}


def test_log_probs_are_counted_apart() -> None:
    target = skewed()
    calls = CountingScore(target.log_prob)
    result = rtk.sample(target.score, 2, 32, "rtk-mala", 60, log_prob=calls)
    assert 0 < calls.rows == 32 * result.diagnostics.log_prob_evaluations
    assert rtk.sample(target.score, 2, 32, "rtk-mala", 60).diagnostics.log_prob_evaluations == 0
    unused = rtk.sample(target.score, 2, 32, "ddpm", 60, log_prob=calls)
    assert unused.diagnostics.log_prob_evaluations == 0
