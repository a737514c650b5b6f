"""The example of a score in the README."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

README = Path(__file__).parents[2] / "README.md"
MEAN, VARIANCE = 0.5, 2.0


def gaussian_denoiser(x: Tensor, sigma: Tensor) -> Tensor:
    """``E[x_0 | x_0 + sigma xi = x]`` for ``x_0 ~ N(MEAN, VARIANCE)``."""
    return (VARIANCE * x + sigma**2 * MEAN) / (VARIANCE + sigma**2)


@pytest.fixture
def score() -> Callable[[Tensor, float], Tensor]:
    """The function of the README, with the denoiser of a Gaussian."""
    text = re.search(r"^def score\(x, t\):.*?\n\n", README.read_text(encoding="utf-8"), re.M | re.S)
    assert text is not None
    names: dict[str, Any] = {"torch": torch, "model_denoise": gaussian_denoiser}
    exec(text.group(), names)
    function: Callable[[Tensor, float], Tensor] = names["score"]
    return function


@pytest.mark.parametrize("t", [1e-8, 1e-6, 1e-4, 0.1, 5.0])
def test_score_from_a_denoiser_is_exact(score: Callable[[Tensor, float], Tensor], t: float) -> None:
    """The example is the score of ``N(e^-t m, e^-2t v + 1 - e^-2t)``, also at small times."""
    x = torch.linspace(-4.0, 4.0, 9, dtype=torch.float64)
    signal = math.exp(-t)
    exact = (signal * MEAN - x) / (signal**2 * VARIANCE - math.expm1(-2.0 * t))
    torch.testing.assert_close(score(x, t), exact, rtol=1e-5, atol=0.0)
    assert score(x.float(), t).dtype == torch.float32
