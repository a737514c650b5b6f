"""The distance by which candidates are judged, with a score that is known."""

from typing import cast

import pytest
import torch
from torch import Tensor

from experiments.images import metrics, tune
from experiments.images.classifier import Classifier

SIDE = 4
MEAN, STD = 0.2, 0.3


def score(x: Tensor, t: float | Tensor) -> Tensor:
    """That of images whose pixels are independent, ``N(MEAN, STD^2)``."""
    a = torch.exp(-torch.as_tensor(t, dtype=x.dtype))
    return (a * MEAN - x) / (a**2 * STD**2 + 1.0 - a**2)


def features(images: Tensor) -> tuple[Tensor, Tensor]:
    """The pixels themselves are the features, and there is one class."""
    return images.flatten(1), torch.zeros(len(images), 1)


def judged(candidate: dict[str, object], n: int = 400) -> float:
    exact = MEAN + STD * torch.randn(20_000, SIDE**2, generator=torch.Generator().manual_seed(1))
    held_out = metrics.moments(exact.clamp(-1.0, 1.0).double().numpy())
    run = {"shape": (1, SIDE, SIDE), "n": n, "seed": 3}
    see = cast(Classifier, features)
    return tune.distance({"method": "ddpm"}, candidate, score, see, held_out, nfe=40, **run)


def test_accurate_candidate_is_at_the_floor_and_a_truncated_one_is_not() -> None:
    """A grid that ends at t = 1 leaves DDPM's last step with the spread of the denoised images."""
    good = judged({"rule": "log_snr", "t_start": 4.0, "t_end": 0.001})
    bad = judged({"rule": "log_snr", "t_start": 4.0, "t_end": 1.0})
    # With n exact draws in d dimensions of variance v it is about v d (1 + (d + 1) / 4) / n, here
    # 0.019; the bound is twice that.
    assert 0.0 < good < 0.04
    assert bad > 10.0 * good


def test_candidates_are_judged_by_the_same_noise() -> None:
    candidate = {"rule": "karras", "t_start": 4.0, "t_end": 0.001}
    assert judged(candidate, 40) == pytest.approx(judged(dict(candidate), 40), rel=1e-9)
