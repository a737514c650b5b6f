import math

import numpy as np
import pytest
import torch
from torch import Tensor

from rtk.targets.quadrature import DROP, reach, rule


def column(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)[:, None]


@pytest.mark.parametrize("width", [0.1, 1.0, 3.0])
def test_a_gaussian_anywhere_in_the_bracket(width: float) -> None:
    centre = column(-7.3, 0.0, 4.4)
    found = rule(
        lambda u: -0.5 * ((u - centre) / width) ** 2, column(-40, -40, -40), column(60, 60, 60), 48
    )
    expected = 0.5 * math.log(2 * math.pi) + math.log(width)
    np.testing.assert_allclose(found.log_integral, expected, atol=1e-12)
    np.testing.assert_allclose(found.mean(found.nodes), centre[:, 0], atol=1e-12)
    variance = found.mean((found.nodes - centre) ** 2)
    np.testing.assert_allclose(variance, width**2, rtol=1e-11)


def test_two_peaks_of_unequal_mass() -> None:
    """A light, narrow peak beside a heavy one keeps its share."""

    def log_density(u: Tensor) -> Tensor:
        heavy = math.log(0.99) - 0.5 * (u + 3.0) ** 2
        light = math.log(0.01 / 0.3) - 0.5 * ((u - 4.0) / 0.3) ** 2
        return torch.logaddexp(heavy, light)

    found = rule(log_density, column(-15.0), column(12.0), 96)
    assert found.log_integral.item() == pytest.approx(0.5 * math.log(2 * math.pi), abs=1e-12)
    assert found.mean((found.nodes > 2.2).double()).item() == pytest.approx(0.01, rel=1e-4)


def test_weights_sum_to_one_and_rows_do_not_mix() -> None:
    centre = column(0.0, 5.0)
    both = rule(lambda u: -((u - centre) ** 4), column(-9, -2), column(9, 8), 64)
    alone = rule(lambda u: -((u - 5.0) ** 4), column(-2), column(8), 64)
    np.testing.assert_allclose(both.weights.sum(1), 1.0)
    torch.testing.assert_close(both.nodes[1:], alone.nodes)
    torch.testing.assert_close(both.log_integral[1:], alone.log_integral)


def test_reach() -> None:
    assert reach(torch.tensor(2.0)).item() ** 2 / 2 == pytest.approx(DROP + 2.0)
