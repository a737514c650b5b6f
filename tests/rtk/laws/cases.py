"""What the tests of laws on grids share: a target that is not Gaussian, and samples of a law."""

import numpy as np
import torch

from rtk.laws.grid import Array, Grid
from tests.oracles import DOUBLE, mixture_of

SKEWED = mixture_of([0.7, 0.3], [[-0.5], [1.2]], torch.tensor([0.3, 0.8], dtype=DOUBLE))


def functions(z: Array) -> Array:
    """Four functions of the points z (n,), shape (4, n)."""
    return np.stack([z, z**2, z**3, np.cos(3.0 * z)])


def assert_samples(z: Array, law: Array, grid: Grid) -> None:
    """The means of the four functions over samples z, to 5 standard errors of the mean."""
    values = functions(z)
    error = values.std(1) / len(z) ** 0.5
    assert (np.abs(values.mean(1) - functions(grid.centres) @ law) <= 5.0 * error).all()
