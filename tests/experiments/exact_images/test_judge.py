"""The measures of samples of a mixture of images, on mixtures whose answers are known."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from experiments.exact_images.judge import (
    LARGEST,
    Features,
    Judge,
    class_tv,
    radii,
    radius_w1,
)
from experiments.images import metrics
from experiments.images.classifier import Architecture, Classifier
from rtk import targets
from rtk.targets import GaussianMixture

H = 0.1
DIMENSION = 784
POINTS = 0.5 * torch.randn((12, DIMENSION), generator=torch.Generator().manual_seed(0)).double()
CLASSES = np.array([0] * 6 + [1] * 3 + [4] * 3)
"""Classes of the images, whose weights are 1/2, 1/4 and 1/4."""


def mixture() -> GaussianMixture:
    return targets.images(POINTS, H)


def exact(n: int, seed: int = 0) -> Tensor:
    return mixture().sample(n, 0.0, torch.Generator().manual_seed(seed), torch.float32)


def test_radii_and_images() -> None:
    """A point at the distance ``0.3 h sqrt(d)`` from an image has the radius 0.09."""
    away = torch.ones(DIMENSION, dtype=torch.float64) * 0.3 * H
    found, nearest = radii(POINTS[[5, 2, 2]] + torch.stack([away, -away, 0 * away]), POINTS, H)
    assert found == pytest.approx([0.09, 0.09, 0.0], abs=1e-12)
    assert nearest.tolist() == [5, 2, 2]


def test_radii_of_lost_chains_are_large_and_finite() -> None:
    lost = POINTS[:3].clone()
    lost[0, 0], lost[1, 0], lost[2] = torch.nan, torch.inf, 1e200
    assert radii(lost, POINTS, H)[0].tolist() == [LARGEST] * 3


def test_radius_w1_is_the_distance_of_the_laws() -> None:
    """Against SciPy's distance from 400 000 quantiles of the exact law, to 1 / n of its width."""
    radius = np.random.default_rng(0).gamma(20.0, 0.04, size=400)
    points = (np.arange(400_000) + 0.5) / 400_000
    law = stats.chi2.ppf(points, 50) / 50
    expected = stats.wasserstein_distance(radius, law)
    assert radius_w1(radius, 50) == pytest.approx(expected, abs=1e-3)
    assert expected > 0.1


@pytest.mark.parametrize(("constant", "expected"), [(1.0, 0.0402), (0.0, 1.0), (3.0, 2.0)])
def test_radius_w1_does_not_reward_samples_without_spread(constant: float, expected: float) -> None:
    """All radii 1 have the mean deviation of the law: ``sqrt(2 / d) sqrt(2 / pi)`` for d = 784."""
    assert radius_w1(np.full(4000, constant), DIMENSION) == pytest.approx(expected, abs=2e-3)


def test_radius_w1_of_exact_samples_is_small() -> None:
    """Its mean is near ``0.5 sqrt(2 / d) n^(-1/2)``; .01 is more than five of them, n = 400."""
    assert Judge(mixture(), CLASSES, None)(exact(400))["radius_w1"].value < 0.01


def test_class_tv() -> None:
    weights = np.array([0.5, 0.25, 0.0, 0.0, 0.25])
    assert class_tv(np.array([0, 0, 1, 4]), weights) == 0.0
    assert class_tv(np.array([0, 0, 0, 0]), weights) == 0.5
    assert class_tv(np.array([2, 3]), weights) == 1.0


@pytest.mark.parametrize(("variance", "radius"), [(1.0, 1.0), (0.25, 0.25), (2.0, 2.0)])
def test_a_wrong_width_is_seen(variance: float, radius: float) -> None:
    """n = 400: the mean radius has a standard error of .0025 times the radius; 5 of them."""
    samples = targets.images(POINTS, H * variance**0.5)
    x = samples.sample(400, 0.0, torch.Generator().manual_seed(1), torch.float32)
    judged = Judge(mixture(), CLASSES, None)(x)
    assert judged["radius"].value == pytest.approx(radius, abs=0.0125 * radius)
    assert judged["radius"].standard_error == pytest.approx(0.0025 * radius, rel=0.5)
    assert judged["radius_w1"].value == pytest.approx(abs(radius - 1.0), abs=0.03)


def test_classes_follow_the_weights_of_the_components() -> None:
    """One class only has the total variation that its weight leaves; n = 400, 5 standard errors."""
    judge = Judge(mixture(), CLASSES, None)
    assert judge.weights == pytest.approx([0.5, 0.25, 0.0, 0.0, 0.25])
    assert judge(exact(400))["class_tv"].value < 0.5 * 5 * 2 * (0.25 / 400) ** 0.5
    x = exact(400)
    of_class_1 = x[np.isin(radii(x, POINTS, H)[1], [6, 7, 8])]
    assert judge(of_class_1)["class_tv"].value == pytest.approx(0.75)


def test_every_measure_has_a_standard_error() -> None:
    """That of 40 independent sets and the jackknife agree to a factor of 1.6."""
    judge = Judge(mixture(), CLASSES, None)
    judged = [judge(exact(200, seed)) for seed in range(40)]
    for name in ("radius", "class_tv"):
        scatter = np.std([one[name].value for one in judged], ddof=1)
        claimed = np.mean([one[name].standard_error for one in judged])
        assert 1 / 1.6 < claimed / scatter < 2.2, name


@pytest.fixture(scope="module")
def features() -> Features:
    torch.manual_seed(0)
    model = Classifier(Architecture()).eval().requires_grad_(False)
    return Features(model, exact(600, seed=9))


def test_distances_in_features_are_those_of_the_images_experiment(features: Features) -> None:
    """Against its functions on the same features; the kernel distance by its definition."""
    x = exact(100)
    judged = Judge(mixture(), CLASSES, features)(x)
    own, reference = features.of(x), features.exact
    assert judged["frechet_distance"].value == pytest.approx(
        metrics.frechet_distance(metrics.moments(own), metrics.moments(reference)), rel=1e-9
    )

    def mean(a: np.ndarray, b: np.ndarray, distinct: bool) -> float:
        kernel = (a @ b.T / a.shape[1] + 1.0) ** 3
        return float(kernel[~np.eye(len(a), dtype=bool)].mean() if distinct else kernel.mean())

    expected = mean(own, own, True) + mean(reference, reference, True)
    expected -= 2.0 * mean(own, reference, False)
    assert judged["kernel_distance"].value == pytest.approx(expected, abs=1e-12)


def test_distances_in_features_see_other_images(features: Features) -> None:
    judge = Judge(mixture(), CLASSES, features)
    good, bad = judge(exact(200)), judge(exact(200)[:, torch.randperm(DIMENSION)])
    for name in ("frechet_distance", "kernel_distance"):
        error = np.hypot(good[name].standard_error, bad[name].standard_error)
        assert bad[name].value - good[name].value > 5 * error, name


def test_lost_chains_leave_all_measures_finite(features: Features) -> None:
    x = exact(60)
    x[0] = torch.nan
    judged = Judge(mixture(), CLASSES, features)(x)
    assert all(np.isfinite(one.value) for one in judged.values())
    assert judged["radius"].value > LARGEST / 100
