"""Estimates, references, and what all metrics promise about errors and arguments.

Statistical bounds are five standard errors with fixed seeds.
"""

import copy
import dataclasses
import pickle
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from rtk import metrics
from rtk.metrics import Estimate, Metric, Reference
from rtk.metrics.estimate import Array
from rtk.targets.funnel import Funnel
from rtk.targets.mixtures import circle
from tests.rtk.metrics.cases import TOTAL_VARIATIONS, TRANSPORTS, generator, reference_of


def test_mean_of_replicates() -> None:
    values = np.array([1.0, 4.0, 2.0, 7.0])
    estimate = Estimate.of_replicates(values)
    assert estimate.value == pytest.approx(3.5)
    assert estimate.standard_error == pytest.approx(stats.sem(values))


def test_errors_of_one_sample_add_up() -> None:
    estimate = Estimate.of_one_sample([Estimate(1.0, 0.1), Estimate(4.0, 0.3)])
    assert estimate.value == pytest.approx(2.5)
    assert estimate.standard_error == pytest.approx(0.2)


@pytest.mark.parametrize("values", [[], [1.0], 3.0, [[1.0, 2.0], [3.0, 4.0]]])
def test_one_value_has_no_standard_error(values: object) -> None:
    with pytest.raises(ValueError, match="needs at least 2 independent values"):
        Estimate.of_replicates(np.asarray(values))


def test_a_mean_of_no_estimates_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one estimate, got none"):
        Estimate.of_one_sample([])


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
        with pytest.raises(ValueError, match="replicates must be at least 2, got 1"):
            metrics.floor(metrics.marginal_accuracy, standard, 100, replicates=1)
        with pytest.raises(ValueError, match="size must be at least 1, got 0"):
            metrics.floor(metrics.marginal_accuracy, standard, 0)


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

    def test_copies_are_complete_and_equality_is_identity(self, overlapping: Reference) -> None:
        for copied in (copy.deepcopy(overlapping), pickle.loads(pickle.dumps(overlapping))):
            for name in ("weights", "means", "covariances", "samples"):
                np.testing.assert_array_equal(getattr(copied, name), getattr(overlapping, name))
            assert copied != overlapping
        assert overlapping == overlapping
        assert len({overlapping}) == 1

    def test_errors(self, overlapping: Reference) -> None:
        with pytest.raises(TypeError, match="made of a GaussianMixture, got Funnel"):
            Reference.of(Funnel())  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="size must be at least 1, got 0"):
            Reference.of(circle(), 0)
        with pytest.raises(ValueError, match=r"covariances \(m, d, d\).*got shapes.*\(3, 2\)"):
            dataclasses.replace(overlapping, covariances=np.ones((3, 2)))
        with pytest.raises(ValueError, match=r"samples \(n, d\).*\(5, 3\)"):
            dataclasses.replace(overlapping, samples=np.zeros((5, 3)))


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

    @pytest.mark.parametrize("metric", TOTAL_VARIATIONS + TRANSPORTS)
    def test_types(self, standard: Reference, metric: Metric) -> None:
        x = generator(30).standard_normal((1000, 2))
        loose: Any = metric
        with pytest.raises(TypeError, match="expected a Reference, got a GaussianMixture, Ref"):
            loose(x, circle())
        with pytest.raises(TypeError, match="expected a Reference, got a Funnel"):
            loose(x, Funnel())
        with pytest.raises(TypeError, match=r"numbers, .*got a Reference, give its attribute sa"):
            loose(standard, standard)
        for wrong in (circle(), "samples", None, x + 1j, torch.tensor(x) + 1j, [[1.0], [1.0, 2.0]]):
            with pytest.raises(TypeError, match="samples must be a tensor or array of real numb"):
                loose(wrong, standard)

    @pytest.mark.parametrize("metric", TOTAL_VARIATIONS)
    def test_a_plain_array_is_no_mixture(self, metric: Metric) -> None:
        loose: Any = metric
        with pytest.raises(TypeError, match="expected a Reference, got a ndarray"):
            loose(np.zeros((100, 2)), np.zeros((100, 2)))

    @pytest.mark.parametrize("metric", [metrics.mode_weight_tv, metrics.radial_tv])
    def test_distances_that_overflow(self, standard: Reference, metric: Metric) -> None:
        with pytest.raises(ValueError, match="100 of 100 samples have diverged"):
            metric(np.full((100, 2), 1e160), standard)

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
        with pytest.raises(ValueError, match="replicates must be at least 2, got 1"):
            metrics.w2(x, standard, replicates=1)
        with pytest.raises(ValueError, match="size must be at least 2, got 1"):
            metrics.energy_distance(x, standard, size=1)
        with pytest.raises(ValueError, match="projections must be at least 1, got 0"):
            metrics.sliced_w2(x, standard, projections=0)
        with pytest.raises(ValueError, match="10 replicates need at least 20 samples on either"):
            metrics.sliced_w2(x[:1], standard)
        with pytest.raises(TypeError, match="bins must be a whole number, got"):
            metrics.histogram_tv(x, standard, bins=2.5)  # type: ignore[arg-type]
        line = reference_of([1.0], [[0.0]], 1.0)
        with pytest.raises(ValueError, match="at least 2 coordinates"):
            metrics.histogram_tv(x[:, :1], line)
