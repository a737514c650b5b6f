"""EDM's Heun sampler: its order, its trapezoid rule by hand, its churn, and what it costs."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch

import rtk
from rtk import Heun, segments
from rtk.laws.affine import sample_law
from tests.oracles import DOUBLE, CountingScore, gaussian, skewed
from tests.rtk.samplers.flow import M, V, errors, signal, slopes

TIMES = (3.0, 1.1, 0.4, 0.1, 0.0)


def test_order_on_a_gaussian() -> None:
    found = slopes(errors(Heun(), [40, 80, 160], scores=2))
    np.testing.assert_allclose(found, 2, atol=0.1)


def test_trapezoid_rule_by_hand() -> None:
    """In ``y = x / a`` and ``sigma = s / a``, where the denoised estimate is that of EDM."""
    start = torch.linspace(-1.5, 1.5, 7, dtype=DOUBLE)[:, None]
    target = gaussian(M, V)

    def slope(y: torch.Tensor, sigma: float) -> torch.Tensor:
        denoised = M + V / (V + sigma**2) * (y - M)
        return (y - denoised) / sigma

    a, _ = signal(TIMES[0])
    y = start / a
    levels = [math.sqrt(math.exp(2 * t) - 1) for t in TIMES]
    for high, low in itertools.pairwise(levels):
        first = slope(y, high)
        euler = y + (low - high) * first
        y = euler if low == 0 else y + (low - high) * (first + slope(euler, low)) / 2
    score = CountingScore(target.score)
    result = rtk.sample(score, 1, 7, Heun(), nfe=8, dtype=DOUBLE, segments=TIMES, x_init=start)
    torch.testing.assert_close(result.samples, y, rtol=0.0, atol=1e-12)
    # Two scores per segment, but one on the last; nfe is the upper bound.
    assert score.times == pytest.approx([3.0, 1.1, 1.1, 0.4, 0.4, 0.1, 0.1])
    assert result.nfe == 7


@pytest.mark.parametrize(("nfe", "spent"), [(3, 3), (4, 3), (35, 35), (36, 35)])
def test_default_budget(nfe: int, spent: int) -> None:
    """``2 N - 1`` scores on N segments, the last of which ends at 0: the published count."""
    result = rtk.sample(skewed().score, 2, 4, "heun", nfe=nfe)
    assert result.nfe == spent
    count = len(result.diagnostics.segments)
    assert spent == 2 * count - 1
    ends = [segment.t_lo for segment in result.diagnostics.segments]
    assert ends[:-1] == pytest.approx(segments.karras(count - 1)[1:])


def test_churn_keeps_the_law() -> None:
    """With ``S_churn = 8`` the law tends to that of the data, at the order of Heun's method."""
    a, s = signal(0.02)
    found = []
    for count in (100, 200, 400):
        law, _ = sample_law(
            gaussian(M, V).score,
            1,
            Heun(churn=8 / count),
            2 * count,
            segments=segments.log_snr(count, 9.0, 0.02),
            denoise=False,
        )
        found.append(abs(law.mean[0] - a * M) + abs(law.variance[0] - a**2 * V - s**2))
    assert found[-1] < 2e-4
    np.testing.assert_allclose(slopes(found), 2, atol=0.1)


def test_churn_of_one_segment_by_hand() -> None:
    """Noise to ``(1 + gamma) sigma``, times S_noise, then the step from there: an affine map."""
    t_hi, t_lo, gamma, scale = 0.8, 0.3, 0.3, 1.1
    (a_hi, s_hi), (a_lo, s_lo) = signal(t_hi), signal(t_lo)
    high, low = s_hi / a_hi, s_lo / a_lo
    raised = (1 + gamma) * high

    def factor(begin: float, end: float) -> float:
        """Of ``y - m``, whose slope is ``sigma (y - m) / (V + sigma^2)``."""
        first = begin / (V + begin**2)
        euler = 1 + (end - begin) * first
        return 1 + (end - begin) * (first + euler * end / (V + end**2)) / 2

    whole = factor(raised, low)
    mean = a_lo * (M - whole * M)
    variance = (a_lo * whole) ** 2 * (1 / a_hi**2 + scale**2 * (raised**2 - high**2))
    law, _ = sample_law(
        gaussian(M, V).score,
        1,
        Heun(churn=gamma, noise_scale=scale),
        2,
        segments=(t_hi, t_lo),
        denoise=False,
    )
    assert law.mean[0] == pytest.approx(mean, rel=1e-12)
    assert law.variance[0] == pytest.approx(variance, rel=1e-12)


@pytest.mark.parametrize(
    ("churn_from", "churn_to", "noisy"), [(0.9, 1.3, True), (1.3, 9.0, False), (0.0, 1.1, False)]
)
def test_churn_has_a_range(churn_from: float, churn_to: float, noisy: bool) -> None:
    """The segment starts at the noise level 1.2."""
    times = (0.5 * math.log1p(1.2**2), 0.1)
    sampler = Heun(churn=0.2, churn_from=churn_from, churn_to=churn_to)
    options: dict[str, Any] = {"nfe": 2, "segments": times, "denoise": False}
    churned, plain = (
        rtk.sample(skewed().score, 2, 5, method, **options).samples for method in (sampler, "heun")
    )
    assert torch.equal(churned, plain) != noisy


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"churn": 0.5}, r"churn must be at most sqrt\(2\) - 1"),
        ({"churn": -0.1}, "churn must be a finite number >= 0"),
        ({"noise_scale": math.nan}, "noise_scale"),
        ({"churn_from": 2.0, "churn_to": 1.0}, "churn_to must be at least churn_from=2.0, got 1.0"),
    ],
)
def test_bad_options(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Heun(**options)


@pytest.mark.parametrize("churn", [5e-324, 1e-17, 1e-12])
def test_tiny_churn_is_no_churn(churn: float) -> None:
    """Rounding may carry the raised time below the state's own, where no noise could be added."""
    tiny, none = (
        rtk.sample(skewed().score, 2, 5, "heun", nfe=9, segments=4, churn=each)
        for each in (churn, 0.0)
    )
    torch.testing.assert_close(tiny.samples, none.samples, rtol=1e-4, atol=1e-4)
