"""B1: gaps against closed forms and simulation, autocorrelation times against known chains."""

import numpy as np
import pandas as pd
import pytest
import torch

from experiments.theory import mixing, two_modes
from figures.analysis import mixing as mixing_table
from rtk import ReverseTransition, segments
from rtk.laws import grid as grid_law


def test_langevin_spectrum_of_a_gaussian() -> None:
    """Eigenvalues k / v of the Ornstein-Uhlenbeck generator, with an error of order h^2."""
    errors = []
    for cells in (200, 400):
        grid = grid_law.Grid(-6.0, 8.0, cells)
        eigenvalues = grid_law.langevin_spectrum(-0.5 * (grid.centres - 1.0) ** 2 / 0.7, grid, 4)
        errors.append(np.abs(eigenvalues - np.arange(4) / 0.7))
    assert errors[1] == pytest.approx(np.zeros(4), abs=5e-3)
    assert errors[0][1:] / errors[1][1:] == pytest.approx(4.0, rel=0.1)


def test_langevin_spectrum_of_reflected_brownian_motion() -> None:
    """``(k pi / width)^2`` without a drift; killing at a constant rate adds to all."""
    grid = grid_law.Grid(-1.0, 2.0, 300)
    eigenvalues = grid_law.langevin_spectrum(np.zeros(300), grid, 3)
    assert eigenvalues == pytest.approx((np.arange(3) * np.pi / 3.0) ** 2, abs=1e-3)
    killed = grid_law.langevin_spectrum(np.zeros(300), grid, 3, np.full(300, 0.5))
    assert killed == pytest.approx(eigenvalues + 0.5)


def test_small_steps_of_mala_follow_langevin() -> None:
    """The gap per step over the step tends to the gap of the diffusion."""
    grid = grid_law.Grid(-4.5, 4.5, 300)
    mixture, x = two_modes.target(1.0), torch.zeros(1, 1, dtype=torch.float64)
    kernel = ReverseTransition(mixture.score, x, 0.4, 0.0, mixture.log_prob)
    law = grid_law.kernel_law(kernel, grid)
    diffusion = grid_law.langevin_spectrum(np.log(law), grid)[1]
    step = 2e-3
    chain = grid_law.spectral_gap(grid_law.mala_matrix(kernel, grid, step)) / step
    assert chain == pytest.approx(diffusion, rel=0.01)


def test_noisy_ends_are_quantiles() -> None:
    """Against 200 000 draws; the error of a quantile is sd = 0.0011 / density, about 0.006."""
    ends = mixing.noisy_ends(1.5, 0.3, 5)
    draws = two_modes.target(1.5).sample(
        200_000, 0.3, torch.Generator().manual_seed(0), torch.float64
    )
    assert ends == pytest.approx(np.quantile(draws.numpy(), [0.5, 0.7, 0.9]), abs=0.03)
    assert ends[0] == 0.0


def test_longer_segments_mix_more_slowly_up_to_the_target_itself() -> None:
    """The sign of the claim: a gap at eta*, a smaller one beyond, and no less than without x."""
    measured = [
        mixing.one_dimension(1.5, ratio, 3, 120) for ratio in (0.3, 1.0, 10.0, 100.0, 1000.0)
    ]
    worst = [row["gap_worst"] for row in measured]
    assert worst[0] > worst[1] > 0.5
    assert worst[1] > 5.0 * worst[2] > 5.0 * worst[3]
    assert worst[4] == pytest.approx(worst[3], rel=0.2)
    for row in measured:
        assert row["gap_mean"] * (1.0 + 1e-9) >= row["gap_worst"]
        assert 1.0 / row["gap_mean"] <= row["steps_mean"] * (1.0 + 1e-9)
        assert row["steps_mean"] <= row["steps_worst"] * (1.0 + 1e-9)


def test_eta_star_keeps_the_langevin_gap_above_the_lipschitz_constant() -> None:
    """Bakry and Emery: gap >= L where hess g >= L. Not so at 30 eta*."""
    lipschitz = two_modes.lipschitz(2.0)
    assert mixing.one_dimension(2.0, 1.0, 3, 120)["langevin_gap_worst"] >= lipschitz
    assert mixing.one_dimension(2.0, 30.0, 3, 120)["langevin_gap_worst"] < 0.1 * lipschitz


def autoregression(rho: float, steps: int, chains: int) -> mixing.Array:
    """Stationary Gaussian chains with autocorrelation ``rho^k``, unit variance."""
    noise = np.random.default_rng(0).standard_normal((steps, chains, 1))
    path = noise.copy()
    for k in range(1, steps):
        path[k] = rho * path[k - 1] + (1 - rho**2) ** 0.5 * noise[k]
    return path


def test_autocovariance_by_definition() -> None:
    path = autoregression(0.5, 50, 3)
    covariance = mixing.autocovariance(path, 5)
    for lag in range(5):
        expected = (path[: 50 - lag] * path[lag:]).sum(2).mean(0)
        assert covariance[lag] == pytest.approx(expected)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_autocorrelation_time_of_an_autoregression(rho: float) -> None:
    """``(1 + rho) / (1 - rho)``; the spread over seeds is below 3 %, and 15 % is 5 sigma."""
    covariance = mixing.autocovariance(autoregression(rho, 4000, 32), 1000).mean(1)
    time, ended = mixing.autocorrelation_time(covariance)
    assert ended
    assert time == pytest.approx((1 + rho) / (1 - rho), rel=0.15)


def test_a_run_that_is_too_short_says_so() -> None:
    """Chains that never move stay correlated."""
    path = np.repeat(np.random.default_rng(0).standard_normal((1, 32, 2)), 100, 0)
    time, ended = mixing.autocorrelation_time(mixing.autocovariance(path, 50).mean(1))
    assert not ended
    assert time > 90.0


def test_chains_start_at_stationarity_and_slow_down_beyond_eta_star() -> None:
    """``mild``: 4 steps at eta*; more at 100 eta*, by over five standard errors of 512 chains."""
    near = mixing.ten_dimensions("mild", 1.0, 512, 300, 1)
    far = mixing.ten_dimensions("mild", 100.0, 512, 300, 1)
    for measured in (near, far):
        assert measured["acceptance"][0] == pytest.approx(0.74, abs=0.05)
        assert measured["resolved"][0] in (0.0, 1.0)
    value, error = near["autocorrelation"]
    assert 3.0 < value < 5.0
    assert far["autocorrelation"][0] > value + 5.0 * np.hypot(error, far["autocorrelation"][1])


def test_the_cost_counts_whole_segments_only() -> None:
    """Segments shorter than the path: there are T / eta of them. Longer: there is one."""
    rows = [("eta", 1.0, 0.5), ("eta", 2.0, 10.0), ("steps", 1.0, 2.0), ("steps", 2.0, 7.0)]
    frame = pd.DataFrame(rows, columns=["metric", "ratio", "value"])
    cost = mixing_table.path_cost(frame, "steps")
    assert cost.to_dict() == {1.0: 2.0 * segments.T_START / 0.5, 2.0: 7.0}
