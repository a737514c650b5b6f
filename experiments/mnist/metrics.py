"""How close a set of images is to the test images, in the features of a classifier.

Every metric compares n images with the same reference and comes with its standard error over the
n images, by the jackknife over groups of them. What remains with perfect samples is its floor:
the same metric for n training images.

Sources: Dowson and Landau, *The Fréchet distance between multivariate normal distributions*, 1982;
Heusel et al., *GANs trained by a two time-scale update rule*, NeurIPS 2017 (the distance in
features; in theirs it is called FID, which ours is not); Kynkäänniemi et al., *Improved precision
and recall metric for assessing generative models*, NeurIPS 2019; Efron, *The Jackknife, the
Bootstrap and Other Resampling Plans*, 1982.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import linalg
from torch import Tensor

from experiments.mnist.classifier import Classifier
from rtk.metrics import Estimate

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

NEIGHBOURS = 3
"""The k of precision and recall, as in Kynkäänniemi et al."""
GROUPS = 20
"""Groups of the jackknife."""


@dataclass(frozen=True)
class Described:
    """Images seen by the classifier: features, float64 (n, d), and the most likely classes (n,)."""

    features: Array
    classes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.features)


@torch.no_grad()
def describe(classifier: Classifier, images: Tensor, chunk: int = 500) -> Described:
    """Features and classes of images (n, 1, 28, 28), clamped to the range of pixels, [-1, 1]."""
    parts = [classifier(part.clamp(-1.0, 1.0).float()) for part in images.split(chunk)]
    features = torch.cat([features for features, _ in parts])
    classes = torch.cat([logits.argmax(dim=1) for _, logits in parts])
    return Described(features.double().cpu().numpy(), classes.cpu().numpy())


def jackknife(metric: Callable[[Mask], float], n: int, groups: int = GROUPS) -> Estimate:
    """A metric of n images, given as a function of the mask (n,) of those that count.

    The standard error leaves out one group of images at a time: with `theta_j` the metric without
    group j of g, `SE^2 = (g - 1) / g sum_j (theta_j - mean)^2`. At its floor the Fréchet distance
    is quadratic in the deviation, and this overstates its standard deviation by about sqrt(2).
    """
    if n < 2 * groups:
        raise ValueError(f"{n} images are too few for {groups} groups of the jackknife")
    group = np.arange(n) % groups
    left_out = np.array([metric(group != j) for j in range(groups)])
    variance = (groups - 1) / groups * np.square(left_out - left_out.mean()).sum()
    return Estimate(metric(np.ones(n, dtype=bool)), float(np.sqrt(variance)))


def frechet_of_moments(mean_a: Array, cov_a: Array, mean_b: Array, cov_b: Array) -> float:
    """`|m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a^1/2 C_b C_a^1/2)^1/2)`, the squared 2-Wasserstein
    distance of two Gaussians; means (d,), covariances (d, d), which may be singular."""
    values, vectors = linalg.eigh(cov_a)
    root = vectors * np.sqrt(values.clip(min=0.0)) @ vectors.T
    cross = np.sqrt(linalg.eigvalsh(root @ cov_b @ root).clip(min=0.0)).sum()
    gap = np.square(mean_a - mean_b).sum()
    return float(gap + np.trace(cov_a) + np.trace(cov_b) - 2.0 * cross)


def frechet_distance(a: Array, b: Array) -> float:
    """Fréchet distance of the Gaussians fitted to two sets of features, (n, d) and (m, d)."""
    return frechet_of_moments(
        a.mean(axis=0), np.cov(a, rowvar=False), b.mean(axis=0), np.cov(b, rowvar=False)
    )


def class_total_variation(classes: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    """Total variation of the class frequencies, `1/2 sum_c |p_c - q_c|`, over the ten digits."""
    p = np.bincount(classes, minlength=10) / len(classes)
    q = np.bincount(labels, minlength=10) / len(labels)
    return float(0.5 * np.abs(p - q).sum())


def distances(a: Array, b: Array) -> Tensor:
    """Distances of the rows of a (n, d) from those of b (m, d): float32, (n, m)."""
    return torch.cdist(torch.from_numpy(a).float(), torch.from_numpy(b).float())


def neighbour_radii(between: Tensor, k: int = NEIGHBOURS) -> Tensor:
    """Distance of each point to its k-th nearest other point, from the distances between all of
    them; (n, m) with n <= m, where every row holds the point itself."""
    if between.shape[1] <= k:
        raise ValueError(f"{between.shape[1]} points have no {k}-th nearest other point")
    # The point itself is the nearest of all, so k + 1 are taken.
    return between.topk(k + 1, dim=1, largest=False).values[:, k]


class Reference:
    """The test images, against which everything is measured."""

    def __init__(self, images: Described, labels: NDArray[np.int64]) -> None:
        self.images = images
        self.labels = labels
        parts = np.array_split(images.features, -(-len(images) // 1000))
        radii = [neighbour_radii(distances(part, images.features)) for part in parts]
        self._radii = torch.cat(radii)

    def measure(self, images: Described) -> dict[str, Estimate]:
        """All metrics of a set of n images by name, at least 40 of them; memory O(n (n + 10000)).

        Precision is the share of the images within the k-nearest-neighbour balls of the test
        images; recall the share of the test images within those of the images.
        """
        features = self.images.features
        to_test = distances(images.features, features)
        between = distances(images.features, images.features)
        is_inside = (to_test <= self._radii).any(dim=1).numpy()

        def recall(kept: Mask) -> float:
            some = torch.from_numpy(kept)
            radii = neighbour_radii(between[some][:, some])[:, None]
            return float((to_test[some] <= radii).any(dim=0).double().mean())

        metrics: dict[str, Callable[[Mask], float]] = {
            "frechet_distance": lambda kept: frechet_distance(images.features[kept], features),
            "class_total_variation": lambda kept: class_total_variation(
                images.classes[kept], self.labels
            ),
            "precision": lambda kept: float(is_inside[kept].mean()),
            "recall": recall,
        }
        return {name: jackknife(metric, len(images)) for name, metric in metrics.items()}
