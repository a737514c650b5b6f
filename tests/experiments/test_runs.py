"""What is reported of a run of a sampler."""

import math

import pytest

import rtk
from experiments.runs import mean_acceptance, seed_name
from rtk import targets


def test_mean_acceptance_weighs_segments_by_their_steps() -> None:
    mixture = targets.circle()
    result = rtk.sample(mixture.score, 10, 50, method="rtk-mala", nfe=30)
    chains = [s for s in result.diagnostics.segments if s.acceptance is not None]
    total = sum(s.inner_steps * (s.acceptance or 0.0) for s in chains)
    expected = total / sum(s.inner_steps for s in chains)
    assert mean_acceptance(result.diagnostics) == pytest.approx(expected)
    plain = rtk.sample(mixture.score, 10, 50, method="ddpm", nfe=5)
    assert math.isnan(mean_acceptance(plain.diagnostics))


def test_seeds_have_the_names_of_the_methods_but_one() -> None:
    changed = {method: seed_name(method) for method in rtk.methods() if seed_name(method) != method}
    assert changed == {"dpm++2m": "dpmpp-2m"}
