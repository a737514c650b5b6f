import math

import numpy as np
import pytest
import torch
from torch import Tensor

from rtk import ReverseTransition
from rtk.energy import Taylor
from rtk.mcmc.mala import mala
from rtk.noise import ChainNoise
from tests.oracles import (
    DOUBLE,
    Array,
    CountingScore,
    ScriptedNoise,
    assert_law,
    assert_moments,
    cdf_on_grid,
    normalised,
    skewed,
)
from tests.rtk.mcmc.two_wells import LINE, T_HI, T_LO, X, exact_draws, kernel, mixture

CHAINS = 100_000
STEP = 0.25
ENERGIES = ["exact", "trapezoid", "simpson", "taylor"]


def noise(seed: int, n: int = CHAINS) -> ChainNoise:
    return ChainNoise(seed, n, (1,), dtype=DOUBLE)


def energy_difference(energy: str, z: Array, z_new: Array) -> Array:
    """``g(z') - g(z)`` or the rule's idea of it, written out."""
    g, gradient, step = LINE.potential, LINE.gradient, z_new - z
    if energy == "exact":
        return np.asarray(g(z_new) - g(z))
    if energy == "taylor":
        f = Taylor().fraction
        curvature = (gradient(z + f * step) - gradient(z)) / f
        return np.asarray(step * gradient(z) + step * curvature / 2)
    middle = {"trapezoid": 0.0, "simpson": 4 / 6}[energy]
    ends = (1 - middle) / 2 * (gradient(z) + gradient(z_new))
    return np.asarray(step * (ends + middle * gradient(z + step / 2)))


def log_acceptance(energy: str, z: Array, z_new: Array, tau: float) -> Array:
    """log of the Metropolis ratio from the definition of the proposal density."""
    forward = (z_new - z + tau * LINE.gradient(z)) ** 2 / (4 * tau)
    backward = (z - z_new + tau * LINE.gradient(z_new)) ** 2 / (4 * tau)
    return np.asarray(forward - backward - energy_difference(energy, z, z_new))


def measured_acceptance(energy: str, z: float, z_new: float, resolution: int) -> float:
    """Share of evenly spread uniforms with which ``mala`` goes from z to z_new."""
    there = kernel(resolution)
    start = torch.full_like(there.x, z)
    xi = (z_new - z + STEP * there.grad(start)) / math.sqrt(2 * STEP)
    uniform = (torch.arange(resolution, dtype=DOUBLE) + 0.5) / resolution
    last, accepted = mala(there, start, 1, STEP, ScriptedNoise(xi, uniform), energy)
    moved = (last.z - z_new).abs().squeeze(1) < 1e-9
    assert torch.equal(moved, accepted == 1)
    assert bool(((last.z - z).abs().squeeze(1) < 1e-9)[~moved].all())
    return float(moved.double().mean())


PAIRS = [(-0.4, 0.5), (0.5, -0.4), (1.5, 0.3), (-1.4, 1.0), (0.1, -1.3)]


@pytest.mark.parametrize("energy", ENERGIES)
@pytest.mark.parametrize(("z", "z_new"), PAIRS)
def test_acceptance_probability(energy: str, z: float, z_new: float) -> None:
    expected = min(1.0, math.exp(log_acceptance(energy, np.array(z), np.array(z_new), STEP)))
    assert measured_acceptance(energy, z, z_new, 5000) == pytest.approx(expected, abs=3e-4)


@pytest.mark.parametrize(("z", "z_new"), PAIRS)
def test_detailed_balance(z: float, z_new: float) -> None:
    """pi(z) q(z' | z) alpha(z, z') is symmetric, with pi from the exact kernel."""
    density = mixture().reverse_transition(torch.full((2, 1), X, dtype=DOUBLE), T_HI, T_LO)
    pi = density.log_prob(torch.tensor([[z], [z_new]], dtype=DOUBLE)).exp().tolist()

    def flow(weight: float, here: float, there: float) -> float:
        mean = here - STEP * float(LINE.gradient(np.array(here)))
        proposal = math.exp(-((there - mean) ** 2) / (4 * STEP))
        return weight * proposal * measured_acceptance("exact", here, there, 20_000)

    forward, backward = flow(pi[0], z, z_new), flow(pi[1], z_new, z)
    assert forward == pytest.approx(backward, rel=5e-3)
    assert forward > 0


def transition_matrix(energy: str, grid: Array) -> Array:
    """Column j: the density reached from grid point j by an accepted move."""
    z, z_new = grid[None, :], grid[:, None]
    proposal = np.exp(-((z_new - z + STEP * LINE.gradient(grid)[None, :]) ** 2) / (4 * STEP))
    proposal /= math.sqrt(4 * math.pi * STEP)
    with np.errstate(over="ignore"):
        return np.asarray(proposal * np.exp(np.minimum(0, log_acceptance(energy, z, z_new, STEP))))


@pytest.mark.parametrize("energy", ENERGIES)
def test_law_of_a_whole_run(energy: str) -> None:
    """The law after k steps, pushed on a grid through the transition density; n = 100 000.

    It starts from N(0.3, 0.8), far from the kernel, so every error of the chain shows.
    """
    grid = np.linspace(-6, 6, 801)
    width = grid[1] - grid[0]
    density = normalised(np.exp(-((grid - 0.3) ** 2) / (2 * 0.8)), grid)
    matrix = transition_matrix(energy, grid)
    rejected = 1 - matrix.sum(0) * width
    steps = 4
    for _ in range(steps):
        density = matrix @ density * width + rejected * density
    assert density.sum() * width == pytest.approx(1, abs=1e-9)

    chains = noise(21)
    start = 0.3 + math.sqrt(0.8) * chains.normal()
    last, accepted = mala(kernel(CHAINS), start, steps, STEP, chains, energy)
    assert_law(last.z, cdf_on_grid(density, grid))
    # Many rejections, so that accepting wrongly is seen.
    assert 0.4 < float(accepted.mean()) / steps < 0.95


def test_exact_energies_leave_the_kernel_as_it_is() -> None:
    last, accepted = mala(kernel(CHAINS), exact_draws(CHAINS), 5, STEP, noise(22))
    assert_law(last.z, cdf_on_grid(LINE.density(), LINE.grid))
    assert float(accepted.mean()) / 5 < 0.9


def test_long_run_forgets_its_start() -> None:
    start = torch.full((20_000, 1), -1.5, dtype=DOUBLE)
    last, _ = mala(kernel(20_000), start, 150, STEP, noise(23, 20_000))
    assert_law(last.z, cdf_on_grid(LINE.density(), LINE.grid))


@pytest.mark.parametrize(("energy", "kept"), [("simpson", True), ("trapezoid", False)])
def test_simpson_keeps_the_kernel_and_the_trapezoid_does_not(energy: str, kept: bool) -> None:
    """n = 50 000: Simpson's bias is below what 60 bins can see, the trapezoid's is 5 % in TV."""
    last, _ = mala(kernel(50_000), exact_draws(50_000), 12, STEP, noise(24, 50_000), energy)
    exact = cdf_on_grid(LINE.density(), LINE.grid)
    if kept:
        assert_law(last.z, exact)
    else:
        with pytest.raises(AssertionError, match="p = "):
            assert_law(last.z, exact)


def test_in_the_plane() -> None:
    """n = 50 000 from exact draws of a 2-D kernel, large steps: mean and covariance stay."""
    n = 50_000
    target = skewed()
    x = torch.tensor([[-0.2, 0.1]], dtype=DOUBLE).expand(n, 2)
    exact = target.reverse_transition(x, 1.2, 0.2)
    z = exact.sample(torch.Generator().manual_seed(3))
    there = ReverseTransition(target.score, x, 1.2, 0.2, target.log_prob)
    last, accepted = mala(there, z, 5, 0.25, ChainNoise(25, n, (2,), dtype=DOUBLE))
    mean = exact.mean()[0].numpy()
    weights, means, variances = exact.weights[0], exact.means[0], exact.variances[:, 0]
    second = torch.einsum("m,md,me->de", weights, means, means)
    covariance = (second + (weights @ variances) * torch.eye(2)).numpy() - np.outer(mean, mean)
    assert_moments(last.z, mean, covariance)
    assert float(accepted.mean()) / 5 < 0.9


def test_projection_to_a_ball_restricts_the_law() -> None:
    radius = 1.3
    z = exact_draws(CHAINS)
    z = z[z.abs().squeeze(1) <= radius]
    last, _ = mala(kernel(len(z)), z, 5, STEP, noise(26, len(z)), domain_radius=radius)
    assert float(last.z.abs().max()) <= radius
    inside = np.where(np.abs(LINE.grid) <= radius, LINE.density(), 0.0)
    # The grid's cut is a cell wide, 0.004, which 30 bins do not feel.
    assert_law(last.z, cdf_on_grid(inside, LINE.grid), bins=30)


def test_projection_to_short_jumps_keeps_the_law() -> None:
    radius = 0.5
    z = exact_draws(CHAINS)
    one, accepted = mala(kernel(CHAINS), z, 1, STEP, noise(27), proposal_radius=radius)
    jumps = (one.z - z).abs()
    assert float(jumps.max()) <= radius
    assert torch.equal((jumps > 0).squeeze(1), accepted == 1)
    last, _ = mala(kernel(CHAINS), z, 5, STEP, noise(27), proposal_radius=radius)
    assert_law(last.z, cdf_on_grid(LINE.density(), LINE.grid))


def test_radius_is_that_of_the_whole_jump() -> None:
    target = skewed()
    x = torch.zeros(4000, 2, dtype=DOUBLE)
    there = ReverseTransition(target.score, x, 1.0, 0.3, target.log_prob)
    chains = ChainNoise(1, 4000, (2,), dtype=DOUBLE)
    one, _ = mala(there, x, 1, 0.2, chains, proposal_radius=0.6)
    jumps = one.z.norm(dim=1)
    assert 0.55 < float(jumps.max()) <= 0.6


def test_small_steps_are_accepted() -> None:
    """Rejections fall at least like tau^(3/2); trapezoid energies show the same."""
    for energy in ("exact", "trapezoid"):
        rates = []
        for tau in (0.1, 0.025, 0.00625):
            z = exact_draws(20_000)
            _, accepted = mala(kernel(20_000), z, 2, tau, noise(28, 20_000), energy)
            rates.append(1 - float(accepted.mean()) / 2)
        assert rates[2] < rates[1] / 6 < rates[0] / 36
        assert rates[2] < 0.01


def test_nan_energy_is_a_rejection() -> None:
    target = mixture()

    def torn(x: Tensor, t: float) -> Tensor:
        return torch.where(x[:, 0] > 0.5, torch.nan, target.log_prob(x, t))

    x = torch.full((2000, 1), X, dtype=DOUBLE)
    there = ReverseTransition(target.score, x, T_HI, T_LO, torn)
    last, accepted = mala(there, x, 30, STEP, noise(29, 2000))
    assert float(last.z.max()) <= 0.5
    assert torch.isfinite(last.z).all()
    assert 0 < float(accepted.mean()) < 30


@pytest.mark.parametrize("energy", ["trapezoid", "simpson", "taylor"])
@pytest.mark.parametrize("hole", [math.nan, math.inf, -math.inf])
def test_non_finite_score_is_a_rejection(energy: str, hole: float) -> None:
    target = mixture()

    def torn(x: Tensor, t: float) -> Tensor:
        return torch.where(x > 0.5, hole, target.score(x, t))

    x = torch.full((2000, 1), X, dtype=DOUBLE)
    there = ReverseTransition(torn, x, T_HI, T_LO)
    last, accepted = mala(there, x, 30, STEP, noise(30, 2000), energy)
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
    mala(there, x, 7, STEP, ChainNoise(0, 5, (1,)), energy)
    assert score.rows == 5 * expected


def test_last_point_is_what_it_says() -> None:
    there = kernel(500)
    last, _ = mala(there, there.x, 6, STEP, noise(31, 500))
    torch.testing.assert_close(last.gradient, there.grad(last.z))
    assert last.log_prob is not None
    torch.testing.assert_close(last.log_prob, mixture().log_prob(last.z, T_LO))
