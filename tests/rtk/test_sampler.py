"""What the score sees, diagnostics, and convenience of arguments."""

import dataclasses
import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch

import rtk
from rtk import ReverseTransition, process, segments
from rtk.noise import ChainNoise
from rtk.samplers.base import smoothness
from rtk.samplers.reverse_transition import RTKULD
from rtk.warm_start import WARM_STARTS
from tests.oracles import (
    DOUBLE,
    PLAIN,
    CountingScore,
    draw,
    gaussian,
    skewed,
)

M, V = 0.8, 0.3
CHAINS = 100_000

# What the score sees.


# Restart has steps of its own within a segment.
@pytest.mark.parametrize("method", [name for name in PLAIN if name != "restart"])
def test_score_is_asked_at_the_times_of_the_grid(method: str) -> None:
    score = CountingScore(gaussian(M, V).score)
    grid = (4.0, 2.0, 0.5, 0.1)
    result = rtk.sample(score, 1, 5, method, nfe=40, segments=grid)
    assert all(type(t) is float for t in score.times)
    assert set(score.times) <= set(grid)
    assert score.times == sorted(score.times, reverse=True)
    ends = [(s.t_hi, s.t_lo) for s in result.diagnostics.segments]
    assert ends == list(itertools.pairwise((*grid, 0.0)))


def test_no_gradients_are_recorded() -> None:
    factor = torch.ones((), requires_grad=True)
    result = rtk.sample(lambda x, t: -factor * x, 2, 4)
    assert not result.samples.requires_grad


# Diagnostics.


def test_diagnostics() -> None:
    target = skewed()
    result = rtk.sample(target.score, 2, 5000, "rtk-mala", 101, log_prob=target.log_prob)
    *inner, closing = result.diagnostics.segments
    for segment in inner:
        assert segment.acceptance is not None
        assert 0 < segment.acceptance < 1
        assert segment.inner_steps > 0
        assert segment.step_size is not None
        assert segment.step_size > 0
    assert (closing.inner_steps, closing.step_size, closing.acceptance) == (0, None, None)
    assert result.diagnostics.nonfinite == {}


def test_acceptance_does_not_depend_on_chunks() -> None:
    """Chunks of unequal size are weighted by it."""
    target = skewed()
    whole, parts = (
        rtk.sample(
            target.score, 2, 2048 * 2 + 5, "rtk-mala", 30, log_prob=target.log_prob, chunk=chunk
        )
        for chunk in (100_000, 1)
    )
    for one, other in zip(whole.diagnostics.segments, parts.diagnostics.segments, strict=True):
        assert one == dataclasses.replace(other, acceptance=one.acceptance)
        if one.acceptance is not None:
            assert other.acceptance == pytest.approx(one.acceptance, abs=1e-3)


POWERS = [
    ("rtk-ula", 1.0),
    ("rtk-lm", 1.0),
    ("rtk-mala", 1.0),
    ("rtk-hmc", 0.5),
    ("rtk-ghmc", 0.5),
    ("rtk-uld", 0.5),
]


@pytest.mark.parametrize(("method", "power"), POWERS)
def test_step_sizes_follow_the_curvature(method: str, power: float) -> None:
    """The step is relative to 1/c, or 1/sqrt(c), with c the curvature of the Gaussian's kernel."""
    times = (2.0, 0.9, 0.3)
    result = draw(
        method=method, nfe=20, segments=times, step_size=0.4, data_variance=V, denoise=False
    )
    for segment, (t_hi, t_lo) in zip(
        result.diagnostics.segments, itertools.pairwise(times), strict=True
    ):
        prior = 1 / (math.exp(-2 * t_lo) * V + 1 - math.exp(-2 * t_lo))
        curvature = prior + 1 / math.expm1(2 * (t_hi - t_lo))
        assert segment.step_size == pytest.approx(0.4 / curvature**power)


@pytest.mark.parametrize("method", PLAIN)
def test_denoising_is_tweedies_formula(method: str) -> None:
    """Also where the score is one that the chain already knew."""
    grid = (4.0, 1.0, 0.3)
    options: dict[str, Any] = {"method": method, "segments": grid, "dtype": DOUBLE}
    end = draw(nfe=20, denoise=False, **options).samples
    closed = draw(nfe=21, denoise=True, **options).samples
    expected = process.denoise(end, skewed().score(end, 0.3), 0.3)
    torch.testing.assert_close(closed, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("warm_start", WARM_STARTS)
@pytest.mark.parametrize("method", [method for method, _ in POWERS])
def test_inner_chain_begins_at_the_warm_start(method: str, warm_start: str) -> None:
    """With steps of size zero, all but, a segment ends where its chain began."""
    target, t_hi, t_lo = skewed(), 0.9, 0.2
    start = WARM_STARTS[warm_start]
    end = rtk.sample(
        target.score,
        2,
        50,
        method,
        nfe=8,
        dtype=DOUBLE,
        segments=(t_hi, t_lo),
        denoise=False,
        step_size=1e-14,
        warm_start=warm_start,
    ).samples
    noise = ChainNoise(0, 50, (2,), dtype=DOUBLE)
    x = noise.normal()
    kernel = ReverseTransition(target.score, x, t_hi, t_lo)
    z = start.draw(kernel, target.score(x, t_hi), noise, smoothness(t_lo, 0.0))
    torch.testing.assert_close(end, z, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("radius", ["proposal_radius", "domain_radius"])
def test_a_radius_of_nearly_nothing_rejects_everything(radius: str) -> None:
    result = draw(method="rtk-mala", segments=3, nfe=30, **{radius: 1e-6})
    assert [segment.acceptance for segment in result.diagnostics.segments] == [0, 0, 0, None]


def test_smoothness_bounds_the_hessian() -> None:
    target = skewed()
    x = 3 * torch.randn(4000, 2, generator=torch.Generator().manual_seed(0), dtype=DOUBLE)
    for t in (0.0, 0.1, 1.0):
        sharpest = -float(torch.linalg.eigvalsh(target.hessian(x, t)).min())
        # 0.1 is the smallest variance among the components.
        assert 0.9 * smoothness(t, 0.1) < sharpest <= smoothness(t, 0.1) * (1 + 1e-9)
    with pytest.raises(ValueError, match="data_variance"):
        smoothness(0.0, 0.0)


# Convenience of arguments.


def test_shapes_seeds_and_grids_may_be_numpys() -> None:
    plain = draw(seed=3, n=20, nfe=20, segments=(3.0, 1.0, 0.1)).samples
    for shape in (2, [2], (2,), torch.Size([2]), np.int64(2)):
        assert torch.equal(
            draw(
                shape=shape,
                seed=np.int64(3),
                n=np.int64(20),
                nfe=np.int64(20),
                segments=np.array([3.0, 1.0, 0.1]),
            ).samples,
            plain,
        )
    grid = torch.tensor([3.0, 1.0, 0.1], dtype=DOUBLE)
    assert torch.equal(draw(seed=3, n=20, nfe=20, segments=grid).samples, plain)
    four = draw(segments=np.int64(4), nfe=30)
    assert torch.equal(four.samples, draw(segments=segments.log_snr(4), nfe=30).samples)


def test_a_sampler_object_is_a_method() -> None:
    named = draw(method="rtk-uld", friction=1.5, data_variance=0.1)
    given = draw(method=RTKULD(friction=1.5, data_variance=0.1))
    assert torch.equal(named.samples, given.samples)


def test_options_are_felt() -> None:
    base = draw(nfe=40).samples
    for options in (
        {"friction": 1.0},
        {"step_size": 0.3},
        {"inner_steps": 1},
        {"warm_start": "gaussian"},
        {"data_variance": 0.05},
        {"segments": 3},
        {"denoise": False},
        {"seed": 1},
    ):
        assert not torch.allclose(draw(nfe=40, **options).samples, base)


def test_progress_bar_is_off_unless_asked(capsys: pytest.CaptureFixture[str]) -> None:
    draw()
    assert capsys.readouterr().err == ""
    draw(progress=True)
    assert "segment" in capsys.readouterr().err
