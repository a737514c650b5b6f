"""Restart: the published budgets, a run by hand, and its law."""

import math
from typing import Any

import numpy as np
import pytest
import torch

import rtk
from rtk import Restart, segments
from rtk.laws.affine import sample_law
from tests.oracles import DOUBLE, CountingScore, gaussian, skewed
from tests.rtk.samplers.flow import M, V, signal, slopes


def level(t: float) -> float:
    return math.sqrt(math.expm1(2 * t))


@pytest.mark.parametrize(
    ("nfe", "main_steps", "restarts"),
    [(43, 17, 2), (55, 17, 5), (75, 17, 10), (25, 10, 1), (7, 1, 1), (6, 1, 0), (3, 1, 0)],
)
def test_budget(nfe: int, main_steps: int, restarts: int) -> None:
    """43, 55 and 75 are the published settings: 18 levels, then 2, 5 or 10 restarts of 2 steps."""
    score = CountingScore(gaussian(M, V).score)
    result = rtk.sample(score, 1, 1, "restart", nfe=nfe)
    assert result.nfe == 2 * main_steps + 4 * restarts + 1 <= nfe
    assert sum(level(t) == pytest.approx(0.3, rel=1e-9) for t in score.times) == restarts


def test_restarts_by_hand() -> None:
    """Down to the first node below 0.7, then twice up to 1.5 and back, then on."""
    target = gaussian(M, V)
    times = segments.karras(4, 2.0, 0.001)
    node = next(t for t in times if level(t) <= 0.7)
    options: dict[str, Any] = {"dtype": DOUBLE, "denoise": False}

    def heun(x: torch.Tensor, grid: segments.Times) -> torch.Tensor:
        nfe = 2 * len(grid) - 2
        return rtk.sample(
            target.score, 1, len(x), "heun", nfe, segments=grid, x_init=x, **options
        ).samples

    noise = rtk.noise.ChainNoise(6, 9, (1,), dtype=DOUBLE)
    x = heun(noise.normal(), times[: times.index(node) + 1])
    t_max = 0.5 * math.log(1 + 1.5**2)
    for _ in range(2):
        (a_hi, s_hi), (a_lo, s_lo) = signal(t_max), signal(node)
        keep = a_hi / a_lo
        x = keep * x + math.sqrt(s_hi**2 - (keep * s_lo) ** 2) * noise.normal()
        x = heun(x, segments.karras(3, t_max, node))
    x = heun(x, times[times.index(node) :])
    sampler = Restart(main_steps=4, restart_steps=3, sigma_min=0.7, sigma_max=1.5)
    result = rtk.sample(
        target.score, 1, 9, sampler, 8 + 2 * 6, seed=6, segments=(2.0, 0.001), **options
    )
    torch.testing.assert_close(result.samples, x, rtol=0.0, atol=1e-12)


def test_law_tends_to_that_of_the_data() -> None:
    """Four restarts; the steps of the main process and of each restart are doubled."""
    a, s = signal(0.001)
    found = []
    for steps in (80, 160, 320):
        sampler = Restart(main_steps=steps, restart_steps=steps // 8)
        law, spent = sample_law(
            gaussian(M, V).score, 1, sampler, 3 * steps, segments=(8.0, 0.001), denoise=False
        )
        assert spent == 3 * steps
        found.append(abs(law.variance[0] - a**2 * V - s**2))
        assert law.mean[0] == pytest.approx(a * M, abs=5e-4)
    assert found[-1] < 1e-3
    np.testing.assert_allclose(slopes(found), 2, atol=0.3)


def test_restarts_forget_a_wrong_state() -> None:
    """What the method is for: chains that start too wide end nearer to the law of the data."""
    a, s = signal(0.001)
    found = []
    for restarts in (1, 5, 20):
        sampler = Restart(main_steps=40, restart_steps=8)
        law, _ = sample_law(
            gaussian(M, V).score,
            1,
            sampler,
            80 + 16 * restarts,
            segments=(1.0, 0.001),
            denoise=False,
        )
        found.append(abs(law.variance[0] / (a**2 * V + s**2) - 1.0))
    assert found[2] < 0.5 * found[1] < 0.5 * found[0]


def test_a_grid_has_its_restarts_where_sigma_min_is() -> None:
    score = CountingScore(skewed().score)
    rtk.sample(score, 2, 1, "restart", nfe=40, segments=(5.0, 0.5, 0.01, 0.0), denoise=False)
    raised = [now > before for before, now in zip(score.times, score.times[1:], strict=False)]
    assert sum(raised) > 0
    assert len(score.times) <= 40


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"main_steps": 0}, "main_steps must be at least 1"),
        ({"restart_steps": 0}, "restart_steps must be at least 1"),
        ({"sigma_min": 0.3}, "sigma_max must be above sigma_min=0.3, got 0.3"),
        ({"sigma_max": math.inf}, "sigma_max must be positive and finite"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Restart(**options)
