"""Generalised HMC: OBABO without tests, MALA without memory, and an invariant law."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

import rtk
from rtk import ReverseTransition
from rtk.energy import estimator
from rtk.laws import affine
from rtk.mcmc.ghmc import ghmc
from rtk.mcmc.hmc import leapfrog
from rtk.mcmc.mala import mala
from rtk.mcmc.splitting import splitting
from rtk.noise import ChainNoise
from tests.oracles import (
    DOUBLE,
    CountingScore,
    ScriptedNoise,
    assert_law,
    assert_moments,
    cdf_on_grid,
    gaussian,
    skewed,
)
from tests.rtk.mcmc.two_wells import LINE, T_HI, T_LO, exact_draws, kernel, mixture

CHAINS = 100_000
STEP = 0.8
ENERGIES = ["exact", "trapezoid", "simpson", "taylor"]


def noise(seed: int, n: int = CHAINS) -> ChainNoise:
    return ChainNoise(seed, n, (1,), dtype=DOUBLE)


class Accepting(affine.UnitNoise):
    """Unit noise with which every proposal is accepted."""

    def uniform(self) -> Tensor:
        return torch.zeros(self.n, dtype=DOUBLE)


@pytest.mark.parametrize(("relative", "friction"), [(0.4, 2.0), (1.1, 0.5)])
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_it_is_obabo_without_tests(
    relative: float, friction: float, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exact law of z on a Gaussian after some steps."""
    monkeypatch.setattr(affine, "UnitNoise", Accepting)
    mixture_ = gaussian(0.7, 0.3)
    one = torch.full((1, 1), -0.4, dtype=DOUBLE)
    root = mixture_.reverse_transition(one, 1.0, 0.2).variances[0, 0].item() ** -0.5
    setting = steps, relative / root, friction * root

    def tested(unit: affine.UnitNoise) -> Tensor:
        there = ReverseTransition(mixture_.score, one.expand(unit.n, 1), 1.0, 0.2)
        last, accepted = ghmc(there, torch.full_like(there.x, -1.5), *setting, unit, "trapezoid")
        assert bool((accepted == steps).all())
        return last.z

    def untested(unit: affine.UnitNoise) -> Tensor:
        there = ReverseTransition(mixture_.score, one.expand(unit.n, 1), 1.0, 0.2)
        return splitting(there, torch.full_like(there.x, -1.5), "OBABO", *setting, unit)

    ours = affine.affine_law(tested, 1)  # type: ignore[arg-type]
    theirs = affine.affine_law(untested, 1)  # type: ignore[arg-type]
    np.testing.assert_allclose(ours.mean, theirs.mean, rtol=1e-10)
    np.testing.assert_allclose(ours.variance, theirs.variance, rtol=1e-10)


@pytest.mark.parametrize("energy", ENERGIES)
def test_it_is_mala_with_large_friction(energy: str) -> None:
    """Chain by chain, with many rejections: the velocity is redrawn in each step."""
    z, n = exact_draws(2000), 2000
    ours, accepted = ghmc(kernel(n), z, 6, STEP, 1e3, noise(3, n), energy)
    theirs, expected = mala(kernel(n), z, 6, STEP**2 / 2, noise(3, n), energy)
    torch.testing.assert_close(ours.z, theirs.z, rtol=1e-9, atol=1e-9)
    assert torch.equal(accepted, expected)
    assert float(accepted.mean()) / 6 < 0.95


def test_a_rejection_turns_the_velocity_round() -> None:
    """With hardly any friction the chain returns on its path: two accepted steps, one rejection,
    and two more accepted steps lead back to the start."""
    there, chosen = kernel(1), estimator("exact", mixture().log_prob)
    v = torch.tensor([[1.0]], dtype=DOUBLE)
    start = torch.tensor([[-0.5]], dtype=DOUBLE)
    # The path without tests, and the change of its energy in each step.
    path, rises, here, speed = [start], [], there.at(start), v
    for _ in range(3):
        here, speed, rise = leapfrog(there, here, speed, STEP, 1, chosen)
        path.append(here.z)
        rises.append(float(rise))
    uniforms = [0.0, 0.0, 1.0 - 1e-12, 0.0, 0.0]
    assert rises[2] > 0

    class Scripted(ScriptedNoise):
        def uniform(self) -> Tensor:
            return torch.full((1,), uniforms.pop(0), dtype=DOUBLE)

        def normal(self) -> Tensor:
            draw, self._normal = self._normal, torch.zeros_like(self._normal)
            return draw

    end, accepted = ghmc(there, start, 5, STEP, 1e-13, Scripted(v), "exact")
    assert accepted.item() == 4
    torch.testing.assert_close(end.z, start, rtol=1e-9, atol=1e-9)
    assert float((path[2] - start).abs()) > 0.3


@pytest.mark.parametrize("friction", [0.2, 1.0, 5.0])
def test_exact_energies_leave_the_kernel_as_it_is(friction: float) -> None:
    """n = 100 000, with many rejections."""
    last, accepted = ghmc(kernel(CHAINS), exact_draws(CHAINS), 8, STEP, friction, noise(22))
    assert_law(last.z, cdf_on_grid(LINE.density(), LINE.grid))
    assert float(accepted.mean()) / 8 < 0.85


def test_long_run_forgets_its_start() -> None:
    """n = 20 000."""
    start = torch.full((20_000, 1), -1.5, dtype=DOUBLE)
    last, _ = ghmc(kernel(20_000), start, 150, STEP, 0.7, noise(23, 20_000))
    assert_law(last.z, cdf_on_grid(LINE.density(), LINE.grid))


@pytest.mark.parametrize(("energy", "kept"), [("simpson", True), ("trapezoid", False)])
def test_simpson_keeps_the_kernel_and_the_trapezoid_does_not(energy: str, kept: bool) -> None:
    """n = 50 000: Simpson's bias is below what 60 bins can see."""
    n = 50_000
    last, _ = ghmc(kernel(n), exact_draws(n), 12, STEP, 1.0, noise(24, n), energy)
    exact = cdf_on_grid(LINE.density(), LINE.grid)
    if kept:
        assert_law(last.z, exact)
    else:
        with pytest.raises(AssertionError, match="p = "):
            assert_law(last.z, exact)


def test_in_the_plane() -> None:
    """n = 50 000 from exact draws of a kernel in the plane: mean and covariance stay."""
    n = 50_000
    target = skewed()
    x = torch.tensor([[-0.2, 0.1]], dtype=DOUBLE).expand(n, 2)
    exact = target.reverse_transition(x, 1.2, 0.2)
    z = exact.sample(torch.Generator().manual_seed(3))
    there = ReverseTransition(target.score, x, 1.2, 0.2, target.log_prob)
    last, accepted = ghmc(there, z, 5, 0.7, 1.0, ChainNoise(25, n, (2,), dtype=DOUBLE))
    mean = exact.mean()[0].numpy()
    weights, means, variances = exact.weights[0], exact.means[0], exact.variances[:, 0]
    second = torch.einsum("m,md,me->de", weights, means, means)
    covariance = (second + (weights @ variances) * torch.eye(2)).numpy() - np.outer(mean, mean)
    assert_moments(last.z, mean, covariance)
    assert float(accepted.mean()) / 5 < 0.9


@pytest.mark.parametrize("energy", ["trapezoid", "simpson", "taylor"])
@pytest.mark.parametrize("hole", [math.nan, math.inf, -math.inf])
def test_non_finite_score_is_a_rejection(energy: str, hole: float) -> None:
    target = mixture()

    def torn(x: Tensor, t: float) -> Tensor:
        return torch.where(x > 0.5, hole, target.score(x, t))

    x = torch.full((2000, 1), 0.1, dtype=DOUBLE)
    there = ReverseTransition(torn, x, T_HI, T_LO)
    last, accepted = ghmc(there, x, 30, 0.5, 1.0, noise(30, 2000), energy)
    assert float(last.z.max()) <= 0.5
    assert torch.isfinite(last.gradient).all()
    assert 0 < float(accepted.mean()) < 30


@pytest.mark.parametrize(
    ("energy", "expected"), [("exact", 8), ("trapezoid", 8), ("simpson", 15), ("taylor", 15)]
)
def test_cost(energy: str, expected: int) -> None:
    """One score at the start, one a step, and what the energies need on top."""
    target = mixture()
    score = CountingScore(target.score)
    x = torch.zeros(5, 1)
    there = ReverseTransition(score, x, T_HI, T_LO, target.log_prob)
    ghmc(there, x, 7, STEP, 1.0, ChainNoise(0, 5, (1,)), energy)
    assert score.rows == 5 * expected


@pytest.mark.parametrize("energy", ENERGIES)
def test_scores_of_the_sampler(energy: str) -> None:
    target = skewed()
    score = CountingScore(target.score)
    result = rtk.sample(score, 2, 32, "rtk-ghmc", 60, 0, target.log_prob, energy=energy)
    assert score.rows == 32 * result.nfe <= 32 * 60
    assert result.nfe >= 50
    assert all(segment.acceptance for segment in result.diagnostics.segments[:-1])


def test_friction_is_positive() -> None:
    with pytest.raises(ValueError, match="friction must be positive"):
        rtk.sample(skewed().score, 2, 4, "rtk-ghmc", 20, friction=0.0)
