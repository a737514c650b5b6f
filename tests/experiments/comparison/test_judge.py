"""The errors of samples against known answers and against the library's own metrics."""

import numpy as np
import pytest
import torch
from scipy import stats

from experiments.comparison.judge import (
    PAIRED,
    Exact,
    bounded,
    energy_distance,
    floor,
    judge,
    mode_error,
)
from experiments.comparison.targets import draw
from rtk import metrics, targets


def test_energy_distance_is_that_of_scipy_on_the_line() -> None:
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=300), generator.normal(0.3, 1.2, size=200)
    expected = stats.energy_distance(x, y)
    assert energy_distance(x[:, None], Exact(y[:, None])) == pytest.approx(expected, rel=1e-6)


def test_energy_distance_without_its_bias_is_that_of_the_library() -> None:
    """Two pairs of 400: the mean over pairs of ``D^2 - (mean |x - x'| + mean |y - y'|) / 399``."""
    generator = np.random.default_rng(1)
    x, y = generator.normal(size=(800, 3)), generator.normal(0.2, 1.0, size=(800, 3))
    unbiased = []
    for part in (slice(0, None, 2), slice(1, None, 2)):
        a, b = x[part], y[part]
        within = sum(np.linalg.norm(z[:, None] - z, axis=2).mean() for z in (a, b))
        unbiased.append(energy_distance(a, Exact(b)) ** 2 - within / 399)
    library = metrics.energy_distance(x, y, size=400, replicates=2)
    assert np.mean(unbiased) == pytest.approx(library.value, abs=1e-9)


def test_energy_distance_takes_the_first_samples_of_either_side() -> None:
    x, y = np.random.default_rng(2).normal(size=(2, PAIRED, 2))
    far = np.full((5, 2), 100.0)
    expected = energy_distance(x, Exact(y))
    assert energy_distance(np.concatenate([x, far]), Exact(np.concatenate([y, far]))) == expected


def test_mode_error_of_a_missing_mode() -> None:
    """Without the modes of weights 0.30 and 0.22 the weights are 0.52 off, and the radii right."""
    mixture = targets.mixture("far")
    x = draw(mixture, 20_000, 0)
    component = mixture.responsibilities(torch.from_numpy(x), 0.0).argmax(1).numpy()
    kept = x[component > 1]
    # The floor of the radii is below .02 for these 9600 samples.
    assert mode_error(kept, mixture) == pytest.approx(0.26, abs=0.015)


def test_mode_error_of_wide_modes() -> None:
    """Radii 1.2 times too wide: the total variation of chi-square laws, plus a floor below .02."""
    mixture = targets.mixture("far")
    n = 20_000
    generator = np.random.default_rng(0)
    chosen = generator.choice(6, n, p=mixture.weights.numpy())
    deviation = mixture.covariances.numpy()[chosen, None] ** 0.5
    x = mixture.means.numpy()[chosen] + 1.2 * deviation * generator.standard_normal((n, 10))
    edges = stats.chi2.ppf(np.arange(21) / 20, 10)
    cells = np.diff(stats.chi2.cdf(edges / 1.44, 10))
    expected = 0.25 * np.abs(cells - 0.05).sum()
    assert mode_error(x, mixture) == pytest.approx(expected, abs=0.01)


def test_targets_that_are_no_mixtures_have_no_modes() -> None:
    rings, mild = targets.target("rings"), targets.target("mild")
    x = draw(rings, 200, 0)
    assert [*judge(x, Exact(draw(rings, 200, 1)), rings)] == ["sliced_w2", "energy_distance"]
    exact = Exact(draw(rings, 200, 1))
    assert [*judge(x, exact, mild)] == ["mode_error", "sliced_w2", "energy_distance"]


def test_floor_is_that_of_independent_samples_and_shrinks_with_their_number() -> None:
    """A floor falls as ``n^(-1/2)``; 8 replicates of about 15 % scatter make 5 sigma 40 %."""
    mixture = targets.mixture("tilted-5")
    few, many = (
        {name: np.mean([one[name] for one in found]) for name in found[0]}
        for found in ([*floor(mixture, n, 8, 0)] for n in (200, 800))
    )
    for metric, value in few.items():
        assert value / many[metric] == pytest.approx(2.0, rel=0.4), metric
    first, second = floor(mixture, 200, 2, 0)
    assert first != second


def test_what_is_not_finite_is_put_far_away() -> None:
    x = torch.tensor([[1.0, float("nan")], [float("inf"), -1e30]])
    np.testing.assert_array_equal(bounded(x), [[1.0, 1e6], [1e6, -1e6]])
    mixture = targets.mixture("uneven-2")
    samples = mixture.sample(300, 0.0, torch.Generator().manual_seed(0))
    broken = samples.clone()
    broken[:150] = float("nan")
    exact = Exact(draw(mixture, 300, 1))
    good, bad = (judge(bounded(each), exact, mixture) for each in (samples, broken))
    assert all(bad[name] > 3.0 * good[name] for name in good)
