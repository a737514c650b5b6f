"""How far samples are from a mixture of images, by measures that exact samples put at a floor.

A sample belongs to the image nearest to it. With d numbers to an image and the bandwidth h, the
measures are

- ``radius``: the mean of ``R = |x - image|^2 / (d h^2)``, which is 1 for exact samples;
- ``radius_w1``, the primary error: the Wasserstein-1 distance of the law of R from its exact law,
  ``chi^2_d / d``. Unlike a mean deviation, it does not reward samples without spread;
- ``class_tv``: the total variation of the classes of the samples from those of the components;
- ``frechet_distance`` and ``kernel_distance``: the measures of C1 (`experiments.images.metrics`),
  in the features of a classifier, against exact draws of the mixture. They need a classifier.

The exact law of R takes for granted that an exact sample is nearest to the image of its own
component. It is, unless that image has another one within about ``8 h`` of it.

Every measure comes with its standard error over the samples, by the jackknife over groups of them.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

from experiments.images import metrics
from experiments.images.classifier import Classifier
from experiments.images.metrics import Array, Mask
from rtk.metrics import Estimate
from rtk.targets import GaussianMixture

LARGEST = 1e6
"""Radii are cut here, so that chains that diverged count and leave all numbers finite."""


def radii(x: Tensor, points: Tensor, bandwidth: float) -> tuple[Array, NDArray[np.int64]]:
    """``|x - image|^2 / (d h^2)`` and the number of the nearest image, for each row of x (n, d).

    Rows that are not finite have the image 0 and the radius `LARGEST`.
    """
    x = x.double()
    nearest = torch.cdist(x, points).nan_to_num(nan=np.inf).argmin(1)
    scale = x.shape[1] * bandwidth**2
    squares = (x - points[nearest]).square().sum(1) / scale
    cut = squares.nan_to_num(nan=LARGEST).clamp(max=LARGEST)
    return np.asarray(cut.numpy()), np.asarray(nearest.numpy())


def radius_w1(radius: Array, dimension: int) -> float:
    """The Wasserstein-1 distance of the law of radii (n,) from ``chi^2_d / d``.

    It is ``mean_k |R_(k) - q((k - 1/2) / n)|``, with the sorted radii and the quantile function q:
    the integral over the probability by the midpoint rule, an error of order 1 / n.
    """
    n = len(radius)
    quantiles = stats.chi2.ppf((np.arange(n) + 0.5) / n, dimension) / dimension
    return float(np.abs(np.sort(radius) - quantiles).mean())


def class_tv(classes: NDArray[np.int64], weights: Array) -> float:
    """Total variation ``(1/2) sum_c |p_c - q_c|`` of classes (n,) from the weights q of all."""
    shares = np.bincount(classes, minlength=len(weights)) / len(classes)
    return float(0.5 * np.abs(shares - weights).sum())


class Features:
    """Exact draws of a mixture in the features of a classifier, as samples are compared with them.

    Args:
        classifier: the classifier.
        exact: the draws, (m, d).
    """

    def __init__(self, classifier: Classifier, exact: Tensor) -> None:
        self.classifier = classifier
        self.exact = self.of(exact)
        self._moments = metrics.moments(self.exact)
        own = metrics.polynomial_kernel(self.exact, self.exact)
        self._exact_mean = metrics.mean_of_pairs(own, np.ones(len(own)))

    def of(self, x: Tensor) -> Array:
        """The features of samples (n, d), shape (n, 64). Those that are not finite become black."""
        images = x.nan_to_num(nan=-1.0).reshape(-1, *self.classifier.architecture.image_shape)
        return metrics.describe(self.classifier, images).features

    def measures(self, x: Tensor) -> dict[str, Callable[[Mask], float]]:
        """The distances of the samples that a mask keeps, by name."""
        features = self.of(x)
        within = metrics.polynomial_kernel(features, features)
        across = metrics.polynomial_kernel(features, self.exact).mean(1)

        def kernel_distance(kept: Mask) -> float:
            own = metrics.mean_of_pairs(within, kept.astype(np.float64))
            return own + self._exact_mean - 2.0 * float(across[kept].mean())

        def frechet_distance(kept: Mask) -> float:
            return metrics.frechet_distance(metrics.moments(features[kept]), self._moments)

        return {"frechet_distance": frechet_distance, "kernel_distance": kernel_distance}


class Judge:
    """The measures of samples of one mixture of images.

    Args:
        mixture: the mixture, with one component of the same width at each image.
        classes: of the images, (m,).
        features: for the distances in features, or None if there is no classifier.
    """

    def __init__(
        self,
        mixture: GaussianMixture,
        classes: NDArray[np.int64],
        features: Features | None,
    ) -> None:
        self.mixture = mixture
        self.classes = classes
        self.features = features
        self.bandwidth = float(mixture.variances[0, 0].sqrt())
        self.weights = np.bincount(classes, mixture.weights.numpy()).astype(np.float64)

    def __call__(self, x: Tensor) -> dict[str, Estimate]:
        """All measures of the samples ``x`` (n, d)."""
        dimension = self.mixture.dimension
        radius, nearest = radii(x, self.mixture.means, self.bandwidth)
        classes = self.classes[nearest]
        measures: dict[str, Callable[[Mask], float]] = {
            "radius": lambda kept: float(radius[kept].mean()),
            "radius_w1": lambda kept: radius_w1(radius[kept], dimension),
            "class_tv": lambda kept: class_tv(classes[kept], self.weights),
        }
        if self.features is not None:
            measures |= self.features.measures(x)
        return {name: metrics.jackknife(measure, len(x)) for name, measure in measures.items()}
