"""The score as a denoiser: parts, reused buffers, and points at which it is not finite."""

import pytest
import torch
from torch import Tensor

from rtk import process
from rtk.calibration.model import ROWS, Model
from rtk.score import CountedScore

SIGMA, V = 0.7, 0.4


def gaussian(x: Tensor, t: float) -> Tensor:
    return -x / (V * torch.exp(torch.tensor(-2 * t)) - torch.expm1(torch.tensor(-2 * t)))


def model(score: object, shape: tuple[int, ...] = (3,)) -> Model:
    return Model(CountedScore(score), shape, torch.device("cpu"), torch.float64)  # type: ignore[arg-type]


def points(n: int) -> Tensor:
    return torch.randn(n, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_denoiser_of_a_gaussian_in_several_parts() -> None:
    y = points(2 * ROWS + 7)
    one = model(gaussian)
    torch.testing.assert_close(one.denoise(y, SIGMA), V / (V + SIGMA**2) * y)
    assert one.score.evaluations == len(y)


def test_a_score_may_reuse_its_memory() -> None:
    """What a part of the points got must not change when the next part is asked for."""
    buffer = torch.empty(ROWS, 3, dtype=torch.float64)

    def thrifty(x: Tensor, t: float) -> Tensor:
        return torch.mul(gaussian(x, t), 1.0, out=buffer[: len(x)])

    y = points(2 * ROWS)
    torch.testing.assert_close(model(thrifty).noise(y, SIGMA), model(gaussian).noise(y, SIGMA))


def test_points_at_which_the_score_is_not_finite_are_counted() -> None:
    def torn(x: Tensor, t: float) -> Tensor:
        return torch.where(x[:, :1] > 1.0, torch.nan, gaussian(x, t))

    y = points(100)
    bad = int(
        (torch.exp(torch.tensor(-process.time_from_noise_level(SIGMA))) * y[:, 0] > 1.0).sum()
    )
    assert bad > 0
    with pytest.raises(FloatingPointError, match=f"not finite at {bad} of 100 points"):
        model(torn).noise(y, SIGMA)
