"""The moments of a pilot against brute force, and its integrals against an accurate flow."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from rtk.calibration import moments
from rtk.gaussian_base import GaussianBase
from tests.oracles import DOUBLE, skewed
from tests.rtk.calibration.cases import flow, skewed_base, skewed_moments, skewed_pilot


def test_gram_arrays_are_means_over_chains_and_coordinates() -> None:
    pilot, base, found = skewed_pilot(), skewed_base(), skewed_moments()
    r = moments.residuals_of(pilot, base)
    s = moments.integrals(r, pilot.sigmas, base.variances)
    levels = len(pilot.sigmas)
    assert found.sigmas[-1] == 0.0
    np.testing.assert_array_equal(found.sigmas[:-1], pilot.sigmas)
    some = [0, 3, 4, levels // 2, levels - 1]
    for a, b in itertools.product(some, some):
        assert found.residuals[a, b] == pytest.approx(float((r[a] * r[b]).mean()), rel=1e-9)
    for k, i, a in itertools.product([*some, levels], some, some):
        change = base.spread(found.sigmas[k]) * (s[k] - s[i])
        mixed, square = float((change * r[a]).mean()), float(change.square().mean())
        assert found.mixed[k, i, a] == pytest.approx(mixed, rel=1e-9, abs=1e-13)
        assert found.changes[k, i] == pytest.approx(square, rel=1e-7, abs=1e-12)


def test_a_low_rank_base_has_the_moments_of_the_same_covariance_in_full() -> None:
    """d coordinates, or k of them and d for the rest: the means are per coordinate of the data."""
    pilot = skewed_pilot()
    turn = torch.linalg.qr(torch.tensor([[1.0, 0.3], [0.4, 1.0]], dtype=DOUBLE))[0]
    mean, variances = skewed_base().mean, torch.tensor([1.3, 0.4], dtype=DOUBLE)
    full = moments.of(pilot, GaussianBase(mean, variances, turn))
    low = moments.of(pilot, GaussianBase(mean, variances[[0, 1, 1]], turn[:, :1]))
    for name, part in vars(full).items():
        np.testing.assert_allclose(getattr(low, name), part, rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("c", [0.02, 1.0])
def test_the_way_from_the_last_level_to_the_end(c: float) -> None:
    """A residual ``sigma^2`` is integrated exactly: ``int_0^sigma s (c + s^2)^(-1/2) ds``."""
    sigmas = [0.2, 0.15, 0.1]
    residuals = torch.tensor(sigmas, dtype=DOUBLE).square()[:, None, None]
    s = moments.integrals(residuals, sigmas, torch.tensor([c], dtype=DOUBLE)).flatten()
    exact = quad(lambda sigma: sigma / math.sqrt(c + sigma**2), 0.0, 0.1)[0]
    assert float(s[3] - s[2]) == pytest.approx(exact, rel=1e-10)
    before = quad(lambda sigma: sigma / math.sqrt(c + sigma**2), 0.1, 0.2)[0]
    assert float(s[2] - s[0]) == pytest.approx(before, rel=0.01)


@pytest.mark.parametrize(("start", "end"), [(0, 5), (4, 12), (10, 22), (0, None), (12, None)])
def test_the_change_is_what_the_base_leaves_of_the_flow(start: int, end: int | None) -> None:
    """``T_ik`` is the accurate flow less that of the base, to 2 per cent of its size.

    The points of the pilot are predictions, which the corrected chains differ from by 1e-4 sigma.
    """
    pilot, base = skewed_pilot(), skewed_base()
    r = moments.residuals_of(pilot, base)
    s = moments.integrals(r, pilot.sigmas, base.variances)
    k = len(pilot.sigmas) if end is None else end
    below = 0.0 if end is None else pilot.sigmas[end]
    found = base.spread(below) * (s[k] - s[start])
    exact = flow(skewed().score, pilot.y[start], pilot.sigmas[start], below)
    expected = base.coordinates(exact - base.flow(pilot.y[start], pilot.sigmas[start], below))
    error = (found - expected).square().mean().sqrt() / expected.square().mean().sqrt()
    assert float(error) < 0.02, float(error)
