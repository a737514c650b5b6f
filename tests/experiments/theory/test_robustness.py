"""B5: errors that are put in, laws that they lead to, and what the table reads off them."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

import rtk
from experiments.theory import robustness, two_modes
from figures.tables import robustness as robustness_table
from rtk import process, segments
from rtk.kernel import ReverseTransition
from rtk.laws import affine
from rtk.laws import gaussian as gaussian_law
from rtk.laws import grid as grid_law
from rtk.laws.gaussian import Gaussian
from rtk.laws.grid import Grid
from rtk.mcmc.mala import mala
from rtk.noise import ChainNoise, Noise
from rtk.samplers import base
from rtk.score import CountedScore

GRID = Grid(-4.0, 4.0, 100)
STEP = 0.4 / (3.0 * two_modes.LIPSCHITZ)
SIZES = {"baseline_steps": 40, "inner_steps": 4, "step_size": {"rtk-ula": 0.1, "rtk-uld": 0.2}}
SHORT = segments.from_lipschitz(robustness.LIPSCHITZ, 0.8, robustness.T_END)


@pytest.mark.parametrize("kind", robustness.AFFINE_ERRORS)
@pytest.mark.parametrize("t", [0.01, 0.1, 1.0])
def test_score_errors_have_the_size_that_they_say(kind: str, t: float) -> None:
    """``E |a x + b|^2 = sum a^2 v + b^2`` for the affine fields."""
    zero, one = torch.zeros(1, 2, dtype=torch.float64), torch.ones(1, 2, dtype=torch.float64)
    offset = robustness.score_error(kind, zero, t)
    slope = robustness.score_error(kind, one, t) - offset
    square = (slope**2 * robustness.noised_variances(t) + offset**2).sum() * robustness.COPIES
    expected = {"late": float(t < 0.2), "growing": math.exp(-t)}.get(kind, 1.0)
    assert square.sqrt().item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("kind", robustness.MODES_ERRORS)
def test_fields_on_the_line_have_unit_size_and_their_integrals(kind: str) -> None:
    for t in (0.0, 0.7):
        error, integral = robustness.field(kind, GRID, t)
        values = error(GRID.points).numpy()[:, 0]
        assert robustness.modes_law(GRID, t) @ values**2 == pytest.approx(1.0)
        slope = np.gradient(integral, GRID.spacing)
        np.testing.assert_allclose(slope[1:-1], values[1:-1], atol=0.02 * np.abs(values).max())


def test_blocks_are_the_cases_one_by_one() -> None:
    step, _ = robustness.sampler("rtk-uld", SIZES)
    together, nfe = robustness.gaussian_laws(step, SHORT, robustness.AFFINE_ERRORS, [0.0, 0.3])
    for kind in robustness.AFFINE_ERRORS:

        def score(x: torch.Tensor, t: float, kind: str = kind) -> torch.Tensor:
            return robustness.true_score(x, t) + 0.3 * robustness.score_error(kind, x, t)

        alone, scores = affine.sample_law(score, 2, step, 10**6, segments=SHORT, denoise=False)
        np.testing.assert_allclose(together[kind, 0.3].mean[:2], alone.mean, atol=1e-12)
        np.testing.assert_allclose(together[kind, 0.3].variance[:2], alone.variance)
        assert scores == nfe


def test_noise_is_fresh_at_every_call_and_as_large_as_it_says() -> None:
    """DDPM's variances by recursion; 20 000 chains agree to 5 sigma, ``(2 / n)^(1/2)``."""
    n, eps = 20_000, 8.0
    step, _ = robustness.sampler("ddpm", SIZES)
    times = segments.log_snr(10, 2.0, 0.01)
    one, expected = torch.ones(1, 2, dtype=torch.float64), np.ones(2)
    for hi, lo in itertools.pairwise(times):

        def mean(
            x: torch.Tensor, score: torch.Tensor, hi: float = hi, lo: float = lo
        ) -> torch.Tensor:
            return process.posterior(x, process.denoise(x, score, hi), hi, lo)[0][0]

        slope = mean(one, robustness.true_score(one, hi)).numpy()
        kick = mean(0 * one, one).numpy() * eps / math.sqrt(robustness.DIMENSION)
        spread = process.variance(lo) * process.variance(hi - lo) / process.variance(hi)
        expected = slope**2 * expected + kick**2 + spread
    noisy = robustness.noisy(step, [eps])
    laws, _ = robustness.gaussian_laws(noisy, times, ["noise"], [eps])
    np.testing.assert_allclose(laws["noise", eps].variance[:2], expected)
    result = rtk.sample(
        robustness.true_score, 2, n, noisy, 10, segments=times, denoise=False, dtype=torch.float64
    )
    error = 5.0 * math.sqrt(2.0 / n)
    np.testing.assert_allclose(result.samples.var(0).numpy(), expected, rtol=error)


@pytest.mark.parametrize("energy", ["trapezoid", "simpson"])
def test_score_only_mala_converges_to_the_wrong_kernel(energy: str) -> None:
    """One coordinate of variance 1/2, a constant and a linear error of the score."""
    t_hi, t_lo, x = 0.3, 0.1, 0.4

    def score(z: torch.Tensor, t: float) -> torch.Tensor:
        return robustness.true_score(z.expand(-1, 2), t)[:, :1] + 0.7 + 0.2 * z

    start = torch.tensor([[x]], dtype=torch.float64)
    grid = Grid(-4.0, 5.0, 200)
    kernel = ReverseTransition(score, start, t_hi, t_lo)
    invariant = grid_law.stationary(grid_law.mala_matrix(kernel, grid, 0.05, energy))
    problem = base.Problem(CountedScore(score))
    state = base.State(start, t_hi)

    def draw(noise: Noise) -> torch.Tensor:
        states = base.State(state.x.expand(noise.n, 1), t_hi)
        return robustness.WrongKernel()(problem, states, t_lo, 2, noise)[0].x

    limit = grid_law.start_law(affine.affine_law(draw, 1), grid)
    assert grid_law.tv(invariant, limit) < 1e-10


def test_girsanov_bound_is_pinskers_for_the_paths() -> None:
    """From the means and the variance of DDPM's step, for a constant error."""
    times, eps = segments.log_snr(30, 5.0, 0.001), 0.3
    kl = 0.0
    for hi, lo in itertools.pairwise(times):
        x = torch.zeros(1, 10, dtype=torch.float64)
        error = torch.full_like(x, eps / math.sqrt(10))
        clean, variance = process.posterior(x, process.denoise(x, 0 * x, hi), hi, lo)
        wrong, _ = process.posterior(x, process.denoise(x, error, hi), hi, lo)
        kl += float(((wrong - clean) ** 2).sum()) / (2 * variance)
    assert robustness.girsanov_bound("constant", eps, times) == pytest.approx((kl / 2) ** 0.5)
    fine = robustness.girsanov_bound("constant", eps, segments.log_snr(3000, 5.0, 0.001))
    assert fine == pytest.approx(eps * math.sqrt(0.5 * 4.999), rel=0.01)


@pytest.fixture(scope="module")
def whole() -> pd.DataFrame:
    return pd.DataFrame(robustness.gaussian([0.05, 0.1, 0.2, 0.5], SIZES))


def distance(frame: pd.DataFrame, metric: str = "tv_clean", **columns: object) -> float:
    chosen = frame[frame["metric"] == metric]
    for column, value in columns.items():
        chosen = chosen[chosen[column] == value]
    assert len(chosen) == 1
    return float(chosen["value"].iloc[0])


def test_final_error_is_proportional_to_the_error_of_the_score(whole: pd.DataFrame) -> None:
    for method in ("ddpm", "ddim", "rtk-ula", "rtk-uld", "rtk-mala-simpson"):
        for kind in robustness.AFFINE_ERRORS:
            small, large = (
                distance(whole, method=method, error=kind, eps=eps) for eps in (0.05, 0.1)
            )
            assert 1.9 < large / small < 2.1, (method, kind)
    small, large = (distance(whole, method="ddpm", error="noise", eps=eps) for eps in (0.05, 0.1))
    assert large / small == pytest.approx(4.0, rel=0.05)


def test_girsanov_bound_holds_for_ddpm(whole: pd.DataFrame) -> None:
    table = whole[whole["method"] == "ddpm"].pivot_table(
        index=["error", "eps"], columns="metric", values="value"
    )
    ratio = (table["tv_clean"] / table["bound"]).dropna()
    assert len(ratio) == 6 * 4
    assert 0.3 < ratio.max() <= 1.0


def test_whole_chains_on_the_line() -> None:
    """Against rows that are normalised one by one; errors move mass to where they point."""
    cases = [("score", "constant", 0.0), ("score", "constant", 0.2), ("energy", "consistent", 0.5)]
    clean, shifted, lifted = robustness.chain_laws(cases, GRID)
    assert grid_law.tv(clean, robustness.modes_law(GRID, robustness.T_END)) < 1e-3
    law = grid_law.start_law(Gaussian([0.0], [1.0]), GRID)
    z = GRID.points
    times = segments.from_lipschitz(two_modes.LIPSCHITZ, robustness.T_START, robustness.T_END)
    for hi, lo in itertools.pairwise(times):
        spread = math.sqrt(process.variance(hi - lo)) * math.exp(hi - lo)
        tilt = stats.norm.logpdf(GRID.centres, math.exp(hi - lo) * GRID.centres[:, None], spread)
        rows = np.exp(tilt + two_modes.TARGET.log_prob(z, lo).numpy() + 0.2 * GRID.centres)
        law = law @ (rows / rows.sum(1, keepdims=True))
    np.testing.assert_allclose(shifted, law, atol=1e-12)
    assert shifted @ GRID.centres > clean @ GRID.centres + 0.05
    assert lifted @ GRID.centres < clean @ GRID.centres - 0.05


def test_exact_energies_forgive_the_score_and_score_only_ones_do_not() -> None:
    frame = pd.DataFrame(robustness.modes_segment([0.1, 0.2], GRID.cells, 0.4))
    segment = frame[frame["metric"] == "tv"]
    exact = segment[(segment["method"] == "rtk-mala") & (segment["place"] == "score")]
    assert set(exact["error"]) == {"constant", "scaling", "wave", "noise"}
    assert exact["value"].max() < 1e-11
    for kind in robustness.MODES_ERRORS:
        one = {"method": "rtk-mala-simpson", "place": "score", "error": kind}
        small, large = (distance(frame, **one, eps=eps) for eps in (0.1, 0.2))
        assert small > 0.005
        assert 1.8 < large / small < 2.2
    energy = {"method": "rtk-mala", "place": "energy"}
    small, large = (
        distance(frame, "tv", **energy, error="consistent", eps=eps) for eps in (0.1, 0.2)
    )
    assert 1.9 < large / small < 2.1
    both = distance(frame, "tv", method="rtk-mala", place="both", error="consistent", eps=0.2)
    assert both == pytest.approx(large, rel=1e-6)
    # An error that is as large but belongs to no potential does less.
    assert distance(frame, "tv", **energy, error="noise", eps=0.1) < 0.3 * small


@pytest.mark.parametrize("energy", ["exact", "trapezoid"])
def test_noisy_matrix_without_noise(energy: str) -> None:
    kernel = two_modes.kernel()
    doubled = grid_law.noisy_mala_matrix(kernel, GRID, STEP, 0.0, energy)
    blocks = doubled.reshape(2, GRID.cells, 2, GRID.cells)
    plain = grid_law.mala_matrix(kernel, GRID, STEP, energy)
    np.testing.assert_allclose(blocks.sum(2)[0], plain, atol=1e-14)
    np.testing.assert_allclose(doubled.sum(1), 1.0)


def test_noisy_matrix_needs_energies_without_extra_scores() -> None:
    with pytest.raises(ValueError, match="extra scores"):
        grid_law.noisy_mala_matrix(two_modes.kernel(), GRID, STEP, 0.1, "simpson")


@pytest.mark.parametrize("energy", ["exact", "trapezoid"])
def test_simulation_of_noisy_mala_agrees(energy: str) -> None:
    """40 000 chains, three steps with a coin in every score; chi-square of bins to 5 sigma."""
    n, size, cell = 40_000, 2.0, 55
    coins = np.random.default_rng(1)

    def score(z: torch.Tensor, t: float) -> torch.Tensor:
        sign = torch.from_numpy(coins.choice([-1.0, 1.0], z.shape))
        return two_modes.TARGET.score(z, t) + size * sign

    single = two_modes.kernel()
    kernel = replace(single, score=score, x=single.x.expand(n, 1))
    start = torch.full((n, 1), GRID.centres[cell], dtype=torch.float64)
    noise = ChainNoise(3, n, (1,), dtype=torch.float64)
    last, _ = mala(kernel, start, 3, STEP, noise, energy)
    matrix = grid_law.noisy_mala_matrix(single, GRID, STEP, size, energy)
    begin = np.zeros(2 * GRID.cells)
    begin[[cell, GRID.cells + cell]] = 0.5
    law = grid_law.laws(begin, matrix, 3)[3].reshape(2, -1).sum(0)
    edges = np.linspace(GRID.low, GRID.high, GRID.cells // 5 + 1)
    counts = np.histogram(last.z.numpy(), edges)[0]
    expected = n * law.reshape(-1, 5).sum(1)
    used = expected > 20
    statistic = ((counts - expected)[used] ** 2 / expected[used]).sum()
    assert stats.chi2.sf(statistic, used.sum()) > 2.9e-7


def test_tv_of_laws_that_differ_in_mean_and_by_rounding_in_variance() -> None:
    """The finest rays end a little further out than the coarsest, where psi may grow."""
    variances = np.repeat([0.5009990009255377, 1.4990009970134266], 5)
    shift = np.repeat([0.06271422, 0.11754741], 5)
    p = Gaussian(shift, variances + np.repeat([-(2.0**-51), 2.0**-50], 5))
    size = math.sqrt((shift**2 / variances).sum())
    expected = 2.0 * stats.norm.cdf(size / 2.0) - 1.0
    assert gaussian_law.tv(p, Gaussian(0 * shift, variances)) == pytest.approx(expected, rel=1e-9)


def test_slopes_and_break_points() -> None:
    """``tv = 0.01 + eps / 2``: fitted where above three floors, broken between two errors."""
    eps = np.array([0.0, 0.01, 0.05, 0.1, 0.15, 0.25, 0.4, 1.0])
    frame = pd.DataFrame({"eps": eps, "value": np.where(eps > 0, eps / 2, 0.01)})
    frame = frame.assign(target="gaussian", method="ddpm", metric="tv")
    frame["place"], frame["error"] = (
        np.where(eps > 0, name, "none") for name in ("score", "constant")
    )
    clean = frame[frame["eps"] > 0].assign(metric="tv_clean", value=lambda rows: rows["eps"] / 4)
    frame = pd.concat([frame, clean])
    case = ("gaussian", "ddpm", "score", "constant")
    line = robustness_table.slope(frame, case)
    assert line is not None
    assert line.slope == pytest.approx(1.0)
    assert robustness_table.break_point(frame, case) == pytest.approx(0.2)
    assert robustness_table.amplification(frame, case) == pytest.approx(0.25)
    assert robustness_table.worst(frame, case)[1] == "constant"
    assert math.isnan(robustness_table.break_point(frame[frame["eps"] < 0.1], case))
    assert robustness_table.slope(frame[frame["eps"] < 0.15], case) is None
