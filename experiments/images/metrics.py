"""How close a set of images is to the test images: in the features of a classifier, and in noise.

Every metric compares n images with the same reference and comes with its standard error over the
n images, by the jackknife over groups of them. With perfect samples it is not zero but at its
floor, which is the same metric for n training images. Only the kernel distance and the background
noise have a floor of zero, and that of copying is one half.

Sources: Dowson and Landau, *The Fréchet distance between multivariate normal distributions*, 1982;
Heusel et al., *GANs trained by a two time-scale update rule*, NeurIPS 2017 (the distance in
features; in theirs it is called FID, which ours is not); Bińkowski et al., *Demystifying MMD GANs*,
ICLR 2018, arXiv 1801.01401 (the kernel distance; in theirs it is called KID); Kynkäänniemi et al.,
*Improved precision and recall metric for assessing generative models*, NeurIPS 2019; Meehan,
Chaudhuri, Dasgupta, *A non-parametric test to detect data-copying in generative models*, AISTATS
2020; Efron, *The Jackknife, the Bootstrap and Other Resampling Plans*, 1982; Shao and Wu, *A
general theory for jackknife variance estimation*, Annals of Statistics 1989.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import linalg
from torch import Tensor

from experiments.images.classifier import Classifier
from experiments.workflow.results import read_arrays
from rtk.metrics import Estimate

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

NEIGHBOURS = 3
"""The k of precision and recall, as in Kynkäänniemi et al."""
GROUPS = 20
"""Groups of the jackknife."""
DARK = -0.95
"""Pixels below this are dark; the range of pixels is [-1, 1]."""
BACKGROUND_SHARE = 0.99
"""Share of the test images in which a pixel of the background is dark."""


@dataclass(frozen=True, eq=False)
class Described:
    """Images, and what the classifier sees in them.

    Attributes:
        features: float64, shape (n, d).
        classes: the most likely classes, shape (n,).
        entropies: of the probabilities of the classes, in nats, shape (n,).
        pixels: float32, shape (n, pixels), not clamped.
    """

    features: Array
    classes: NDArray[np.int64]
    entropies: Array
    pixels: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.features)


@torch.no_grad()
def describe(classifier: Classifier, images: Tensor, chunk: int = 500) -> Described:
    """What the classifier sees in images (n, *image shape), and their pixels.

    For the classifier they are clamped to the range of pixels, [-1, 1]. It computes in float32 on
    ``chunk`` images at a time, under `torch.autocast` too.
    """
    with torch.autocast(images.device.type, enabled=False):
        parts = [classifier(part.clamp(-1.0, 1.0).float()) for part in images.split(chunk)]
    features = torch.cat([features for features, _ in parts]).double().cpu().numpy()
    logits = torch.cat([logits for _, logits in parts]).double().cpu()
    entropies = torch.special.entr(logits.softmax(dim=1)).sum(dim=1).numpy()
    pixels = images.flatten(1).float().cpu().numpy()
    return Described(features, logits.argmax(dim=1).numpy(), entropies, pixels)


def jackknife(metric: Callable[[Mask], float], n: int, groups: int = GROUPS) -> Estimate:
    """A metric of n images with its standard error, which leaves out one group at a time.

    With ``theta_j`` the metric without group j of g::

        SE^2 = (g - 1) / g sum_j (theta_j - mean)^2

    At its floor the Fréchet distance is quadratic in the deviation, and this overstates its
    standard deviation by about sqrt(2). Source: Efron 1982.

    Args:
        metric: the metric as a function of the mask (n,) of the images that count.
        n: the number of images, at least ``2 * groups``.
        groups: the number g of groups.

    Raises:
        ValueError: for too few images.
    """
    if n < 2 * groups:
        raise ValueError(f"{n} images are too few for {groups} groups of the jackknife")
    group = np.arange(n) % groups
    left_out = np.array([metric(group != j) for j in range(groups)])
    variance = (groups - 1) / groups * np.square(left_out - left_out.mean()).sum()
    return Estimate(metric(np.ones(n, dtype=bool)), float(np.sqrt(variance)))


def moments(features: Array) -> tuple[Array, Array]:
    """Mean (d,) and covariance (d, d) of features (n, d).

    Raises:
        ValueError: for fewer than two rows, as one point has no covariance, another shape, or
            features that are not finite.
    """
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(
            f"expected features of shape (n, d) with n at least 2, got {features.shape}"
        )
    if not np.isfinite(features).all():
        raise ValueError("features must be finite")
    return features.mean(axis=0), np.atleast_2d(np.cov(features, rowvar=False))


def frechet_distance(a: tuple[Array, Array], b: tuple[Array, Array]) -> float:
    """The squared 2-Wasserstein distance of two Gaussians, never negative.

    It is ``|m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a^1/2 C_b C_a^1/2)^1/2)`` (Dowson and Landau 1982).

    Args:
        a, b: their `moments`; covariances may be singular.
    """
    (mean_a, cov_a), (mean_b, cov_b) = a, b
    values, vectors = linalg.eigh(cov_a)
    root = vectors * np.sqrt(values.clip(min=0.0)) @ vectors.T
    cross = np.sqrt(linalg.eigvalsh(root @ cov_b @ root).clip(min=0.0)).sum()
    gap = np.square(mean_a - mean_b).sum()
    # Roots of eigenvalues that should be 0 are rounding errors, and can make the sum negative.
    return max(float(gap + np.trace(cov_a) + np.trace(cov_b) - 2.0 * cross), 0.0)


def parts(features: Array, size: int = 250) -> list[Array]:
    """The rows in parts of at most ``size``, whose pairs with all rows fit into a cache."""
    return np.array_split(features, -(-len(features) // size))


def polynomial_kernel(a: Array, b: Array) -> Array:
    """``k(x, y) = (x . y / d + 1)^3`` of the rows of ``a`` (n, d) and ``b`` (m, d), shape (n, m).

    Its maximum mean discrepancy compares all moments up to the third (Bińkowski et al. 2018).
    """
    product = a @ b.T / a.shape[1] + 1.0
    return np.asarray(product * product * product)


def mean_of_pairs(kernel: Array, weights: Array) -> float:
    """The mean of a kernel (n, n) over the pairs of two different points of those with weight 1.

    Args:
        kernel: its values for all pairs.
        weights: 1 for the points that count and 0 for the others, shape (n,).
    """
    n = weights.sum()
    return float((weights @ kernel @ weights - weights @ kernel.diagonal()) / (n * (n - 1.0)))


def class_total_variation(classes: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    """Total variation of the frequencies of the classes, ``(1/2) sum_c |p_c - q_c|``, in [0, 1].

    Args:
        classes, labels: integers from 0 on, shapes (n,) and (m,).

    Raises:
        ValueError: for no classes, or numbers that are none.
    """
    for name, each in (("classes", classes), ("labels", labels)):
        if each.ndim != 1 or not len(each) or each.min() < 0:
            raise ValueError(f"{name} must be integers from 0 on, shape (n,), got {each}")
    most = 1 + max(classes.max(), labels.max())
    p = np.bincount(classes, minlength=most) / len(classes)
    q = np.bincount(labels, minlength=most) / len(labels)
    return min(float(0.5 * np.abs(p - q).sum()), 1.0)


def distances(a: Array, b: Array) -> Tensor:
    """Distances of the rows of ``a`` (n, d) from those of ``b`` (m, d): float32, (n, m)."""
    # Squares are expanded in single precision, so both are taken relative to a point among them.
    centre = b.mean(axis=0)
    return torch.cdist(torch.from_numpy(a - centre).float(), torch.from_numpy(b - centre).float())


def neighbour_radii(between: Tensor, k: int = NEIGHBOURS) -> Tensor:
    """Distance of each point to its k-th nearest other point, shape (n,).

    Args:
        between: distances of n of the points from all m of them, shape (n, m); the distance of a
            point from itself, which is 0, is among them.
        k: the number of the neighbour, below m.

    Raises:
        ValueError: for too few points.
    """
    if between.shape[1] <= k:
        raise ValueError(f"{between.shape[1]} points have no {k}-th nearest other point")
    # The point itself is the nearest of all, so the k-th other point is the next after k.
    return between.topk(k + 1, dim=1, largest=False).values[:, k]


def apart(training: Tensor) -> tuple[Tensor, Tensor]:
    """The training images with which copies are looked for, a sixth of all, and the others."""
    return training[: len(training) // 6], training[len(training) // 6 :]


def to_nearest(a: Array, b: Array) -> Array:
    """Distance of each row of ``a`` (n, d) to the nearest row of ``b`` (m, d), shape (n,)."""
    return torch.cat([distances(part, b).min(dim=1).values for part in parts(a)]).numpy()


def copying(to_training: Array, of_test: Array) -> float:
    """How often an image is nearer to the training images than a test image is, in [0, 1].

    It is the Mann-Whitney statistic of the distances to the nearest training image (Meehan et al.
    2020): one half for images that are as new as the test images, and 1 for copies.

    Args:
        to_training: distances of images to their nearest training image, shape (n,).
        of_test: those of the test images, in ascending order, shape (m,).
    """
    sides = [np.searchsorted(of_test, to_training, side) for side in ("left", "right")]
    return float(1.0 - np.mean(sides) / len(of_test))


def background(pixels: NDArray[np.float32]) -> Mask:
    """The pixels that are dark in at least 99 % of the images, a mask of shape (pixels,).

    There are none in data sets such as CIFAR-10.

    Args:
        pixels: of the images, shape (n, pixels).
    """
    return np.asarray((pixels < DARK).mean(axis=0) >= BACKGROUND_SHARE)


def noise_of_images(pixels: NDArray[np.float32], mask: Mask) -> Array:
    """Root mean square of the deviations from -1, over the background of each image, shape (n,).

    Noise of standard deviation s that a sampler leaves on a black background gives s. Pixels are
    not clamped, which would hide one half of it.
    """
    deviation = pixels[:, mask].astype(np.float64) + 1.0
    return np.asarray(np.sqrt(np.square(deviation).mean(axis=1)))


@dataclass(frozen=True, eq=False)
class Reference:
    """The test images, against which everything is measured; `Reference.of` describes them.

    Attributes:
        features: of the test images, shape (m, d).
        labels: their true classes, shape (m,).
        radii: distance of each from its k-th nearest other one, float32, shape (m,).
        kernel_mean: mean of the `polynomial_kernel` over pairs of two different ones, shape ().
        training: features of some training images, shape (k, d).
        to_training: distances of the test images to the nearest of these, ascending, shape (m,).
        background: the mask of `background`, shape (pixels,).
    """

    features: Array
    labels: NDArray[np.int64]
    radii: NDArray[np.float32]
    kernel_mean: Array
    training: Array
    to_training: Array
    background: Mask

    @classmethod
    def of(cls, images: Described, labels: NDArray[np.int64], training: Array) -> "Reference":
        """The reference of the test images, their true classes and features of training images."""
        features, m = images.features, len(images)
        radii = torch.cat([neighbour_radii(distances(p, features)) for p in parts(features)])
        total = sum(polynomial_kernel(p, features).sum() for p in parts(features))
        diagonal = (np.square(features).mean(axis=1) + 1.0) ** 3
        kernel_mean = np.asarray((total - diagonal.sum()) / (m * (m - 1)))
        return cls(
            features,
            labels,
            radii.numpy(),
            kernel_mean,
            training,
            np.sort(to_nearest(features, training)),
            background(images.pixels),
        )

    @classmethod
    def load(cls, path: str | Path) -> "Reference":
        """The reference in a file that the rule `images_reference` wrote."""
        return cls(**read_arrays(path))

    def measure(self, images: Described) -> dict[str, Estimate]:
        """All metrics of a set of n images by name; it takes memory O(n (n + 10000)).

        They are the Fréchet distance and the kernel distance of the features, the total variation
        of the classes and the mean entropy of an image's class, precision, recall, how far the
        images are `copying`, and, if the test images have a background, its noise.

        The kernel distance is the unbiased estimate of the squared maximum mean discrepancy for
        the `polynomial_kernel` (Bińkowski et al. 2018), with x_i the images and y_j the test
        images::

            mean_{i != j} k(x_i, x_j) + mean_{i != j} k(y_i, y_j) - 2 mean_{ij} k(x_i, y_j)

        Its mean over perfect samples is zero, so it may be negative.

        Precision is the share of the images that lie within the k-nearest-neighbour balls of the
        test images; recall is the share of the test images that lie within those of the images
        (Kynkäänniemi et al. 2019).

        The background noise is the median over the images of `noise_of_images`. A mean would be
        that of the few images whose object reaches into the background. The jackknife of a median
        needs groups of many more than sqrt(n) images (Shao and Wu 1989); here they have n / 20.

        Raises:
            ValueError: for fewer than 40 images.
        """
        to_test = distances(images.features, self.features)
        between = distances(images.features, images.features)
        is_inside = (to_test <= torch.from_numpy(self.radii)).any(dim=1).numpy()

        def recall(kept: Mask) -> float:
            mask = torch.from_numpy(kept)
            radii = neighbour_radii(between[mask][:, mask])[:, None]
            return float((to_test[mask] <= radii).any(dim=0).double().mean())

        kernel = polynomial_kernel(images.features, images.features)
        across = np.concatenate(
            [polynomial_kernel(p, self.features).mean(axis=1) for p in parts(images.features)]
        )

        def kernel_distance(kept: Mask) -> float:
            within = mean_of_pairs(kernel, kept.astype(np.float64))
            return within + float(self.kernel_mean) - 2.0 * float(across[kept].mean())

        of_test = moments(self.features)
        to_training = to_nearest(images.features, self.training)
        metrics: dict[str, Callable[[Mask], float]] = {
            "frechet_distance": lambda kept: frechet_distance(
                moments(images.features[kept]), of_test
            ),
            "kernel_distance": kernel_distance,
            "class_total_variation": lambda kept: class_total_variation(
                images.classes[kept], self.labels
            ),
            "class_entropy": lambda kept: float(images.entropies[kept].mean()),
            "copying": lambda kept: copying(to_training[kept], self.to_training),
            "precision": lambda kept: float(is_inside[kept].mean()),
            "recall": recall,
        }
        if self.background.any():
            noise = noise_of_images(images.pixels, self.background)
            metrics["background_noise"] = lambda kept: float(np.median(noise[kept]))
        return {name: jackknife(metric, len(images)) for name, metric in metrics.items()}
