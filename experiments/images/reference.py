"""The test images of a data set, with which C1 compares the images of a sampler."""

from experiments.images import data, metrics
from experiments.images.classifier import Classifier


def reference(features: Classifier, cache: str) -> metrics.Reference:
    """The features of all test images and their true classes.

    Args:
        features: the classifier that computes the features.
        cache: path of the images, as `data.fetch` writes them.
    """
    test = data.load(cache, "test")
    return metrics.Reference(metrics.describe(features, test.images), test.labels.numpy())
