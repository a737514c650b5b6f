"""`rtk.metrics` against quadrature, closed forms, scipy and POT.

Statistical bounds are five standard errors with fixed seeds; where a law is discretised instead
(quantiles in place of random numbers), the tolerance is that of the discretisation.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np
import ot
import pytest
import torch
from scipy import integrate
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.stats import chi2, multivariate_normal, norm
from scipy.stats import energy_distance as scipy_energy_distance

from rtk import metrics
from rtk.metrics import Metric, Reference, frequencies
from rtk.metrics.estimate import Array
from rtk.targets.gaussian_mixture import GaussianMixture
from rtk.targets.mixtures import circle

TOTAL_VARIATIONS: list[Metric] = [
    metrics.marginal_accuracy,
    metrics.halved_marginal_accuracy,
    metrics.histogram_tv,
    metrics.mode_weight_tv,
    metrics.radial_tv,
]
TRANSPORTS: list[Metric] = [
    partial(metrics.sliced_w2, projections=20, replicates=5),
    partial(metrics.w2, size=20, replicates=5),
    partial(metrics.energy_distance, size=50, replicates=5),
    partial(metrics.sinkhorn_cost, size=20, regularisation=1.0),
]


def reference_of(
    weights: list[float], means: object, covariances: object, size: int = 2000
) -> Reference:
    def tensor(values: object) -> torch.Tensor:
        return torch.as_tensor(np.asarray(values, dtype=np.float64))

    return Reference.of(GaussianMixture(tensor(weights), tensor(means), tensor(covariances)), size)


@pytest.fixture(scope="module")
def standard() -> Reference:
    """N(0, I) in the plane."""
    return reference_of([1.0], np.zeros((1, 2)), 1.0, size=20_000)


@pytest.fixture(scope="module")
def overlapping() -> Reference:
    """Three unequal modes that overlap, with full covariances."""
    covariances = [[[1.0, 0.6], [0.6, 0.8]], [[0.5, -0.3], [-0.3, 0.4]], [[0.3, 0.0], [0.0, 0.9]]]
    return reference_of([0.6, 0.3, 0.1], [[0, 0], [1.5, 0.5], [0.0, -2.0]], covariances)


@pytest.fixture(scope="module")
def separated() -> Reference:
    """Three unequal modes that do not overlap, with full covariances."""
    covariances = [[[1.0, 0.6], [0.6, 0.8]], [[0.5, -0.3], [-0.3, 0.4]], [[0.3, 0.0], [0.0, 0.9]]]
    return reference_of([0.6, 0.3, 0.1], [[0, 0], [30, 0], [0, -30]], covariances)


def parts(reference: Reference) -> Iterator[tuple[float, Array, Array]]:
    return zip(reference.weights, reference.means, reference.covariances, strict=True)


def quantiles(n: int) -> Array:
    """A standard normal without noise, shape (n,)."""
    return np.asarray(norm.ppf((np.arange(n) + 0.5) / n))


def generator(seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, 17])


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


class TestSlicedW2:
    def test_gaussians(self, standard: Reference) -> None:
        """N(a, s^2 I): W2^2 of a projection is <u, a>^2 + (s - 1)^2; n = 20 000."""
        x = 1.5 * generator(8).standard_normal((20_000, 2)) + [0.6, -0.2]
        estimate = metrics.sliced_w2(x, standard)
        expected = (0.4 / 2 + 0.25) ** 0.5
        assert estimate.standard_error < 0.02
        assert estimate.value == pytest.approx(expected, abs=5 * estimate.standard_error)

    def test_pot(self) -> None:
        x, y = generator(9).standard_normal((2, 400, 3))
        x[:, 0] *= 2
        many = 1000
        expected = [
            ot.sliced_wasserstein_distance(x[r::2], y[r::2], n_projections=many, seed=r) ** 2
            for r in range(2)
        ]
        ours = metrics.sliced_w2(x, y, replicates=2, projections=many)
        # Squares lie between 0 and 1 and average 1/3, so 2000 directions give it to 2 %.
        assert ours.value**2 == pytest.approx(np.mean(expected), rel=0.1)

    def test_one_dimension_pairs_order_statistics(self) -> None:
        x, y = generator(10).standard_normal((2, 300, 1))
        expected = [ot.wasserstein_1d(x[r::3], y[r::3], p=2).item() for r in range(3)]
        assert metrics.sliced_w2(x, y, replicates=3).value ** 2 == pytest.approx(np.mean(expected))


class TestW2:
    def test_translation(self, standard: Reference) -> None:
        shifted = metrics.w2(standard.samples + np.array([3.0, -4.0]), standard, size=200)
        assert shifted.value == pytest.approx(5.0)
        assert shifted.standard_error == pytest.approx(0.0, abs=1e-9)

    def test_assignment(self) -> None:
        x, y = generator(11).standard_normal((2, 80, 3))
        expected = []
        for r in range(2):
            squares = cdist(x[r::2], y[r::2], "sqeuclidean")
            expected.append(squares[linear_sum_assignment(squares)].mean())
        estimate = metrics.w2(x, y, size=40, replicates=2)
        assert estimate.value**2 == pytest.approx(np.mean(expected))
        error = np.std(expected, ddof=1) / 2**0.5 / (2 * estimate.value)
        assert estimate.standard_error == pytest.approx(error)

    def test_subsamples_are_drawn_from_all_rows(self, standard: Reference) -> None:
        x = generator(12).standard_normal((20_000, 2))
        ordered = x[np.argsort(x[:, 0])]
        assert metrics.w2(ordered, standard, size=100).value < 0.5


class TestSinkhorn:
    def samples(self) -> tuple[Array, Array]:
        x, y = generator(13).standard_normal((2, 200, 3))
        return 0.7 * x + [1.0, 0.0, 50.0], y  # the third coordinate must not matter

    def cost(self, x: Array, y: Array, regularisation: float) -> float:
        return metrics.sinkhorn_cost(x, y, regularisation, size=100, replicates=2).value

    def test_plan_of_pot(self) -> None:
        x, y = self.samples()
        expected = []
        for r in range(2):
            squares = cdist(x[r::2, :2], y[r::2, :2], "sqeuclidean")
            plan = ot.sinkhorn([], [], squares, 0.5, stopThr=1e-10)
            expected.append((plan * squares).sum())
        assert self.cost(x, y, 0.5) == pytest.approx(np.mean(expected), rel=1e-4)

    def test_little_regularisation_is_exact_transport(self) -> None:
        x, y = self.samples()
        exact = metrics.w2(x[:, :2], y[:, :2], size=100, replicates=2).value ** 2
        assert exact < self.cost(x, y, 0.1) < exact + 0.1
        assert self.cost(x, y, 0.005) == pytest.approx(exact, rel=0.01)

    def test_much_regularisation_is_independence(self) -> None:
        x, y = self.samples()
        independent = np.mean(
            [cdist(x[r::2, :2], y[r::2, :2], "sqeuclidean").mean() for r in range(2)]
        )
        assert self.cost(x, y, 1e4) == pytest.approx(independent, rel=1e-3)

    def test_far_samples_do_not_underflow(self) -> None:
        x, y = self.samples()
        near = self.cost(x, y, 0.5)
        gap = np.mean([(x[r::2] - y[r::2]).mean(axis=0)[:2] for r in range(2)], axis=0)
        shift = np.array([1000.0, 0.0, 0.0])
        # |x + a - y|^2 adds a^2 + 2 <a, x - y> to any plan's cost.
        assert self.cost(x + shift, y, 0.5) == pytest.approx(near + 1e6 + 2000.0 * gap[0], rel=1e-8)


class TestEnergyDistance:
    def test_scipy(self) -> None:
        x, y = generator(14).standard_normal((2, 400, 1))
        y = 1.3 * y + 0.4
        expected = []
        for r in range(4):
            u, v = x[r::4], y[r::4]
            biased = scipy_energy_distance(u[:, 0], v[:, 0]) ** 2
            expected.append(biased - (cdist(u, u).mean() + cdist(v, v).mean()) / 99)
        estimate = metrics.energy_distance(x, y, size=100, replicates=4)
        assert estimate.value == pytest.approx(np.mean(expected), rel=1e-9)
        assert estimate.standard_error == pytest.approx(np.std(expected, ddof=1) / 2)

    def test_shifted_gaussians(self) -> None:
        """1-D, shift 0.8: 2 E|N(0.8, 2)| - 2 E|N(0, 2)|; n = 20 000 in blocks of 500."""
        x, y = generator(15).standard_normal((2, 20_000, 1))
        shift, deviation = 0.8, 2**0.5
        folded = deviation * (2 / np.pi) ** 0.5 * np.exp(-(shift**2) / 4)
        folded += shift * (1 - 2 * norm.cdf(-shift / deviation))
        expected = 2 * folded - 4 / np.pi**0.5
        estimate = metrics.energy_distance(x + shift, y, size=500, replicates=40)
        assert estimate.standard_error < 0.04 * expected
        assert estimate.value == pytest.approx(expected, abs=5 * estimate.standard_error)

    def test_floor_is_zero(self, standard: Reference) -> None:
        metric = partial(metrics.energy_distance, size=100, replicates=10)
        floor = metrics.floor(metric, standard, 1000, replicates=30)
        assert abs(floor.value) < 5 * floor.standard_error
        assert floor.standard_error < 0.002


class TestStandardErrors:
    # The Sinkhorn cost is an average over subsamples just like the energy distance.
    @pytest.mark.parametrize(
        "metric",
        [
            metrics.marginal_accuracy,
            partial(metrics.histogram_tv, bins=10),
            metrics.mode_weight_tv,
            metrics.radial_tv,
            *TRANSPORTS[:3],
        ],
    )
    @pytest.mark.parametrize("shift", [0.0, 0.5])
    def test_equals_the_spread(self, overlapping: Reference, metric: Metric, shift: float) -> None:
        """200 replications of n = 320: within 25 %, five times the 5 % of such a deviation."""
        numbers = generator(16)
        values, errors = np.empty((2, 200))
        for i in range(200):
            fresh = Reference(
                overlapping.weights,
                overlapping.means,
                overlapping.covariances,
                overlapping.draw(320, numbers),
            )
            estimate = metric(fresh.draw(320, numbers) + np.array([shift, 0.0]), fresh)
            values[i], errors[i] = estimate.value, estimate.standard_error
        assert np.sqrt(np.mean(errors**2)) == pytest.approx(values.std(), rel=0.25)


class TestFloor:
    def test_mean_of_independent_replicates(self, standard: Reference) -> None:
        seen: list[Array] = []

        def metric(samples: metrics.Samples, reference: Reference) -> metrics.Estimate:
            assert isinstance(samples, np.ndarray)
            seen.extend([samples[0], reference.samples[0]])
            assert samples.shape == (70, 2)
            assert reference.samples.shape == standard.samples.shape
            return metrics.Estimate(float(len(seen)), 0.0)

        floor = metrics.floor(metric, standard, 70, replicates=3)
        assert floor.value == 4.0
        assert floor.standard_error == pytest.approx(2 / 3**0.5)
        # Fresh samples on both sides each time, none of them the reference's own.
        assert len({row.tobytes() for row in [*seen, standard.samples[0]]}) == 7

    def test_needs_two_replicates(self, standard: Reference) -> None:
        with pytest.raises(ValueError, match="at least 2 replicates, got 1"):
            metrics.floor(metrics.marginal_accuracy, standard, 100, replicates=1)


class TestReference:
    @pytest.mark.parametrize(
        ("covariances", "expected"),
        [
            (0.5, [[[0.5, 0], [0, 0.5]], [[0.5, 0], [0, 0.5]]]),
            ([0.5, 2.0], [[[0.5, 0], [0, 0.5]], [[2.0, 0], [0, 2.0]]]),
            ([[0.5, 1.0], [2.0, 3.0]], [[[0.5, 0], [0, 1.0]], [[2.0, 0], [0, 3.0]]]),
            ([[[1.0, 0.6], [0.6, 1.0]]] * 2, [[[1.0, 0.6], [0.6, 1.0]]] * 2),
        ],
    )
    def test_covariances_and_samples(self, covariances: object, expected: object) -> None:
        """Moments of each mode, n = 40 000 and 5 standard errors."""
        target = reference_of([0.25, 0.75], [[-50.0, 0.0], [50.0, 1.0]], covariances, 40_000)
        np.testing.assert_array_equal(target.covariances, expected)
        right = target.samples[:, 0] > 0
        assert right.mean() == pytest.approx(0.75, abs=5 * (0.75 * 0.25 / 40_000) ** 0.5)
        for k, rows in enumerate((~right, right)):
            mode = target.samples[rows]
            np.testing.assert_allclose(mode.mean(axis=0), target.means[k], atol=0.1)
            np.testing.assert_allclose(np.cov(mode.T), target.covariances[k], atol=0.15)

    def test_seeds(self) -> None:
        first, again, other = (Reference.of(circle(), 100, seed).samples for seed in (1, 1, 2))
        np.testing.assert_array_equal(first, again)
        assert not np.any(first == other)


class TestInput:
    @pytest.mark.parametrize("metric", TOTAL_VARIATIONS + TRANSPORTS)
    def test_tensors_of_any_dtype(self, standard: Reference, metric: Metric) -> None:
        x = torch.randn(600, 2, generator=torch.Generator().manual_seed(0)).requires_grad_()
        assert metric(x, standard) == metric(x.detach().double().numpy(), standard)

    @pytest.mark.parametrize("metric", TOTAL_VARIATIONS + TRANSPORTS)
    def test_errors(self, standard: Reference, metric: Metric) -> None:
        x = generator(18).standard_normal((1000, 2))
        x[[3, 5], 0], x[5, 1] = np.nan, np.inf
        with pytest.raises(ValueError, match="2 of 1000 samples are not finite"):
            metric(x, standard)
        with pytest.raises(ValueError, match=r"shape \(n, d\), got \(1000,\)"):
            metric(x[:, 0], standard)
        with pytest.raises(ValueError, match="have 3 coordinates, the reference has 2"):
            metric(np.zeros((1000, 3)), standard)
        with pytest.raises(ValueError, match=r"need|got"):
            metric(np.zeros((3, 2)), standard)

    def test_too_few(self, standard: Reference) -> None:
        with pytest.raises(ValueError, match="at least 64 samples are needed, got 63"):
            metrics.radial_tv(np.zeros((63, 2)), standard)
        with pytest.raises(ValueError, match="10 subsamples of 500 need 5000 samples, got 4999"):
            metrics.w2(np.zeros((4999, 2)), standard)
        with pytest.raises(ValueError, match="need 5000 reference samples, got 600"):
            metrics.w2(np.zeros((5000, 2)), np.zeros((600, 2)))

    def test_settings(self, standard: Reference) -> None:
        x = generator(19).standard_normal((1000, 2))
        with pytest.raises(ValueError, match="bins must be at least 1"):
            metrics.histogram_tv(x, standard, bins=0)
        with pytest.raises(ValueError, match="interval must be"):
            metrics.marginal_accuracy(x, standard, interval=(1.0, -1.0))
        with pytest.raises(ValueError, match="regularisation must be positive"):
            metrics.sinkhorn_cost(x, standard, regularisation=0.0)
        with pytest.raises(ValueError, match="replicates >= 2, got 500 and 1"):
            metrics.w2(x, standard, replicates=1)
        line = reference_of([1.0], [[0.0]], 1.0)
        with pytest.raises(ValueError, match="at least 2 coordinates"):
            metrics.histogram_tv(x[:, :1], line)


def test_frequency_tv() -> None:
    """A quarter of the samples in a cell that has no mass is a distance of a quarter."""
    cells = np.tile([0, 1, 2, 3], 250)
    found = metrics.frequency_tv(cells, np.array([0.25, 0.25, 0.5, 0.0]))
    assert found.value == pytest.approx(0.25)
    uniform = np.random.default_rng(0).integers(0, 4, 10_000)
    found = metrics.frequency_tv(uniform, np.full(4, 0.25))
    assert 0.0 < found.value < 0.02
    assert 0.0 < found.standard_error < 0.01


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
