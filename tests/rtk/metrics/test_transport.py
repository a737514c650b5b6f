"""Metrics between two samples against closed forms, scipy and POT.

Statistical bounds are five standard errors with fixed seeds.
"""

from functools import partial
from typing import Any

import numpy as np
import ot
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.stats import energy_distance as scipy_energy_distance
from scipy.stats import norm

from rtk import metrics
from rtk.metrics import Metric, Reference, transport
from rtk.metrics.estimate import Array
from tests.rtk.metrics.cases import TRANSPORTS, generator


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
        count = 1000
        expected = [
            ot.sliced_wasserstein_distance(x[r::2], y[r::2], n_projections=count, seed=r) ** 2
            for r in range(2)
        ]
        ours = metrics.sliced_w2(x, y, replicates=2, projections=count)
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

    @pytest.mark.slow
    def test_large_subsamples_reach_the_optimum(self) -> None:
        """With 4000 points the solver of POT stops 4 % above the optimum at its default limit."""
        x, y = generator(24).standard_normal((2, 8000, 10))
        expected = []
        for r in range(2):
            squares = cdist(x[r::2], y[r::2], "sqeuclidean")
            expected.append(squares[linear_sum_assignment(squares)].mean())
        ours = metrics.w2(x, y, size=4000, replicates=2)
        assert ours.value**2 == pytest.approx(np.mean(expected), rel=1e-9)

    @pytest.mark.parametrize("scale", [1e-12, 1e-6, 1e6, 1e30])
    def test_units_of_the_samples_do_not_matter(self, scale: float) -> None:
        x, y = generator(25).standard_normal((2, 80, 3))
        unscaled = metrics.w2(x, y, size=40, replicates=2).value
        scaled = metrics.w2(scale * x, scale * y, size=40, replicates=2).value
        assert scaled / scale == pytest.approx(unscaled, rel=1e-12)


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

    @pytest.mark.parametrize("scale", [1e-12, 1e-6, 1e6, 1e30])
    def test_units_of_the_samples_do_not_matter(self, scale: float) -> None:
        x, y = self.samples()
        scaled = self.cost(scale * x, scale * y, 0.5 * scale**2)
        assert scaled / scale**2 == pytest.approx(self.cost(x, y, 0.5), rel=1e-6)

    @pytest.mark.parametrize("scale", [1e-18, 1.0, 1e40])
    def test_exact_potentials_are_optimal(self, scale: float) -> None:
        """Strong duality: the potentials are feasible, and their means add up to the cost."""
        x, y = generator(31).standard_normal((2, 100, 3))
        squares = scale * cdist(x, y, "sqeuclidean")
        u, v = transport._potentials(squares)
        assert np.all(u[:, None] + v <= squares + 1e-9 * scale)
        optimum = squares[linear_sum_assignment(squares)].mean()
        assert (u.mean() + v.mean()) / optimum == pytest.approx(1.0, rel=1e-9)

    def test_a_solver_that_stops_early_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        x, y = self.samples()
        emd = partial(ot.emd)
        monkeypatch.setattr(ot, "emd", lambda *a, **options: emd(*a, **options | {"numItermax": 2}))
        with (
            pytest.warns(UserWarning, match="numItermax"),
            pytest.raises(RuntimeError, match="optimal transport has not been solved: numItermax"),
        ):
            self.cost(x, y, 0.5)

    def test_the_solver_has_enough_iterations(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The limit grows with the square of the size: at 5000 points POT's default is too low."""
        x, y = self.samples()
        limits = []
        emd = partial(ot.emd)

        def record(*arguments: Array, **options: object) -> object:
            limits.append(options["numItermax"])
            return emd(*arguments, **options)

        monkeypatch.setattr(ot, "emd", record)
        self.cost(x, y, 0.5)
        assert limits == [100 * 100**2] * 2

    @pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")
    def test_plans_that_cannot_be_computed_are_errors(self) -> None:
        x, y = self.samples()
        with pytest.raises(ValueError, match="no Sinkhorn plan with regularisation"):
            self.cost(x + 1e10, y, 0.1)


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

    def test_a_common_shift_does_not_matter(self) -> None:
        """Expanded squares would lose all digits of distances so far from the origin."""
        x, y = generator(26).standard_normal((2, 400, 3))
        near = metrics.energy_distance(x, y + 0.3, size=100, replicates=4).value
        far = metrics.energy_distance(x + 1e7, y + 0.3 + 1e7, size=100, replicates=4).value
        assert far == pytest.approx(near, abs=1e-8)

    def test_floor_is_zero(self, standard: Reference) -> None:
        metric = partial(metrics.energy_distance, size=100, replicates=10)
        floor = metrics.floor(metric, standard, 1000, replicates=30)
        assert abs(floor.value) < 5 * floor.standard_error
        assert floor.standard_error < 0.002


@pytest.mark.parametrize("metric", TRANSPORTS)
class TestDivergedSamples:
    @pytest.mark.parametrize("size", [1e76, 1e100, 1e150, 1e160, 1e300])
    def test_are_refused(self, standard: Reference, metric: Metric, size: float) -> None:
        x = generator(27).standard_normal((200, 2))
        x[:3, 1] = size
        message = "3 of 200 samples have diverged: they have coordinates beyond 1e\\+75"
        with pytest.raises(ValueError, match=message):
            metric(x, standard)
        with pytest.raises(ValueError, match="200 of 200 samples have diverged"):
            metric(np.full((200, 2), -size), standard)

    def test_are_refused_as_reference(self, metric: Metric) -> None:
        x = generator(28).standard_normal((200, 2))
        two_sample: Any = metric
        with pytest.raises(ValueError, match="200 of 200 samples have diverged"):
            two_sample(x, np.full((200, 2), 1e200))

    @pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")
    @pytest.mark.parametrize("size", [1e3, 1e12, 1e40, 1e74])
    def test_are_far_if_they_are_measured(
        self, standard: Reference, metric: Metric, size: float
    ) -> None:
        """The distance is of the order of the shift or of its square, or it is an error."""
        x = generator(29).standard_normal((300, 2)) + size
        try:
            value = metric(x, standard).value
        except ValueError as error:
            assert "no Sinkhorn plan" in str(error)  # noqa: PT017
        else:
            assert value > 0.9 * size
