"""The parts that all targets are made of."""

import numpy as np
import pytest
import torch

from rtk.targets.base import check_time, draw_components, noised, normal
from tests.oracles import DOUBLE, assert_moments


def test_noised_has_the_moments_of_the_process() -> None:
    """Data at one point: ``N(a x_0, s^2 I)``, n = 50 000."""
    data = torch.tensor([[2.0, -1.0]], dtype=DOUBLE).expand(50_000, 2)
    x = noised(data, 0.7, torch.Generator().manual_seed(0))
    mean = np.exp(-0.7) * np.array([2.0, -1.0])
    assert_moments(x, mean, (1 - np.exp(-1.4)) * np.eye(2))
    assert noised(data, 0.0, None) is data


def test_components_in_half_precision_keep_their_probabilities() -> None:
    """In bfloat16 the weights 0.2509 and 0.7491 would be 0.25 and 0.75."""
    weights = torch.tensor([0.2509, 0.7491], dtype=DOUBLE)
    half, single = (
        draw_components(weights, 20_000, torch.Generator().manual_seed(0), dtype)
        for dtype in (torch.bfloat16, torch.float32)
    )
    assert torch.equal(half, single)


def test_normal_belongs_to_the_generator() -> None:
    first, again = (normal((3, 2), torch.Generator().manual_seed(4), DOUBLE) for _ in range(2))
    assert torch.equal(first, again)
    assert first.dtype == DOUBLE


@pytest.mark.parametrize("t", [0, 0.5, np.float32(0.5), torch.tensor(0.5)])
def test_times(t: float) -> None:
    assert check_time(t) == float(t)


@pytest.mark.parametrize("t", [None, "now", [0.1], torch.zeros(3)])
def test_what_is_no_time(t: object) -> None:
    with pytest.raises(TypeError, match="t must be one number"):
        check_time(t)  # type: ignore[arg-type]
