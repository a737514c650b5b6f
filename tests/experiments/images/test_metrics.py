"""The image metrics against closed forms, and the classifier whose features they use."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from scipy import linalg
from scipy.spatial.distance import cdist

from experiments.images import classifier, metrics
from experiments.images.data import Labelled
from experiments.images.metrics import Described, Reference

CHECKPOINT = Path(classifier.__file__).parent / "checkpoint" / "classifier.safetensors"
Array = NDArray[np.float64]


def described(features: Array, classes: NDArray[np.int64] | None = None) -> Described:
    return Described(features, np.zeros(len(features), int) if classes is None else classes)


def covariance(d: int, seed: int) -> Array:
    root = np.random.default_rng(seed).normal(size=(d, d))
    return root @ root.T / d


def test_frechet_distance_of_diagonal_gaussians() -> None:
    # Commuting covariances: |m_a - m_b|^2 + sum (sqrt(a_i) - sqrt(b_i))^2.
    a, b, gap = np.array([1.0, 4.0, 0.0]), np.array([9.0, 4.0, 2.0]), np.array([1.0, -2.0, 0.5])
    value = metrics.frechet_of_moments(np.zeros(3), np.diag(a), gap, np.diag(b))
    assert value == pytest.approx(5.25 + 4.0 + 0.0 + 2.0, rel=1e-12)


def test_frechet_distance_of_general_gaussians() -> None:
    a, b, gap = covariance(7, 0), covariance(7, 1), np.full(7, 0.3)
    cross = np.trace(linalg.sqrtm(a @ b)).real  # the other form of the cross term
    expected = 7 * 0.09 + np.trace(a) + np.trace(b) - 2.0 * cross
    assert metrics.frechet_of_moments(gap, a, np.zeros(7), b) == pytest.approx(expected, rel=1e-9)
    assert metrics.frechet_of_moments(np.zeros(7), b, gap, a) == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_of_samples() -> None:
    generator = np.random.default_rng(0)
    a, b = generator.normal(size=(50, 4)), 2.0 + generator.normal(size=(60, 4))
    assert metrics.frechet_distance(a, a) == pytest.approx(0.0, abs=1e-9)
    # A shift moves the mean alone.
    assert metrics.frechet_distance(a, a + 3.0) == pytest.approx(36.0, rel=1e-9)
    moments = [a.mean(0), np.cov(a.T), b.mean(0), np.cov(b.T)]
    assert metrics.frechet_distance(a, b) == pytest.approx(metrics.frechet_of_moments(*moments))


@pytest.mark.parametrize(("n", "d"), [(2, 5), (20, 64), (50, 64), (65, 64), (300, 64), (10, 1)])
def test_frechet_distance_is_never_negative(n: int, d: int) -> None:
    """Also with fewer samples than features, where the covariances are singular."""
    for seed in range(5):
        a = 10.0 * np.random.default_rng(seed).normal(size=(n, d))
        assert 0.0 <= metrics.frechet_distance(a, a) < 1e-3
        assert 0.0 <= metrics.frechet_distance(a, a[::-1]) < 1e-3


def test_frechet_distance_in_one_dimension() -> None:
    generator = np.random.default_rng(5)
    a, b = generator.normal(size=(50, 1)), 1.0 + 3.0 * generator.normal(size=(60, 1))
    expected = (a.mean() - b.mean()) ** 2 + (a.std(ddof=1) - b.std(ddof=1)) ** 2
    assert metrics.frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_refuses_what_has_no_covariance() -> None:
    a, b = np.zeros((1, 3)), np.zeros((5, 3))
    for pair in ((a, b), (b, a), (b, np.zeros((5, 2))), (b[0], b)):
        with pytest.raises(ValueError, match="n and m at least 2, got"):
            metrics.frechet_distance(*pair)
    with pytest.raises(ValueError, match="features must be finite"):
        metrics.frechet_distance(b, np.full((5, 3), np.nan))


def test_class_total_variation_stays_in_its_range() -> None:
    for n in range(1, 60):
        classes, labels = np.arange(n) % 7, np.array([7, 8, 9])
        value = metrics.class_total_variation(classes, labels)
        assert value <= 1.0
        assert value == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("digits", [[], [10], [-1], [[1]]])
def test_class_total_variation_refuses_what_is_no_digit(digits: list[int]) -> None:
    right = np.array([1, 2])
    with pytest.raises(ValueError, match="classes must be one or more digits"):
        metrics.class_total_variation(np.array(digits, dtype=np.int64), right)
    with pytest.raises(ValueError, match="labels must be one or more digits"):
        metrics.class_total_variation(right, np.array(digits, dtype=np.int64))


def test_distances_do_not_cancel_far_from_the_origin() -> None:
    generator = np.random.default_rng(6)
    a, b = generator.normal(size=(60, 4)), generator.normal(size=(70, 4))
    np.testing.assert_allclose(metrics.distances(a + 1e5, b + 1e5), cdist(a, b), rtol=1e-4)


def test_features_do_not_depend_on_ambient_modes() -> None:
    model = classifier.load(CHECKPOINT)
    images = torch.randn((7, 1, 28, 28), generator=torch.Generator().manual_seed(1))
    expected = metrics.describe(model, images)
    with torch.autocast("cpu", torch.bfloat16):
        features = metrics.describe(model, images).features
    np.testing.assert_array_equal(features, expected.features)
    # Equality is identity: it never compares arrays.
    assert expected != Described(expected.features, expected.classes)


def test_class_total_variation() -> None:
    classes, labels = np.array([0, 0, 1, 9]), np.array([0, 1, 1, 2])
    # frequencies (2, 1, 0, ..., 1) / 4 against (1, 2, 1, ...) / 4
    assert metrics.class_total_variation(classes, labels) == pytest.approx(0.5)
    assert metrics.class_total_variation(labels, labels[[3, 2, 1, 0]]) == 0.0


def test_radii_are_those_of_other_points() -> None:
    points = np.array([[0.0], [1.0], [3.0], [7.0]])
    between = metrics.distances(points, points)
    assert metrics.neighbour_radii(between, 1).tolist() == pytest.approx([1, 1, 2, 4])
    assert metrics.neighbour_radii(between, 3).tolist() == pytest.approx([7, 6, 4, 7])
    with pytest.raises(ValueError, match="no 4-th nearest"):
        metrics.neighbour_radii(between, 4)


def test_precision_and_recall_by_the_definition() -> None:
    generator = np.random.default_rng(1)
    real, made = generator.normal(size=(50, 3)), generator.normal(size=(40, 3)) * 1.5 + 0.5

    def covered(points: Array, centres: Array) -> float:
        radii = [sorted(math.dist(c, other) for other in centres)[3] for c in centres]
        balls = list(zip(centres, radii, strict=True))
        return float(np.mean([any(math.dist(p, c) <= r for c, r in balls) for p in points]))

    measured = Reference(described(real), np.zeros(50, int)).measure(described(made))
    assert measured["precision"].value == pytest.approx(covered(made, real))
    assert measured["recall"].value == pytest.approx(covered(real, made))
    assert 0.3 < measured["recall"].value < measured["precision"].value + 0.5


def test_precision_and_recall_tell_quality_from_coverage() -> None:
    generator = np.random.default_rng(2)
    real = generator.normal(size=(400, 5))
    reference = Reference(described(real), np.zeros(400, int))
    narrow = reference.measure(described(0.2 * generator.normal(size=(400, 5))))
    wide = reference.measure(described(4.0 * generator.normal(size=(400, 5))))
    assert narrow["precision"].value > 0.95
    assert narrow["recall"].value < 0.3
    assert wide["precision"].value < 0.3
    assert wide["recall"].value > 0.5


def test_jackknife_of_a_mean_is_its_standard_error() -> None:
    # Groups of one: the jackknife of a mean is the textbook formula, exactly.
    values = np.random.default_rng(3).normal(size=20)
    estimate = metrics.jackknife(lambda kept: float(values[kept].mean()), 20, groups=10)
    single = values.reshape(2, 10).mean(axis=0)
    assert estimate.value == pytest.approx(values.mean())
    assert estimate.standard_error == pytest.approx(single.std(ddof=1) / math.sqrt(10))
    with pytest.raises(ValueError, match="too few"):
        metrics.jackknife(lambda kept: 0.0, 19, groups=10)


def test_standard_error_of_the_frechet_distance() -> None:
    # Well above the floor the jackknife must give the spread over independent sets. 60 sets: the
    # standard deviation has a relative standard error of 9 %, the jackknife's mean (20 groups, 20
    # sets) one of about 4 %: together 10 %, 5 sigma.
    generator = np.random.default_rng(4)
    reference = generator.normal(size=(4000, 3))
    sets = [1.0 + generator.normal(size=(200, 3)) for _ in range(60)]
    spread = np.std([metrics.frechet_distance(features, reference) for features in sets], ddof=1)

    def error(features: Array) -> float:
        def distance(kept: NDArray[np.bool_]) -> float:
            return metrics.frechet_distance(features[kept], reference)

        return metrics.jackknife(distance, len(features)).standard_error

    errors = [error(features) for features in sets[:20]]
    assert np.mean(errors) == pytest.approx(spread, rel=0.5)


def test_classifier_learns_and_round_trips(tmp_path: Path) -> None:
    # Ten kinds of bars: after a few steps they must be told apart.
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(10, (300,), generator=generator)
    images = -torch.ones((300, 1, 28, 28))
    for image, label in zip(images, labels.tolist(), strict=True):
        image[0, :, 2 * label + 3 : 2 * label + 6] = 1.0
    images += 0.3 * torch.randn(images.shape, generator=generator)
    digits = Labelled(images, labels)
    model = classifier.train(digits, epochs=2, batch=20)
    assert classifier.accuracy(model, digits) > 0.95
    again = classifier.train(digits, epochs=2, batch=20)
    assert torch.equal(again.head.weight, model.head.weight)
    classifier.save(model, tmp_path / "c.safetensors", {})
    loaded = classifier.load(tmp_path / "c.safetensors")
    features, logits = loaded(images[:5])
    assert features.shape == (5, classifier.DIMENSION)
    assert logits.shape == (5, 10)
    assert torch.equal(features, model(images[:5])[0])


def test_other_safetensors_are_refused(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="no classifier"):
        classifier.load(tmp_path / "other.safetensors")


def test_images_are_described_in_chunks_and_clamped() -> None:
    model = classifier.load(CHECKPOINT)
    images = 2.0 * torch.randn((7, 1, 28, 28), generator=torch.Generator().manual_seed(1))
    whole = metrics.describe(model, images)
    parts = metrics.describe(model, images.clamp(-1.0, 1.0), chunk=3)
    assert whole.features.dtype == np.float64
    np.testing.assert_allclose(whole.features, parts.features, atol=1e-4)
    np.testing.assert_array_equal(whole.classes, model(images.clamp(-1, 1))[1].argmax(1).numpy())
