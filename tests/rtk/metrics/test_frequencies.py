"""Metrics of frequencies against quadrature, closed forms and scipy.

Statistical bounds are five standard errors with fixed seeds; where a law is discretised instead
(quantiles in place of random numbers), the tolerance is that of the discretisation.
"""

import numpy as np
import pytest
import torch
from scipy import integrate
from scipy.stats import chi2, multivariate_normal, norm

from rtk import metrics
from rtk.metrics import Metric, Reference, frequencies
from rtk.metrics.estimate import Array
from rtk.targets.gaussian_mixture import GaussianMixture
from rtk.targets.mixtures import circle
from tests.rtk.metrics.cases import TOTAL_VARIATIONS, generator, parts, reference_of


def quantiles(n: int) -> Array:
    """A standard normal without noise, shape (n,)."""
    return np.asarray(norm.ppf((np.arange(n) + 0.5) / n))


class TestMarginalAccuracy:
    def test_two_gaussians_by_quadrature(self, standard: Reference) -> None:
        z = quantiles(100_000)
        x = np.stack([z + 0.7, 1.6 * z[::-1]], 1)
        u = np.linspace(-12, 12, 24_001)
        densities = [norm.pdf(u, 0.7, 1.0), norm.pdf(u, 0.0, 1.6)]
        expected = [
            0.5 * integrate.trapezoid(np.abs(density - norm.pdf(u)), u) for density in densities
        ]
        assert expected[0] == pytest.approx(2 * norm.cdf(0.35) - 1, abs=1e-6)
        accuracy = metrics.marginal_accuracy(x, standard, interval=(-6.0, 6.0)).value
        # Bins of width 0.06 blur the points where the densities cross.
        assert accuracy == pytest.approx(1 - np.mean(expected), abs=1e-3)

    def test_mass_beyond_the_interval_counts(self, standard: Reference) -> None:
        assert metrics.marginal_accuracy(np.full((100, 2), 1e6), standard).value == pytest.approx(
            2 * norm.sf(1.5) / 2, abs=1e-9
        )
        z = quantiles(100_000)
        exact = metrics.marginal_accuracy(np.stack([z, z[::-1]], 1), standard)
        assert exact.value == pytest.approx(1.0, abs=1e-3)
        x = np.stack([np.abs(z), np.where(np.abs(z) > 1.5, np.abs(z), z)], 1)
        # Half of one law is on the wrong side; of the other, the lower tail is.
        expected = 1 - (0.5 + norm.sf(1.5)) / 2
        assert metrics.marginal_accuracy(x, standard).value == pytest.approx(expected, abs=1e-3)

    def test_exact_samples_of_circle(self) -> None:
        """The calibration in the docstrings: n = 50 000, mean of 5 replicates."""
        target = Reference.of(circle(), 50)
        edges = np.linspace(-1.5, 1.5, 201)
        cdf = norm.cdf((edges[:, None, None] - target.means) / 0.007**0.5).mean(axis=1)
        p = np.diff(cdf, axis=0)
        # E|p^ - p| of a nearly normal frequency.
        expected = 1 - 0.5 * np.sqrt(2 * p * (1 - p) / (np.pi * 50_000)).sum(axis=0).mean()
        assert expected == pytest.approx(0.9882, abs=1e-4)
        for metric, value in (
            (metrics.marginal_accuracy, expected),
            (metrics.halved_marginal_accuracy, (1 + expected) / 2),
        ):
            floor = metrics.floor(metric, target, 50_000, replicates=5)
            assert 0 < floor.standard_error < 5e-4
            # Bins with few expected samples are not quite normal: 5e-5.
            assert floor.value == pytest.approx(value, abs=5 * floor.standard_error + 5e-5)

    def test_halved(self, standard: Reference) -> None:
        x = generator(20).standard_normal((1000, 2))
        whole = metrics.marginal_accuracy(x, standard)
        halved = metrics.halved_marginal_accuracy(x, standard)
        assert 1 - halved.value == pytest.approx((1 - whole.value) / 2)
        assert halved.standard_error == pytest.approx(whole.standard_error / 2)

    def test_unequal_weights_and_widths(self, overlapping: Reference) -> None:
        """Exact samples, n = 200 000: at most (cells / 2 pi n)^(1/2), plus 5 errors."""
        x = overlapping.draw(200_000, generator(21))
        estimate = metrics.marginal_accuracy(x, overlapping, interval=None)
        noise = (202 / (2 * np.pi * 200_000)) ** 0.5
        assert 1 - estimate.value < noise + 5 * estimate.standard_error

    def test_default_box_holds_four_deviations(self, standard: Reference) -> None:
        x = generator(1).standard_normal((5000, 2))
        default = metrics.marginal_accuracy(x, standard, interval=None)
        assert default == metrics.marginal_accuracy(x, standard, interval=(-4.0, 4.0))


@pytest.mark.parametrize("metric", TOTAL_VARIATIONS)
def test_disjoint_laws_reach_the_bound_and_do_not_pass_it(metric: Metric) -> None:
    """All samples in one point between the modes, where no coordinate has any mass."""
    weights = [0.1, 0.2, 0.3, 0.15, 0.25]
    target = reference_of(weights, [[3.0 * k, 0.1 * k] for k in range(5)], 0.0007)
    for n in range(64, 200, 7):
        value = metric(np.tile([1.4, -1.0], (n, 1)), target).value
        assert 0.0 <= value <= 1.0
    bounds = dict(zip(TOTAL_VARIATIONS, (0.0, 0.5, 1.0, 0.9, 0.95), strict=True))
    assert value == pytest.approx(bounds[metric], abs=1e-12)


class TestHistogram:
    def test_distribution_function_against_scipy(self, overlapping: Reference) -> None:
        # 0, 1.5 and 0.5 are the means: removable singularities of the formula.
        x, y = np.array([-1.3, 0.0, 0.4, 1.5]), np.array([-2.0, -0.7, 0.0, 0.5, 1.1])
        points = np.stack(np.meshgrid(x, y, indexing="ij"), -1)
        expected = np.zeros((4, 5))
        for w, m, c in parts(overlapping):
            expected += w * multivariate_normal(m, c).cdf(points)
        assert np.abs(frequencies._plane_cdf(overlapping, x, y) - expected).max() < 1e-9
        ends = frequencies._plane_cdf(
            overlapping, np.array([-np.inf, np.inf]), np.array([0.3, np.inf])
        )
        deviations = np.sqrt(overlapping.covariances[:, 1, 1])
        marginal = overlapping.weights @ norm.cdf((0.3 - overlapping.means[:, 1]) / deviations)
        assert np.abs(ends - [[0, 0], [marginal, 1]]).max() < 1e-12

    def test_unequal_weights_and_widths(self, overlapping: Reference) -> None:
        """Exact samples, n = 200 000: at most (cells / 2 pi n)^(1/2), plus 5 errors."""
        estimate = metrics.histogram_tv(overlapping.draw(200_000, generator(22)), overlapping, 20)
        noise = (22**2 / (2 * np.pi * 200_000)) ** 0.5
        assert estimate.value < noise + 5 * estimate.standard_error

    def test_sign_of_a_correlation(self) -> None:
        """N(0, C) with correlation -0.8 against +0.8: the marginals are equal, n = 200 000."""
        covariance = np.array([[1.0, 0.8], [0.8, 1.0]])
        target = reference_of([1.0], np.zeros((1, 2)), covariance[None])
        x = target.draw(200_000, generator(2)) * [1.0, -1.0]
        # Total variation by quadrature on a fine grid.
        u = np.linspace(-8, 8, 801)
        grid = np.stack(np.meshgrid(u, u), -1)
        p = multivariate_normal([0, 0], covariance).pdf(grid)
        q = multivariate_normal([0, 0], covariance * [[1, -1], [-1, 1]]).pdf(grid)
        expected = 0.5 * np.abs(p - q).sum() * (u[1] - u[0]) ** 2
        estimate = metrics.histogram_tv(x, target)
        assert estimate.standard_error < 2e-3
        # Floor of cells where p = q and blur of cells where they cross: below 0.005.
        bound = 5 * estimate.standard_error + 0.005
        assert estimate.value == pytest.approx(expected, abs=bound)

    def test_axes_and_tails_are_not_swapped(self, standard: Reference) -> None:
        z = quantiles(400)
        x = np.stack(np.meshgrid(z + 1.0, z, indexing="ij"), -1).reshape(-1, 2)
        target = reference_of([1.0], [[1.0, 0.0]], 1.0)
        interval = (-1.0, 2.0)  # not symmetric, most mass is beyond
        assert metrics.histogram_tv(x, target, 12, interval).value < 0.02
        shifted = metrics.histogram_tv(x, standard, 12, interval).value
        assert shifted == pytest.approx(2 * norm.cdf(0.5) - 1, abs=0.02)


class TestModes:
    def test_weights_of_separated_modes(self, separated: Reference) -> None:
        """Other weights, the same modes, n = 50 000: the value is the TV of the weights."""
        other = Reference(
            np.array([0.3, 0.3, 0.4]), separated.means, separated.covariances, separated.samples
        )
        estimate = metrics.mode_weight_tv(other.draw(50_000, generator(3)), separated)
        assert estimate.standard_error == pytest.approx((0.3 * 0.7 / 50_000) ** 0.5, rel=0.5)
        assert estimate.value == pytest.approx(0.3, abs=5 * estimate.standard_error)

    def test_overlap_does_not_bias_the_weights(self, overlapping: Reference) -> None:
        """Exact samples, n = 200 000: below 5 (m/4n)^(1/2), where counting errs by more."""
        x = overlapping.draw(200_000, generator(4))
        bound = 5 * (3 / (4 * 200_000)) ** 0.5
        assert metrics.mode_weight_tv(x, overlapping).value < bound
        # The same samples counted by their most probable mode.
        densities = [w * multivariate_normal(m, c).pdf(x) for w, m, c in parts(overlapping)]
        counts = np.bincount(np.argmax(densities, axis=0), minlength=3) / len(x)
        assert 0.5 * np.abs(counts - overlapping.weights).sum() > 2 * bound

    def test_responsibilities_of_the_mixture(self, overlapping: Reference) -> None:
        tensors = map(torch.as_tensor, (overlapping.means, overlapping.covariances))
        mixture = GaussianMixture(torch.as_tensor(overlapping.weights), *tensors)
        x = 2.0 * generator(23).standard_normal((5000, 2))
        mean = mixture.responsibilities(torch.as_tensor(x), 0.0).mean(0).numpy()
        expected = 0.5 * np.abs(mean - overlapping.weights).sum()
        assert metrics.mode_weight_tv(x, overlapping).value == pytest.approx(expected, rel=1e-9)

    def test_empty_mode(self) -> None:
        target = reference_of([1.0, 0.0], [[0.0, 0.0], [9.0, 0.0]], 1.0)
        x = generator(5).standard_normal((1000, 2))
        assert metrics.mode_weight_tv(x, target).value == pytest.approx(0.0, abs=1e-12)


class TestRadial:
    @pytest.mark.parametrize("scale", [0.8, 1.5])
    def test_scaled_modes(self, separated: Reference, scale: float) -> None:
        """Every mode ``scale`` times as wide: scaled chi-squares, n = 50 000."""
        wide = Reference(
            separated.weights,
            separated.means,
            scale**2 * separated.covariances,
            separated.samples,
        )
        edges = chi2.ppf(np.linspace(0, 1, 21), 2)
        expected = 0.5 * np.abs(np.diff(chi2.cdf(edges / scale**2, 2)) - 0.05).sum()
        estimate = metrics.radial_tv(wide.draw(50_000, generator(6)), separated)
        assert estimate.standard_error < 0.003
        # Bins near the crossing have a floor: below 0.001.
        bound = 5 * estimate.standard_error + 0.001
        assert estimate.value == pytest.approx(expected, abs=bound)

    def test_overlap_does_not_bias_the_radii(self, overlapping: Reference) -> None:
        """Exact samples, n = 200 000: sum of 20 frequencies, each within its noise."""
        x = overlapping.draw(200_000, generator(7))
        floor = 10 * (2 * 0.05 * 0.95 / (np.pi * 200_000)) ** 0.5
        assert metrics.radial_tv(x, overlapping).value < 2 * floor


def test_frequency_tv() -> None:
    """A quarter of the samples in a cell that has no mass is a distance of a quarter."""
    cells = np.tile([0, 1, 2, 3], 250)
    estimate = metrics.frequency_tv(cells, np.array([0.25, 0.25, 0.5, 0.0]))
    assert estimate.value == pytest.approx(0.25)
    uniform = np.random.default_rng(0).integers(0, 4, 10_000)
    estimate = metrics.frequency_tv(uniform, np.full(4, 0.25))
    assert 0.0 < estimate.value < 0.02
    assert 0.0 < estimate.standard_error < 0.01


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (np.zeros(63, dtype=int), "at least 64 cells"),
        (np.zeros((64, 1), dtype=int), "at least 64 cells"),
        (np.full(64, 2), "cells must be numbers from 0 to 1, got 2 to 2"),
        (np.full(64, -1), "cells must be numbers from 0 to 1"),
    ],
)
def test_frequency_tv_rejects(cells: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        metrics.frequency_tv(cells, np.array([0.5, 0.5]))


def test_frequency_tv_stays_in_its_range() -> None:
    """Samples that are all in a cell without mass: the distance is 1 and no more."""
    for parts_of_mass in range(2, 60):
        masses = np.append(np.full(parts_of_mass, 1.0 / parts_of_mass), 0.0)
        value = metrics.frequency_tv(np.full(64, parts_of_mass), masses).value
        assert value <= 1.0
        assert value == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("masses", [[0.5, 0.6], [1.5, -0.5], [[0.5, 0.5]], [0.5, np.nan]])
def test_frequency_tv_rejects_what_are_no_probabilities(masses: list[float]) -> None:
    with pytest.raises(ValueError, match="masses must be probabilities"):
        metrics.frequency_tv(np.zeros(64, dtype=int), np.array(masses))


def test_frequency_tv_rejects_cells_that_are_not_whole() -> None:
    with pytest.raises(TypeError, match="cells must be whole numbers, got float64"):
        metrics.frequency_tv(np.zeros(64), np.array([0.5, 0.5]))  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["one variance each", "diagonals", "matrices"])
def test_weights_and_radii_by_their_definitions(form: str) -> None:
    """With densities of scipy and inverses of matrices, for covariances of every form."""
    weights, means = np.array([0.3, 0.7]), np.array([[0.5, -1.0, 0.0], [0.0, 1.0, 0.3]])
    root = generator(8).normal(size=(2, 3, 3))
    covariances = {
        "one variance each": np.array([0.5, 2.0])[:, None, None] * np.eye(3),
        "diagonals": np.array([np.diag([0.5, 1.0, 3.0]), np.diag([2.0, 0.7, 0.2])]),
        "matrices": root @ root.transpose(0, 2, 1) + 0.5 * np.eye(3),
    }[form]
    target = Reference.of(GaussianMixture(weights, means, covariances), 50)
    x = 1.3 * generator(9).normal(size=(640, 3))
    joint = np.stack(
        [
            weight * multivariate_normal(mean, covariance).pdf(x)
            for weight, mean, covariance in zip(weights, means, covariances, strict=True)
        ],
        1,
    )
    shares = joint / joint.sum(1, keepdims=True)
    expected = 0.5 * np.abs(shares.mean(0) - weights).sum()
    assert metrics.mode_weight_tv(x, target).value == pytest.approx(expected, rel=1e-9)
    away = x[:, None] - means
    squares = np.einsum("nmd,mde,nme->nm", away, np.linalg.inv(covariances), away)
    bins = np.floor(20 * chi2.cdf(squares, 3)).astype(int)
    masses = np.array([shares[bins == k].sum() for k in range(20)]) / len(x)
    expected = 0.5 * np.abs(masses - 0.05).sum()
    assert metrics.radial_tv(x, target).value == pytest.approx(expected, rel=1e-9)
