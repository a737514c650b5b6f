import numpy as np
import pytest

from experiments.comparison.excess import excess


def test_excess_is_what_lies_above_the_floor_but_at_least_a_tenth_of_it() -> None:
    found = excess([0.5, 0.11, 0.105, 0.01], [0.1, 0.1, 0.1, 0.2])
    np.testing.assert_allclose(found, [0.4, 0.01, 0.01, 0.02])


def test_floor_must_be_positive() -> None:
    with pytest.raises(ValueError, match="floor must be positive"):
        excess([0.5], [0.0])
