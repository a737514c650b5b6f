"""Searches for the least number, and grids of times."""

import numpy as np
import pytest

from experiments.theory.search import least, log_snr_grid, quadratic_grid
from rtk import segments


@pytest.mark.parametrize("start", [1, 2, 5])
@pytest.mark.parametrize("answer", [1, 2, 3, 7, 64, 1000, 12345])
def test_least(start: int, answer: int) -> None:
    assert least(lambda count: count >= answer, start) == max(start, answer)


@pytest.mark.parametrize("answer", [1, 7, 100, 12345])
def test_least_to_one_per_cent(answer: int) -> None:
    tried = []

    def is_enough(count: int) -> bool:
        tried.append(count)
        return count >= answer

    assert answer <= least(is_enough, tolerance=0.01) <= answer * 1.01
    # A tolerance saves trials: of a factor of two, 1 % leaves seven halvings.
    assert len(tried) <= np.ceil(np.log2(answer)) + 1 + 7


def test_log_snr_grid_is_that_of_the_library_and_ends_at_0() -> None:
    times = log_snr_grid(3.0, 0.01, 6)
    np.testing.assert_allclose(times[:-1], segments.log_snr(6, 3.0, 0.01), rtol=1e-12)
    assert times[-1] == 0.0


def test_quadratic_grid() -> None:
    np.testing.assert_allclose(quadratic_grid(2.0, 4), segments.power(4, 2.0, 0.0, 2.0), atol=1e-15)
