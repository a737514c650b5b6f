"""What the experiment scripts compute, apart from the workflow that runs them."""

import math

import pytest
import torch

import rtk
from experiments.mixtures import sample as mixtures
from experiments.theory import log_concavity
from rtk import metrics, segments, targets


def measured(target: str, ratios: list[float], t_lo: float = 0.0) -> dict[tuple[float, str], float]:
    """(ratio, metric) -> value."""
    mixture = targets.mixture(target)
    samples = mixture.sample(500, t_lo, torch.Generator().manual_seed(0), torch.float64)
    rows = log_concavity.measure(mixture, t_lo, ratios, samples)
    return {(row["ratio"], row["metric"]): row["value"] for row in rows}


@pytest.mark.parametrize("target", ["circle", "spiral", "mild", "separated"])
@pytest.mark.parametrize("t_lo", [0.0, 0.3])
def test_kernels_within_eta_star_obey_the_theorem(target: str, t_lo: float) -> None:
    """The theory: L <= hess g <= 3 L at eta*; shorter segments are only more convex."""
    table = measured(target, [0.2, 1.0], t_lo)
    assert table[1.0, "smallest"] >= 1.0 - 1e-9
    assert table[1.0, "largest"] <= 3.0 + 1e-9
    assert table[0.2, "smallest"] > table[1.0, "smallest"]
    assert table[0.2, "not_convex"] == table[1.0, "not_convex"] == 0.0


def test_log_concavity_fails_far_beyond_eta_star() -> None:
    table = measured("circle", [1.0, 30.0])
    assert table[30.0, "smallest"] < 0.0


def test_the_theorem_is_sharp_where_the_curvature_is_attained() -> None:
    """L is attained between modes of the circle, so the smallest eigenvalue is L exactly there."""
    assert measured("circle", [1.0])[1.0, "smallest"] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("points", [100, 1000])
def test_the_climb_finds_the_supremum_whatever_the_samples(points: int) -> None:
    """Chessboard: approached far out, halfway between two outer modes that are 0.5 apart.

    ``L = 0.5^2 / (4 v^2) - 1 / v`` in the limit; the climb comes within 0.2 % of it.
    """
    mixture = targets.chessboard()
    samples = mixture.sample(points, 0.0, torch.Generator().manual_seed(1), torch.float64)
    found = log_concavity.everywhere(mixture, samples, 0.0)
    low, high = log_concavity.spectrum(mixture, found, 0.0)
    supremum = 0.25**2 / 0.007**2 - 1 / 0.007
    assert log_concavity.lipschitz_constant(low, high) == pytest.approx(supremum, rel=2e-3)
    assert len(found) == points + 28 * log_concavity.POINTS_PER_PAIR + log_concavity.CLIMBERS


def test_the_paper_segments_are_far_from_convex() -> None:
    """The last of five uniform segments, in eta*: the fraction of samples that it fails at."""
    mixture = targets.circle()
    samples = mixture.sample(500, 0.0, torch.Generator().manual_seed(0), torch.float64)
    rows = {row["metric"]: row for row in log_concavity.measure(mixture, 0.0, [1.0], samples)}
    row = rows["paper_not_convex"]
    assert row["ratio"] == pytest.approx(1.0 / rows["eta_star"]["value"])
    low, _ = log_concavity.spectrum(mixture, samples, 0.0)
    assert row["value"] == float((low + 1.0 / math.expm1(2.0) <= 0).double().mean())
    assert row["value"] > 0.05


def test_one_gaussian_is_convex_at_any_length() -> None:
    """Wide, so that the tilt outweighs its curvature: a wrong sign of the tilt would show."""
    gaussian = rtk.GaussianMixture([1.0], [[0.0, 0.0]], 20.0)
    samples = gaussian.sample(50, 0.0, torch.Generator().manual_seed(0), torch.float64)
    rows = log_concavity.measure(gaussian, 0.0, [1.0, 30.0], samples)
    fractions = [row["value"] for row in rows if row["metric"].endswith("not_convex")]
    assert fractions == [0.0, 0.0, 0.0]


def test_spectrum_of_one_gaussian() -> None:
    gaussian = rtk.GaussianMixture([1.0], [[0.0, 0.0]], [[0.5, 2.0]])
    x = torch.zeros(3, 2, dtype=torch.float64)
    low, high = log_concavity.spectrum(gaussian, x, 0.0)
    assert low.tolist() == pytest.approx([0.5] * 3)
    assert high.tolist() == pytest.approx([2.0] * 3)


@pytest.mark.parametrize("target", ["circle", "chessboard", "spiral"])
def test_the_analytic_bound_holds(target: str) -> None:
    table = measured(target, [1.0])
    assert table[1.0, "lipschitz"] <= table[1.0, "lipschitz_bound"] * (1 + 1e-9)


def test_the_analytic_bound_is_for_equal_components() -> None:
    assert math.isnan(log_concavity.lipschitz_bound(targets.mixture("separated"), 0.0))


def test_grid_without_a_count_spends_all_scores() -> None:
    assert mixtures.grid("uniform", nfe=7) == segments.uniform(7)
    assert mixtures.grid("log_snr", nfe=7) == segments.log_snr(6)
    assert mixtures.grid("uniform", nfe=7, count=3) == segments.uniform(3)


def test_judge_of_exact_samples_is_near_the_floor() -> None:
    mixture = targets.circle()
    reference = metrics.Reference.of(mixture, size=4000)
    samples = mixture.sample(4000, generator=torch.Generator().manual_seed(0))
    options = {
        "bins": 200,
        "range": [-1.5, 1.5],
        "sinkhorn": {"points": 200, "replicates": 2, "regularisation": 0.1},
    }
    found = mixtures.judge(samples, reference, options)
    assert found["marginal_accuracy"].value > 0.95
    assert found["mode_weight_tv"].value < 0.05
    shifted = mixtures.judge(samples + 0.3, reference, options)
    for name in ("histogram_tv", "mode_weight_tv", "sliced_w2", "energy_distance", "sinkhorn"):
        assert shifted[name].value > found[name].value


def test_mean_acceptance_weighs_segments_by_their_steps() -> None:
    mixture = targets.circle()
    result = rtk.sample(mixture.score, 10, 50, method="rtk-mala", nfe=30)
    chains = [s for s in result.diagnostics.segments if s.acceptance is not None]
    total = sum(s.inner_steps * (s.acceptance or 0.0) for s in chains)
    expected = total / sum(s.inner_steps for s in chains)
    assert mixtures.mean_acceptance(result.diagnostics) == pytest.approx(expected)
    plain = rtk.sample(mixture.score, 10, 50, method="ddpm", nfe=5)
    assert math.isnan(mixtures.mean_acceptance(plain.diagnostics))
