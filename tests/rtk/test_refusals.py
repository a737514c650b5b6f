"""Answers of a wrong kind and non-finite chains are named, for every method.

The table of `tests.refusals` has the wrong arguments.
"""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

import rtk
from rtk import NonFiniteError
from tests.oracles import (
    ADJUSTED,
    PLAIN,
    draw,
    skewed,
)

METHODS = rtk.methods()


@pytest.mark.parametrize("method", METHODS)
def test_answers_of_the_score_are_checked(method: str) -> None:
    with pytest.raises(
        ValueError, match=r"score returned shape \((\d+),\) for x of shape \(\1, 2\)"
    ):
        draw(method=method, score=lambda x, t: x[:, 0])
    with pytest.raises(ValueError, match="score returned shape"):
        draw(method=method, score=lambda x, t: x[:1])
    with pytest.raises(
        TypeError, match=r"score returned torch\.float64 .* expected torch\.float32"
    ):
        draw(method=method, score=lambda x, t: -x.double())
    with pytest.raises(TypeError, match="score returned ndarray, expected a tensor"):
        draw(method=method, score=lambda x, t: x.numpy())


def test_answers_of_log_prob_are_checked() -> None:
    with pytest.raises(ValueError, match=r"log_prob returned shape \(16, 2\)"):
        draw(method="rtk-mala", log_prob=lambda x, t: x)


# What is not finite is named.


def torn(x: Tensor, t: float) -> Tensor:
    """A score that fails on the far right once t < 1."""
    return torch.where((x[:, :1] > 0.7) & (t < 1.0), torch.nan, skewed().score(x, t))


@pytest.mark.parametrize("method", PLAIN)
def test_nan_scores_raise_with_chain_and_time(method: str) -> None:
    with pytest.raises(NonFiniteError, match=r"of the 16 chains .* chain \(time\): ") as caught:
        draw(method=method, score=torn, nfe=60, segments=12)
    chains = caught.value.chains
    assert 0 < len(chains) <= 16
    assert all(0 <= chain < 16 and 0 <= t < 1 for chain, t in chains.items())
    kept = draw(method=method, score=torn, nfe=60, segments=12, nonfinite="keep")
    assert kept.diagnostics.nonfinite == chains
    # The others are what they would have been.
    whole = draw(method=method, nfe=60, segments=12)
    for chain in range(16):
        if chain not in chains:
            finite = torch.isfinite(kept.samples[chain]).all()
            assert finite
            if method not in ADJUSTED:
                torch.testing.assert_close(kept.samples[chain], whole.samples[chain])
    if method not in ADJUSTED:
        lost = torch.nonzero(~torch.isfinite(kept.samples).all(1)).flatten().tolist()
        assert sorted(chains) == lost


@pytest.mark.parametrize(
    ("options", "when"),
    [
        ({"method": "ddpm"}, 0.5),
        ({"method": "rtk-uld"}, 0.9),
        ({"method": "rtk-mala"}, 0.9),
        ({"method": "rtk-hmc"}, 0.9),
        ({"method": "rtk-ghmc"}, 0.9),
    ],
)
def test_the_time_is_that_of_the_first_trouble(options: dict[str, Any], when: float) -> None:
    """A score that fails below t = 1: DDPM asks for it at the noisy end of a segment, RTK at the
    clean end."""

    def late(x: Tensor, t: float) -> Tensor:
        return skewed().score(x, t) if t >= 1 else torch.full_like(x, math.nan)

    with pytest.raises(NonFiniteError) as caught:
        draw(score=late, segments=(4.0, 2.0, 0.9, 0.5, 0.1), nfe=40, **options)
    assert caught.value.chains == dict.fromkeys(range(16), when)


def test_non_finite_chains_keep_their_number_across_chunks() -> None:
    n = 2048 + 40
    whole, parts = (
        draw(n=n, score=torn, method="ddpm", nfe=20, chunk=chunk, nonfinite="keep")
        for chunk in (None, 1)
    )
    assert whole.diagnostics.nonfinite == parts.diagnostics.nonfinite
    assert max(whole.diagnostics.nonfinite) > 2048


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_energies_that_are_not_finite_are_named(value: float) -> None:
    with pytest.raises(NonFiniteError):
        draw(method="rtk-mala", log_prob=lambda x, t: torch.full((len(x),), value))


def test_a_hole_in_the_energy_is_only_avoided() -> None:
    """Proposals into it are rejected; a chain that was carried into it by a warm start is named."""
    target = skewed()

    def holed(x: Tensor, t: float) -> Tensor:
        return torch.where(x[:, 1] > 1.2, torch.nan, target.log_prob(x, t))

    result = draw(
        method="rtk-mala", n=500, log_prob=holed, warm_start="x", nonfinite="keep", segments=4
    )
    inside = torch.nonzero(result.samples[:, 1] > 1.3).flatten().tolist()
    assert set(inside) <= set(result.diagnostics.nonfinite)
    assert len(result.diagnostics.nonfinite) < 250
