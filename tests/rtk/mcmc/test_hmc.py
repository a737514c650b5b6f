"""Hamiltonian Monte Carlo: the leapfrog method in NumPy, detailed balance, and laws on a grid."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor

import rtk
from rtk import ReverseTransition
from rtk.energy import EnergyDifference, estimator, gauss_legendre
from rtk.kernel import dot
from rtk.mcmc.hmc import hmc, leapfrog
from rtk.mcmc.mala import mala
from rtk.noise import ChainNoise
from tests.oracles import (
    DOUBLE,
    Array,
    CountingScore,
    ScriptedNoise,
    assert_law,
    cdf_on_grid,
    gaussian,
    skewed,
)
from tests.rtk.mcmc.two_wells import LINE, T_HI, T_LO, exact_draws, kernel, mixture

CHAINS = 100_000
STEP, LENGTH = 0.8, 3
ENERGIES = ["exact", "trapezoid", "simpson", "taylor"]


def noise(seed: int, n: int = CHAINS) -> ChainNoise:
    return ChainNoise(seed, n, (1,), dtype=DOUBLE)


def trajectory(energy: str, z: Array, v: Array) -> tuple[Array, Array, Array]:
    """End, last velocity and ``Delta`` of a trajectory on the line, written out in NumPy."""
    g, gradient = LINE.potential, LINE.gradient
    path = [z]
    momentum = v
    for _ in range(LENGTH):
        half = momentum - STEP / 2 * gradient(path[-1])
        path.append(path[-1] + STEP * half)
        momentum = half - STEP / 2 * gradient(path[-1])
    if energy == "exact":
        rise = np.asarray(g(path[-1]) - g(z))
    else:
        middle = {"trapezoid": 0.0, "simpson": 4 / 6}[energy]
        parts = [
            (b - a)
            * ((1 - middle) / 2 * (gradient(a) + gradient(b)) + middle * gradient((a + b) / 2))
            for a, b in itertools.pairwise(path)
        ]
        rise = np.sum(parts, axis=0)
    return path[-1], momentum, np.asarray(rise + momentum**2 / 2 - v**2 / 2)


PAIRS = [(-0.4, 0.5), (0.5, -1.4), (1.5, 0.3), (-1.4, 2.0), (0.1, -2.3)]


@pytest.mark.parametrize("energy", ["exact", "trapezoid", "simpson"])
def test_trajectory_and_its_energy(energy: str) -> None:
    z, v = np.array(PAIRS).T
    there = kernel(len(PAIRS))
    start = there.at(torch.from_numpy(z).unsqueeze(1))
    chosen = estimator(energy, there.log_prob)
    last, last_v, delta = leapfrog(
        there, start, torch.from_numpy(v).unsqueeze(1), STEP, LENGTH, chosen
    )
    for value, expected in zip(
        (last.z[:, 0], last_v[:, 0], delta), trajectory(energy, z, v), strict=True
    ):
        np.testing.assert_allclose(value.numpy(), expected, rtol=1e-11, atol=1e-11)


def way_there_and_back(energy: EnergyDifference) -> tuple[Tensor, Tensor]:
    """Both values of ``Delta`` of 40 trajectories in the plane."""
    target = skewed()
    generator = torch.Generator().manual_seed(0)
    x, z, v = (torch.randn(40, 2, generator=generator, dtype=DOUBLE) for _ in range(3))
    there = ReverseTransition(target.score, x, 1.2, 0.2, target.log_prob)
    start = there.at(z)
    end, end_v, out = leapfrog(there, start, v, 0.2, 6, energy)
    back, back_v, home = leapfrog(there, end, -end_v, 0.2, 6, energy)
    torch.testing.assert_close(back.z, z, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(-back_v, v, rtol=1e-10, atol=1e-10)
    return out, home


@pytest.mark.parametrize("energy", ["exact", "trapezoid", "simpson", "gauss"])
def test_energy_changes_its_sign_with_time(energy: str) -> None:
    chosen = gauss_legendre(2) if energy == "gauss" else estimator(energy, skewed().log_prob)
    out, home = way_there_and_back(chosen)
    assert float(out.abs().mean()) > 0.01
    torch.testing.assert_close(home, -out, rtol=1e-9, atol=1e-11)


def test_energy_of_taylor_does_not() -> None:
    out, home = way_there_and_back(estimator("taylor", None))
    assert float((out + home).abs().max()) > 1e-2


def test_energy_of_the_trapezoid_rule_depends_on_the_ends_alone() -> None:
    there = kernel(len(PAIRS))
    z, v = torch.tensor(PAIRS, dtype=DOUBLE).T.unsqueeze(2)
    start = there.at(z, with_log_prob=False)
    end, _, delta = leapfrog(there, start, v, STEP, LENGTH, estimator("trapezoid", None))
    squares = dot(end.gradient, end.gradient) - dot(start.gradient, start.gradient)
    torch.testing.assert_close(delta, STEP**2 / 8 * squares)


@pytest.mark.parametrize("energy", ENERGIES)
def test_one_leapfrog_step_is_mala(energy: str) -> None:
    """Chain by chain, with rejections."""
    z, n = exact_draws(2000), 2000
    ours, accepted = hmc(kernel(n), z, 6, 0.8, 1, noise(3, n), energy)
    theirs, expected = mala(kernel(n), z, 6, 0.8**2 / 2, noise(3, n), energy)
    torch.testing.assert_close(ours.z, theirs.z, rtol=1e-9, atol=1e-9)
    assert torch.equal(accepted, expected)
    assert float(accepted.mean()) / 6 < 0.95


def measured_acceptance(energy: str, z: float, v: float, resolution: int) -> float:
    """Share of evenly spread uniforms with which ``hmc`` accepts the trajectory from (z, v)."""
    there = kernel(resolution)
    start, momentum = torch.full_like(there.x, z), torch.full_like(there.x, v)
    uniform = (torch.arange(resolution, dtype=DOUBLE) + 0.5) / resolution
    scripted = ScriptedNoise(momentum, uniform)
    last, accepted = hmc(there, start, 1, STEP, LENGTH, scripted, energy)
    end = float(trajectory("exact", np.array(z), np.array(v))[0])
    assert torch.equal((last.z - end).abs().squeeze(1) < 1e-9, accepted == 1)
    assert torch.equal((last.z - z).abs().squeeze(1) < 1e-9, accepted == 0)
    return float(accepted.mean())


@pytest.mark.parametrize("energy", ["exact", "trapezoid", "simpson"])
@pytest.mark.parametrize(("z", "v"), PAIRS)
def test_acceptance_probability(energy: str, z: float, v: float) -> None:
    delta = float(trajectory(energy, np.array(z), np.array(v))[2])
    expected = min(1.0, math.exp(-delta))
    assert measured_acceptance(energy, z, v, 5000) == pytest.approx(expected, abs=3e-4)


@pytest.mark.parametrize(("z", "v"), PAIRS)
def test_detailed_balance(z: float, v: float) -> None:
    """pi(z) N(v) alpha(z, v) is the same from the other end, with pi from the exact kernel."""
    end, momentum, _ = (float(value) for value in trajectory("exact", np.array(z), np.array(v)))
    density = mixture().reverse_transition(kernel(2).x, T_HI, T_LO)
    pi = density.log_prob(torch.tensor([[z], [end]], dtype=DOUBLE)).exp().tolist()
    flows = [
        weight * math.exp(-(speed**2) / 2) * measured_acceptance("exact", place, speed, 20_000)
        for weight, place, speed in ((pi[0], z, v), (pi[1], end, -momentum))
    ]
    assert flows[0] == pytest.approx(flows[1], rel=5e-3)
    assert flows[0] > 0


def pushed(energy: str, density: Array, grid: Array) -> Array:
    """The density after a step of HMC: all trajectories from a grid of (z, v), put back on it.

    Each end shares its mass between its two neighbours on the grid, which moves it by less than
    one part in 1e-4 of the variance.
    """
    speeds = np.linspace(-6.0, 6.0, 601)
    z, v = np.meshgrid(grid, speeds, indexing="ij")
    mass = density[:, None] * np.exp(-(v**2) / 2)
    mass /= mass.sum()
    end, _, delta = trajectory(energy, z.ravel(), v.ravel())
    accepted = mass.ravel() * np.exp(-np.maximum(delta, 0.0))
    place = np.clip((end - grid[0]) / (grid[1] - grid[0]), 0.0, len(grid) - 1.001)
    left = place.astype(int)
    after = (mass - accepted.reshape(mass.shape)).sum(1)
    for offset, share in ((0, left + 1 - place), (1, place - left)):
        after += np.bincount(left + offset, accepted * share, len(grid))
    return np.asarray(after)


@pytest.mark.parametrize("energy", ["exact", "trapezoid", "simpson"])
def test_law_of_a_whole_run(energy: str) -> None:
    """The law after 3 steps from N(0.3, 0.8), far from the kernel; n = 100 000."""
    grid = np.linspace(-6, 6, 1201)
    law = np.exp(-((grid - 0.3) ** 2) / (2 * 0.8))
    for _ in range(3):
        law = pushed(energy, law, grid)
    chains = noise(21)
    start = 0.3 + math.sqrt(0.8) * chains.normal()
    last, accepted = hmc(kernel(CHAINS), start, 3, STEP, LENGTH, chains, energy)
    assert_law(last.z, cdf_on_grid(law, grid))
    # Many rejections, so that accepting wrongly is seen.
    assert 0.4 < float(accepted.mean()) / 3 < 0.95


def test_exact_energies_leave_the_kernel_as_it_is() -> None:
    """n = 100 000."""
    last, accepted = hmc(kernel(CHAINS), exact_draws(CHAINS), 5, STEP, LENGTH, noise(22))
    assert_law(last.z, cdf_on_grid(LINE.density(), LINE.grid))
    assert float(accepted.mean()) / 5 < 0.9


def test_long_run_forgets_its_start() -> None:
    """n = 20 000."""
    start = torch.full((20_000, 1), -1.5, dtype=DOUBLE)
    last, _ = hmc(kernel(20_000), start, 60, STEP, LENGTH, noise(23, 20_000))
    assert_law(last.z, cdf_on_grid(LINE.density(), LINE.grid))


def test_trajectories_on_a_gaussian() -> None:
    """Of second order: the exact rotation in phase space, up to an error that falls by four."""
    mixture_, x = gaussian(0.7, 0.3), -0.4
    one = torch.full((1, 1), x, dtype=DOUBLE)
    exact = mixture_.reverse_transition(one, 1.0, 0.2)
    mean, variance = exact.mean().item(), exact.variances[0, 0].item()
    angle = 1.2
    errors = []
    for count in (20, 40):
        step = angle * math.sqrt(variance) / count
        there = ReverseTransition(mixture_.score, one, 1.0, 0.2)
        start = there.at(mean + one, with_log_prob=False)
        end, v, _ = leapfrog(there, start, 2.0 * one, step, count, estimator(None, None))
        z = math.cos(angle) * x + math.sqrt(variance) * math.sin(angle) * 2.0 * x
        momentum = -math.sin(angle) / math.sqrt(variance) * x + math.cos(angle) * 2.0 * x
        errors.append([end.z.item() - mean - z, v.item() - momentum])
    np.testing.assert_allclose(np.array(errors[0]) / np.array(errors[1]), 4.0, rtol=0.02)


@pytest.mark.parametrize("energy", ["trapezoid", "simpson", "taylor"])
@pytest.mark.parametrize("hole", [math.nan, math.inf, -math.inf])
def test_non_finite_score_is_a_rejection(energy: str, hole: float) -> None:
    target = mixture()

    def torn(x: Tensor, t: float) -> Tensor:
        return torch.where(x > 0.5, hole, target.score(x, t))

    x = torch.full((2000, 1), 0.1, dtype=DOUBLE)
    there = ReverseTransition(torn, x, T_HI, T_LO)
    last, accepted = hmc(there, x, 20, 0.4, LENGTH, noise(30, 2000), energy)
    assert float(last.z.max()) <= 0.5
    assert torch.isfinite(last.gradient).all()
    assert 0 < float(accepted.mean()) < 20


@pytest.mark.parametrize(
    ("energy", "expected"), [("exact", 22), ("trapezoid", 22), ("simpson", 43), ("taylor", 43)]
)
def test_cost(energy: str, expected: int) -> None:
    """One score at the start, one a leapfrog step, and what the energies need on top."""
    target = mixture()
    score, log_prob = CountingScore(target.score), CountingScore(target.log_prob)
    x = torch.zeros(5, 1)
    there = ReverseTransition(score, x, T_HI, T_LO, log_prob)
    hmc(there, x, 7, STEP, 3, ChainNoise(0, 5, (1,)), energy)
    assert score.rows == 5 * expected
    # One log_prob at the start and one for each proposal.
    assert log_prob.rows == (5 * 8 if energy == "exact" else 0)


def test_last_point_is_what_it_says() -> None:
    there = kernel(500)
    last, _ = hmc(there, there.x, 6, STEP, LENGTH, noise(31, 500))
    torch.testing.assert_close(last.gradient, there.grad(last.z))
    assert last.log_prob is not None
    torch.testing.assert_close(last.log_prob, mixture().log_prob(last.z, T_LO))


@pytest.mark.parametrize("energy", ENERGIES)
def test_scores_of_the_sampler(energy: str) -> None:
    target = skewed()
    score = CountingScore(target.score)
    result = rtk.sample(
        score, 2, 32, "rtk-hmc", 90, 0, target.log_prob, energy=energy, leapfrog_steps=3
    )
    assert score.rows == 32 * result.nfe <= 32 * 90
    assert result.nfe >= 75
    assert all(segment.acceptance for segment in result.diagnostics.segments[:-1])


@pytest.mark.parametrize(("value", "error"), [(0, ValueError), (1.5, TypeError)])
def test_leapfrog_steps_are_counted(value: float, error: type[Exception]) -> None:
    with pytest.raises(error, match="leapfrog_steps must be"):
        rtk.sample(skewed().score, 2, 4, "rtk-hmc", 20, leapfrog_steps=value)
