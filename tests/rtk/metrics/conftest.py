"""The references that the tests of metrics measure against."""

import numpy as np
import pytest

from rtk.metrics import Reference
from tests.rtk.metrics.cases import reference_of

COVARIANCES = [[[1.0, 0.6], [0.6, 0.8]], [[0.5, -0.3], [-0.3, 0.4]], [[0.3, 0.0], [0.0, 0.9]]]


@pytest.fixture(scope="module")
def standard() -> Reference:
    """N(0, I) in the plane."""
    return reference_of([1.0], np.zeros((1, 2)), 1.0, size=20_000)


@pytest.fixture(scope="module")
def overlapping() -> Reference:
    """Three unequal modes that overlap, with full covariances."""
    return reference_of([0.6, 0.3, 0.1], [[0, 0], [1.5, 0.5], [0.0, -2.0]], COVARIANCES)


@pytest.fixture(scope="module")
def separated() -> Reference:
    """Three unequal modes that do not overlap, with full covariances."""
    return reference_of([0.6, 0.3, 0.1], [[0, 0], [30, 0], [0, -30]], COVARIANCES)
