"""What is reported of a run of a sampler."""

import math

import pytest

import rtk
from experiments.runs import mean_acceptance, needed_densities, over_replicates, seed_name
from rtk import targets
from rtk.metrics import Estimate


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


def test_only_exact_energies_need_the_density() -> None:
    mixture = targets.circle()
    exact, plain = {"method": "rtk-mala", "energy": "exact"}, {"method": "ddpm"}
    assert needed_densities(mixture, exact, mixture.score) == {
        "log_prob": mixture.log_prob,
        "score_and_log_prob": mixture.score_and_log_prob,
    }
    # The score of one pass would be without the error.
    wrong = needed_densities(mixture, exact, lambda x, t: mixture.score(x, t) + 0.1)
    assert wrong == {"log_prob": mixture.log_prob}
    for options in (plain, exact | {"energy": "trapezoid"}):
        assert needed_densities(mixture, options, mixture.score) == {}


def test_over_replicates_has_the_spread_between_sets() -> None:
    """Mean 2 and standard deviation 1 of three values; the errors within the sets do not count."""
    judged = [{"tv": Estimate(value, 9.0)} for value in (1.0, 2.0, 3.0)]
    floor = over_replicates(judged)
    assert floor["tv"].value == pytest.approx(2.0)
    assert floor["tv"].standard_error == pytest.approx(3**-0.5)
