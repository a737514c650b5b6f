"""B1: spectra of kernels against the theorem, and the lengths at which it ends."""

import math

import pytest
import torch

import rtk
from experiments.theory import curvature, log_concavity
from rtk import segments, targets


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


@pytest.mark.parametrize("target", ["circle", "chessboard", "spiral"])
@pytest.mark.parametrize("t_lo", [0.0, 0.3])
def test_a_bound_from_outside_keeps_the_promise(target: str, t_lo: float) -> None:
    table = measured(target, [1.0], t_lo)
    assert table[1.0, "smallest_outside"] >= 1.0 - 1e-9
    assert table[1.0, "largest_outside"] <= 3.0 + 1e-9


@pytest.mark.parametrize("factor", [0.8, 1.5])
def test_wrong_lengths_are_noticed(factor: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too long a segment is not convex enough; one too short has more than three times L.

    On `circle` the bound is attained at 0.3, and L is .44 of it at 0, so that factors are not 1.1.
    """
    length = segments.critical_length
    monkeypatch.setattr(segments, "critical_length", lambda lipschitz: factor * length(lipschitz))
    short, long = measured("circle", [1.0], 0.3), measured("circle", [1.0], 0.0)
    assert (short[1.0, "largest_outside"] > 3.0 + 1e-6) == (factor < 1.0)
    assert (long[1.0, "smallest_outside"] < 1.0 - 1e-6) == (factor > 1.0)


def test_log_concavity_fails_far_beyond_eta_star() -> None:
    table = measured("circle", [1.0, 30.0])
    assert table[30.0, "smallest"] < 0.0


def test_the_theorem_is_sharp_where_the_curvature_is_attained() -> None:
    """L is attained between modes of the circle, so the smallest eigenvalue is L exactly there."""
    assert measured("circle", [1.0])[1.0, "smallest"] == pytest.approx(1.0, abs=1e-6)


def test_the_paper_segments_are_far_from_convex() -> None:
    """The last of five uniform segments, in eta*: the fraction of samples that it fails at."""
    mixture = targets.circle()
    samples = mixture.sample(500, 0.0, torch.Generator().manual_seed(0), torch.float64)
    rows = {row["metric"]: row for row in log_concavity.measure(mixture, 0.0, [1.0], samples)}
    row = rows["paper_not_convex"]
    assert row["ratio"] == pytest.approx(1.0 / rows["eta_star"]["value"])
    low, _ = curvature.spectrum(mixture, samples, 0.0)
    assert row["value"] == float((low + 1.0 / math.expm1(2.0) <= 0).double().mean())
    assert row["value"] > 0.05


def test_one_gaussian_is_convex_at_any_length() -> None:
    """Wide, so that the tilt outweighs its curvature: a wrong sign of the tilt would show."""
    gaussian = rtk.GaussianMixture([1.0], [[0.0, 0.0]], 20.0)
    samples = gaussian.sample(50, 0.0, torch.Generator().manual_seed(0), torch.float64)
    rows = log_concavity.measure(gaussian, 0.0, [1.0, 30.0], samples)
    fractions = [row["value"] for row in rows if row["metric"].endswith("not_convex")]
    assert fractions == [0.0, 0.0, 0.0]
