"""The image metrics against closed forms, and the classifiers whose features they use."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file
from scipy import linalg, stats
from scipy.spatial.distance import cdist

from experiments.images import classifier, metrics
from experiments.images.data import Labelled
from experiments.images.metrics import Described, Reference
from experiments.workflow import results
from rtk.metrics import Estimate

CHECKPOINTS = Path(classifier.__file__).parent / "checkpoint"
CHECKPOINT = CHECKPOINTS / "mnist" / "classifier.safetensors"
Array = NDArray[np.float64]


def described(features: Array, classes: NDArray[np.int64] | None = None) -> Described:
    """Images with these features, and with four black pixels each."""
    pixels = np.full((len(features), 4), -1.0, dtype=np.float32)
    classes = np.zeros(len(features), int) if classes is None else classes
    return Described(features, classes, np.zeros(len(features)), pixels)


def black(pixels: NDArray[np.float32]) -> Described:
    """Images with these pixels, and with the same features."""
    nothing = np.zeros(len(pixels))
    return Described(np.zeros((len(pixels), 2)), nothing.astype(int), nothing, pixels)


def reference_of(test: Described, labels: NDArray[np.int64]) -> Reference:
    """The reference of these test images, which are the training images too."""
    return Reference.of(test, labels, test.features)


def covariance(d: int, seed: int) -> Array:
    root = np.random.default_rng(seed).normal(size=(d, d))
    return root @ root.T / d


def test_frechet_distance_of_diagonal_gaussians() -> None:
    # Commuting covariances: |m_a - m_b|^2 + sum (sqrt(a_i) - sqrt(b_i))^2.
    a, b, gap = np.array([1.0, 4.0, 0.0]), np.array([9.0, 4.0, 2.0]), np.array([1.0, -2.0, 0.5])
    value = metrics.frechet_distance((np.zeros(3), np.diag(a)), (gap, np.diag(b)))
    assert value == pytest.approx(5.25 + 4.0 + 0.0 + 2.0, rel=1e-12)


def test_frechet_distance_of_general_gaussians() -> None:
    a, b, gap = covariance(7, 0), covariance(7, 1), np.full(7, 0.3)
    cross = np.trace(linalg.sqrtm(a @ b)).real  # the other form of the cross term
    expected = 7 * 0.09 + np.trace(a) + np.trace(b) - 2.0 * cross
    assert metrics.frechet_distance((gap, a), (np.zeros(7), b)) == pytest.approx(expected, rel=1e-9)
    assert metrics.frechet_distance((np.zeros(7), b), (gap, a)) == pytest.approx(expected, rel=1e-9)


def between(a: metrics.Array, b: metrics.Array) -> float:
    """The Fréchet distance of two sets of features."""
    return metrics.frechet_distance(metrics.moments(a), metrics.moments(b))


def test_frechet_distance_of_samples() -> None:
    generator = np.random.default_rng(0)
    a, b = generator.normal(size=(50, 4)), 2.0 + generator.normal(size=(60, 4))
    assert between(a, a) == pytest.approx(0.0, abs=1e-9)
    # A shift moves the mean alone.
    assert between(a, a + 3.0) == pytest.approx(36.0, rel=1e-9)
    expected = metrics.frechet_distance((a.mean(0), np.cov(a.T)), (b.mean(0), np.cov(b.T)))
    assert between(a, b) == pytest.approx(expected)


@pytest.mark.parametrize(("n", "d"), [(2, 5), (20, 64), (50, 64), (65, 64), (300, 64), (10, 1)])
def test_frechet_distance_is_never_negative(n: int, d: int) -> None:
    """Also with fewer samples than features, where the covariances are singular."""
    for seed in range(5):
        a = 10.0 * np.random.default_rng(seed).normal(size=(n, d))
        assert 0.0 <= between(a, a) < 1e-3
        assert 0.0 <= between(a, a[::-1]) < 1e-3


def test_frechet_distance_in_one_dimension() -> None:
    generator = np.random.default_rng(5)
    a, b = generator.normal(size=(50, 1)), 1.0 + 3.0 * generator.normal(size=(60, 1))
    expected = (a.mean() - b.mean()) ** 2 + (a.std(ddof=1) - b.std(ddof=1)) ** 2
    assert between(a, b) == pytest.approx(expected, rel=1e-9)


def test_moments_are_refused_to_what_has_no_covariance() -> None:
    for features in (np.zeros((1, 3)), np.zeros((5, 3))[0]):
        with pytest.raises(ValueError, match="n at least 2, got"):
            metrics.moments(features)
    with pytest.raises(ValueError, match="features must be finite"):
        metrics.moments(np.full((5, 3), np.nan))


def test_class_total_variation_stays_in_its_range() -> None:
    for n in range(1, 60):
        classes, labels = np.arange(n) % 7, np.array([7, 8, 9])
        value = metrics.class_total_variation(classes, labels)
        assert value <= 1.0
        assert value == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("classes", [[], [-1], [3, -2], [[1]]])
def test_class_total_variation_refuses_what_is_no_class(classes: list[int]) -> None:
    right = np.array([1, 2])
    with pytest.raises(ValueError, match="classes must be integers from 0 on"):
        metrics.class_total_variation(np.array(classes, dtype=np.int64), right)
    with pytest.raises(ValueError, match="labels must be integers from 0 on"):
        metrics.class_total_variation(right, np.array(classes, dtype=np.int64))


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
    assert expected != Described(**vars(expected))


def kernel_distance(features: Array, reference: Array) -> Estimate:
    labels = np.zeros(len(reference), int)
    return reference_of(described(reference), labels).measure(described(features))[
        "kernel_distance"
    ]


def test_kernel_distance_by_the_definition() -> None:
    """Loops over all pairs of different images, for all 41 of them and without one group of 20."""
    generator = np.random.default_rng(7)
    made, real = generator.normal(size=(41, 3)), 0.5 + generator.normal(size=(50, 3))

    def k(x: Array, y: Array) -> float:
        return float((sum(a * b for a, b in zip(x, y, strict=True)) / 3.0 + 1.0) ** 3)

    def within(points: Array) -> float:
        pairs = [(i, j) for i in range(len(points)) for j in range(len(points)) if i != j]
        return sum(k(points[i], points[j]) for i, j in pairs) / len(pairs)

    def expected(points: Array) -> float:
        across = sum(k(x, y) for x in points for y in real) / (len(points) * len(real))
        return within(points) + within(real) - 2.0 * across

    measured = kernel_distance(made, real)
    assert measured.value == pytest.approx(expected(made), rel=1e-10)
    left_out = np.array([expected(made[np.arange(41) % 20 != j]) for j in range(20)])
    error = math.sqrt(19 / 20 * np.square(left_out - left_out.mean()).sum())
    assert measured.standard_error == pytest.approx(error, rel=1e-8)


def test_kernel_distance_of_gaussians_on_the_line() -> None:
    """For d = 1 it is ``3 (m - m')^2 + 3 (m2 - m2')^2 + (m3 - m3')^2`` of the raw moments.

    The means over 100 pairs of 50 and 60 points: of N(0, 1) and N(0.5, 1), and of N(0, 1) twice,
    where the distance is 0. They must come to within 5 standard errors; the estimate would be off
    by many if it counted the pairs of a point with itself, of which E k = 1 + 3 + 3 * 3 + 15.
    """
    generator = np.random.default_rng(8)
    for mean in (0.5, 0.0):
        pairs = [
            (generator.normal(size=(50, 1)), generator.normal(mean, size=(60, 1)))
            for _ in range(100)
        ]
        values = np.array([kernel_distance(*pair).value for pair in pairs])
        expected = 3 * mean**2 + 3 * (mean**2) ** 2 + (mean**3 + 3 * mean) ** 2
        error = values.std(ddof=1) / math.sqrt(len(values))
        assert abs(values.mean() - expected) < 5 * error
        assert error < 0.6


def test_standard_error_of_the_kernel_distance() -> None:
    """Off its floor, as for the Fréchet distance: 60 sets of 200, 5 sigma of 10 %."""
    generator = np.random.default_rng(9)
    reference = generator.normal(size=(1000, 3))
    sets = [1.0 + generator.normal(size=(200, 3)) for _ in range(60)]
    measured = [kernel_distance(features, reference) for features in sets]
    spread = np.std([each.value for each in measured], ddof=1)
    assert np.mean([each.standard_error for each in measured]) == pytest.approx(spread, rel=0.5)


def test_background_is_dark_in_nearly_all_images() -> None:
    pixels = np.full((200, 4), -1.0, dtype=np.float32)
    pixels[:2, 1] = 0.5  # bright in 1 % of the images
    pixels[:3, 2] = 0.5  # and in more
    pixels[:, 3] = -0.94
    assert metrics.background(pixels).tolist() == [True, True, False, False]
    assert metrics.background(pixels[:, 2:]).tolist() == [False, False]


def test_images_without_a_background_have_no_noise_of_it() -> None:
    """The other metrics are the same as with one."""
    generator = np.random.default_rng(14)
    made, real = (described(generator.normal(size=(60, 3))) for _ in range(2))
    bright = replace(real, pixels=np.ones_like(real.pixels))
    labels = np.zeros(60, int)
    with_background = reference_of(real, labels).measure(made)
    assert with_background.pop("background_noise") == Estimate(0.0, 0.0)
    assert reference_of(bright, labels).measure(made) == with_background
    assert set(with_background) == {
        "frechet_distance",
        "kernel_distance",
        "class_total_variation",
        "class_entropy",
        "copying",
        "precision",
        "recall",
    }


def test_background_noise_is_the_noise_that_was_added() -> None:
    """500 images with noise of 0.03 on 100 black pixels, of which 40 do not count.

    The mean square of 60 pixels has a median of 1 - 2 / (9 * 60) cubed, to the variance, by Wilson
    and Hilferty; its root has a standard error of 0.03 sqrt(pi / 2) / sqrt(120 * 500): 5 sigma.
    """
    generator = np.random.default_rng(10)
    test = np.full((500, 100), -1.0, dtype=np.float32)
    test[:, 60:] = 1.0
    reference = reference_of(black(test), np.zeros(500, int))
    assert reference.measure(black(test))["background_noise"] == Estimate(0.0, 0.0)
    noisy = test + 0.03 * generator.normal(size=test.shape).astype(np.float32)
    noisy[:20, :10] = 1.0  # some objects that reach into the background do not count
    noise = reference.measure(black(noisy))["background_noise"]
    expected = 0.03 * (1.0 - 2.0 / (9.0 * 60.0)) ** 1.5
    deviation = 0.03 * math.sqrt(math.pi / 2.0 / (120.0 * 500.0))
    # Of 500 images 20 are above, so the median is the quantile 250 / 480 of the others.
    quantile = 0.03 / math.sqrt(120.0) * stats.norm.ppf(250.0 / 480.0)
    assert abs(noise.value - expected - quantile) < 5.0 * deviation


def test_standard_error_of_the_background_noise() -> None:
    """The jackknife over groups of 25 against the spread of 60 sets: 5 sigma of 10 %.

    Of a median the jackknife over small groups would be wrong, however many images there are.
    """
    generator = np.random.default_rng(11)
    reference = reference_of(black(np.full((500, 60), -1.0, dtype=np.float32)), np.zeros(500, int))
    measured = [
        reference.measure(black((0.03 * generator.normal(size=(500, 60)) - 1).astype(np.float32)))[
            "background_noise"
        ]
        for _ in range(60)
    ]
    spread = np.std([each.value for each in measured], ddof=1)
    assert np.mean([each.standard_error for each in measured]) == pytest.approx(spread, rel=0.5)


def test_frechet_distance_is_taken_to_all_test_images() -> None:
    generator = np.random.default_rng(12)
    made, real = generator.normal(size=(60, 3)), 0.5 + 2.0 * generator.normal(size=(50, 3))
    measured = reference_of(described(real), np.zeros(50, int)).measure(described(made))
    assert measured["frechet_distance"].value == pytest.approx(between(made, real))


def test_a_reference_that_was_written_measures_the_same(tmp_path: Path) -> None:
    generator = np.random.default_rng(13)
    made, real = (described(generator.normal(size=(60, 3))) for _ in range(2))
    written = reference_of(real, np.arange(60) % 10)
    path = tmp_path / "reference.npz"
    results.write_arrays(vars(written), path, config={}, seed=None, started=0.0)
    assert Reference.load(path).measure(made) == written.measure(made)


def test_class_total_variation() -> None:
    classes, labels = np.array([0, 0, 1, 9]), np.array([0, 1, 1, 2])
    # frequencies (2, 1, 0, ..., 1) / 4 against (1, 2, 1, ...) / 4
    assert metrics.class_total_variation(classes, labels) == pytest.approx(0.5)
    assert metrics.class_total_variation(labels, labels[[3, 2, 1, 0]]) == 0.0


def test_classes_may_be_many() -> None:
    """The largest may be on either side."""
    classes, labels = np.array([0, 999]), np.array([999, 500])
    assert metrics.class_total_variation(classes, labels) == pytest.approx(0.5)
    assert metrics.class_total_variation(labels, classes) == pytest.approx(0.5)
    assert metrics.class_total_variation(np.array([12]), np.array([3])) == 1.0
    assert metrics.class_total_variation(np.array([3]), np.array([12])) == 1.0


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

    measured = reference_of(described(real), np.zeros(50, int)).measure(described(made))
    assert measured["precision"].value == pytest.approx(covered(made, real))
    assert measured["recall"].value == pytest.approx(covered(real, made))
    assert 0.3 < measured["recall"].value < measured["precision"].value + 0.5


def test_precision_and_recall_tell_quality_from_coverage() -> None:
    generator = np.random.default_rng(2)
    real = generator.normal(size=(400, 5))
    reference = reference_of(described(real), np.zeros(400, int))
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
    spread = np.std([between(features, reference) for features in sets], ddof=1)

    def error(features: Array) -> float:
        def distance(kept: NDArray[np.bool_]) -> float:
            return between(features[kept], reference)

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
    classifier.save(model, tmp_path / "c.safetensors", "bars", {})
    loaded = classifier.load(tmp_path / "c.safetensors")
    features, logits = loaded(images[:5])
    assert features.shape == (5, classifier.DIMENSION)
    assert logits.shape == (5, 10)
    # Another memory format has another order of summation.
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    assert torch.equal(features, model(images[:5])[0])


def test_classifier_of_colours_learns_and_round_trips(tmp_path: Path) -> None:
    """Four kinds of 16x16 pixels: red, green, blue, and black with noise."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(4, (300,), generator=generator)
    images = -torch.ones((300, 4, 16, 16))
    images[torch.arange(300), labels] = 1.0
    images = images[:, :3] + 0.3 * torch.randn((300, 3, 16, 16), generator=generator)
    model = classifier.train(Labelled(images, labels), epochs=2, batch=20, width=4)
    assert model.architecture == classifier.Architecture(3, 16, 4, 4)
    assert len(model.state_dict()["body.0.0.weight"]) == 4
    assert classifier.accuracy(model, Labelled(images, labels)) > 0.95
    classifier.save(model, tmp_path / "c.safetensors", "colours", {"epochs": 2})
    with safe_open(tmp_path / "c.safetensors", framework="pt") as file:
        assert file.metadata()["features"] == "RTK-colours-CNN features"
        assert file.metadata()["record"] == '{"epochs": 2}'
    loaded = classifier.load(tmp_path / "c.safetensors")
    assert loaded.architecture == model.architecture
    features, logits = loaded(images[:5])
    assert features.shape == (5, classifier.DIMENSION)
    assert logits.shape == (5, 4)
    for mine, its in zip((features, logits), model(images[:5]), strict=True):
        torch.testing.assert_close(mine, its, rtol=1e-4, atol=1e-4)
    assert metrics.describe(loaded, images[:5]).pixels.shape == (5, 768)


@pytest.mark.parametrize(
    ("name", "title"), [("mnist", "MNIST"), ("fashion_mnist", "Fashion-MNIST")]
)
def test_shipped_classifiers_name_their_features(name: str, title: str) -> None:
    path = CHECKPOINTS / name / "classifier.safetensors"
    with safe_open(path, framework="pt") as file:
        assert file.metadata()["features"] == f"RTK-{title}-CNN features"
    features, logits = classifier.load(path)(torch.zeros((2, 1, 28, 28)))
    assert (features.shape, logits.shape) == ((2, classifier.DIMENSION), (2, 10))


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
    np.testing.assert_array_equal(whole.pixels, images.reshape(7, 784).numpy())
    np.testing.assert_allclose(whole.features, parts.features, atol=1e-4)
    np.testing.assert_array_equal(whole.classes, model(images.clamp(-1, 1))[1].argmax(1).numpy())


def test_copying_tells_copies_from_new_images() -> None:
    """4000 training and test images of one law. New images have one half: 5 sigma of the ranks.

    The variance of the Mann-Whitney statistic of n and m values is (n + m + 1) / (12 n m).
    """
    generator = np.random.default_rng(20)
    training, test, new = (generator.normal(size=(n, 5)) for n in (4000, 4000, 1000))
    reference = Reference.of(described(test), np.zeros(4000, int), training)

    def copied(features: Array) -> float:
        return reference.measure(described(features))["copying"].value

    deviation = math.sqrt(5001 / (12 * 1000 * 4000))
    assert abs(copied(new) - 0.5) < 5 * deviation
    assert copied(training[:1000]) == 1.0
    assert copied(test[:1000]) == pytest.approx(0.5, abs=5 * deviation)
    half = np.concatenate([training[:500], new[:500]])
    assert copied(half) == pytest.approx(0.75, abs=5 * deviation)
    assert copied(new + 10.0) < 0.01


def test_copying_counts_ties_as_halves() -> None:
    assert metrics.copying(np.array([1.0]), np.array([0.0, 1.0, 1.0, 2.0])) == 0.5
    assert metrics.copying(np.array([0.0, 3.0]), np.array([1.0, 2.0])) == 0.5
    assert metrics.copying(np.array([0.5, 1.5]), np.array([1.0, 2.0])) == 0.75


def test_training_images_are_taken_apart() -> None:
    """Copies are looked for among a sixth of them, and the floor is made of the others."""
    some, others = metrics.apart(torch.arange(60))
    assert some.tolist() == [*range(10)]
    assert others.tolist() == [*range(10, 60)]


def test_entropy_of_the_class() -> None:
    """Logits of a classifier that is certain, and of one that sees two classes alike."""

    def seen(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        logits = torch.full((len(images), 10), -100.0)
        logits[:, 3] = 0.0
        logits[images[:, 0, 0, 0] > 0, 7] = 0.0
        return torch.zeros(len(images), 2), logits

    images = torch.zeros(4, 1, 8, 8)
    images[1] = 1.0
    entropies = metrics.describe(seen, images).entropies  # type: ignore[arg-type]
    assert entropies == pytest.approx([0.0, math.log(2.0), 0.0, 0.0], abs=1e-12)
