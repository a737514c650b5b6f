"""The pilot's chains against accurate solutions, its start, and where it stops."""

import math

import pytest
import torch
from torch import Tensor

from rtk.calibration import pilot
from tests.oracles import DOUBLE, gaussian, skewed
from tests.rtk.calibration.cases import flow, generator, model_of, skewed_pilot


@pytest.mark.parametrize("share", [0.3, 0.6, 0.8, 1.0])
def test_chains_follow_the_flow(share: float) -> None:
    """To 2e-3 of the noise level, in root mean square over all chains."""
    run = skewed_pilot()
    level = round(share * (len(run.sigmas) - 1))
    exact = flow(skewed().score, run.y[0], run.sigmas[0], run.sigmas[level])
    error = float((run.y[level] - exact).square().mean().sqrt())
    assert error < 2e-3 * run.sigmas[level], error


def test_ends_are_at_noise_zero() -> None:
    """To 1e-3 for modes of widths 0.3 to 0.5, of which one half per cent of noise was left."""
    run = skewed_pilot()
    exact = flow(skewed().score, run.y[0], run.sigmas[0], 0.0)
    assert float((run.ends - exact).square().mean().sqrt()) < 1e-3


def test_a_smaller_tolerance_costs_more_and_errs_less(monkeypatch: pytest.MonkeyPatch) -> None:
    coarse = skewed_pilot()
    monkeypatch.setattr(pilot, "TOLERANCE", 1e-7)
    monkeypatch.setattr(pilot, "SHORTEST", 0.005)
    fine = pilot.run(model_of(skewed().score, 2), 5.0, generator())
    assert len(fine.sigmas) > len(coarse.sigmas)
    exact = flow(skewed().score, fine.y[0], fine.sigmas[0], 0.0)
    coarse_error, fine_error = ((run.ends - exact).square().mean() for run in (coarse, fine))
    assert fine_error < coarse_error


def test_what_a_pilot_holds() -> None:
    run = skewed_pilot()
    assert run.sigmas == sorted(run.sigmas, reverse=True)
    assert run.sigmas[0] == pytest.approx(math.sqrt(math.expm1(10.0)))
    assert run.y.shape == run.denoised.shape == (len(run.sigmas), pilot.CHAINS, 2)
    spread = (run.ends - run.ends.mean(0)).square().mean().sqrt()
    assert run.rms == pytest.approx(float(spread), rel=0.01)
    for k in (0, 7, len(run.sigmas) - 1):
        expected = model_of(skewed().score, 2).denoise(run.y[k], run.sigmas[k])
        torch.testing.assert_close(run.denoised[k], expected)


@pytest.mark.parametrize("variance", [4.0, 0.3, 0.01])
def test_the_narrow_variance_of_a_gaussian_is_its_own(variance: float) -> None:
    """The ends of 128 chains have the start's second moment, which is exact."""
    run = pilot.run(model_of(gaussian(0.8, variance).score, 1), 5.0, generator())
    assert run.narrow_variance == pytest.approx(variance, rel=0.02)
    assert run.rms == pytest.approx(math.sqrt(variance), rel=0.02)


def test_the_narrow_variance_of_a_mixture_is_between_its_own() -> None:
    assert 0.1 < skewed_pilot().narrow_variance < 0.3


def test_an_exact_score_is_followed_until_little_noise_is_left() -> None:
    run = skewed_pilot()
    left = ((run.y - run.denoised) / torch.tensor(run.sigmas)[:, None, None]).square().mean((1, 2))
    assert bool((left[:-1] >= pilot.CLEAN).all())
    assert float(left[-1]) < pilot.CLEAN


def test_a_point_mass_is_followed_to_the_finest_level() -> None:
    """No noise level is clean for data without width: the finest one ends the pilot."""

    def score(x: Tensor, t: float) -> Tensor:
        """Two points at -1 and 1."""
        a = math.exp(-t)
        variance = -math.expm1(-2.0 * t)
        return (a * torch.tanh(a * x / variance) - x) / variance

    run = pilot.run(model_of(score, 1), 5.0, generator())
    assert run.sigmas[-1] < pilot.FINEST * run.rms
    assert run.sigmas[-1] >= 0.49 * pilot.FINEST * run.rms


def test_a_noise_estimate_that_stops_falling_ends_the_pilot() -> None:
    """As the floor of an imperfect score does, here a constant 0.2 in the noise estimate."""

    def score(x: Tensor, t: float) -> Tensor:
        return skewed().score(x, t) + 0.2 / math.sqrt(-math.expm1(-2.0 * t))

    run = pilot.run(model_of(score, 2), 5.0, generator())
    left = float(((run.y[-1] - run.denoised[-1]) / run.sigmas[-1]).square().mean())
    assert 2.0 * pilot.CLEAN < left < 0.1
    assert run.sigmas[-1] > pilot.FINEST * run.rms


@pytest.mark.parametrize("d", [1, 2, 63, 64, 300])
def test_the_start_has_exact_moments(d: int) -> None:
    """Mean zero and mean square one; the covariance too, if there are more chains than 2 d."""
    start = pilot.start_noise(128, d, generator())
    assert start.shape == (128, d)
    torch.testing.assert_close(start.mean(0), torch.zeros(d, dtype=DOUBLE))
    torch.testing.assert_close(start.square().mean(), torch.ones((), dtype=DOUBLE))
    if d < 64:
        torch.testing.assert_close(start.T @ start / 128, torch.eye(d, dtype=DOUBLE))
