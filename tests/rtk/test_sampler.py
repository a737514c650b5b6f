import dataclasses
import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import rtk
from rtk import ExactKernel, NonFiniteError, ReverseTransition, process, segments
from rtk.mcmc.uld import coefficients
from rtk.noise import ChainNoise
from rtk.samplers.base import smoothness
from rtk.samplers.reverse_transition import RTKULD
from rtk.warm_start import WARM_STARTS
from tests.oracles import (
    DOUBLE,
    CountingScore,
    Law,
    assert_average,
    assert_moments,
    gaussian,
    mixture_moments,
    skewed,
)

M, V = 0.8, 0.3
CHAINS = 100_000


# Laws on a Gaussian: every unadjusted sampler is affine, so its law is known whatever its error.


def start_of_chain(name: str, t_hi: float, t_lo: float, bound: float) -> tuple[float, float, float]:
    """Warm start ``z = A x + B + N(0, C)``."""
    e, step = math.exp(t_lo - t_hi), -math.expm1(2 * (t_lo - t_hi))
    if name == "x":
        return 1.0, 0.0, 0.0
    if name == "gaussian":
        precision = 2 * bound + e**2 / step
        return e / step / precision, 0.0, 1 / precision
    a_hi, s2_hi = math.exp(-t_hi), -math.expm1(-2 * t_hi)
    a_lo, s2_lo = math.exp(-t_lo), -math.expm1(-2 * t_lo)
    slope = a_hi * V / (a_hi**2 * V + s2_hi)
    variance = 1 / (1 / s2_lo + e**2 / step)
    of_data = variance * a_lo / s2_lo
    return variance * e / step + of_data * slope, of_data * M * (1 - slope * a_hi), variance


def inner_law(
    method: str, times: segments.Times, steps: int, relative: float, warm_start: str, width: float
) -> Law:
    """Law of (x, z, v) after all segments; x is the segment's noisy end, v the velocity."""
    law = Law(np.zeros(3), np.diag([0.0, 1.0, 0.0]))
    for t_hi, t_lo in itertools.pairwise(times):
        a, s2 = math.exp(-t_lo), -math.expm1(-2 * t_lo)
        prior = 1 / (a**2 * V + s2)
        bound = 1 / (a**2 * width + s2)
        e, step = math.exp(t_lo - t_hi), -math.expm1(2 * (t_lo - t_hi))
        # g'(z) = prior (z - a m) + (e^2 z - e x) / step = curvature z + pull x + offset
        curvature, pull, offset = prior + e**2 / step, -e / step, -prior * a * M
        root = math.sqrt(bound + 1 / math.expm1(2 * (t_hi - t_lo)))
        if method == "ald":
            curvature, pull, root, start = prior, 0.0, math.sqrt(bound), (1.0, 0.0, 0.0)
        else:
            start = start_of_chain(warm_start, t_hi, t_lo, bound)
        # The old z becomes x, z is drawn, v ~ N(0, 1).
        law = law.push(
            [[0, 1, 0], [0, start[0], 0], [0, 0, 0]], [0, start[1], 0], np.diag([0, start[2], 1])
        )
        if method == "rtk-uld":
            c = coefficients(relative / root, 2 * root)
            kick, push, decay = c.kick, c.push, c.decay
            noise = np.array(
                [[0, 0, 0], [0, c.variance_z, c.covariance], [0, c.covariance, c.variance_v]]
            )
            drift = c.kick
        else:
            push, kick, decay, drift = relative / root**2, 0.0, 0.0, 0.0
            noise = np.diag([0.0, 2 * push, 0.0])
        for _ in range(steps):
            law = law.push(
                [
                    [1, 0, 0],
                    [-push * pull, 1 - push * curvature, drift],
                    [-kick * pull, -kick * curvature, decay],
                ],
                [0, -push * offset, -kick * offset],
                noise,
            )
    return law


CASES = [
    ("rtk-ula", 0.4, "ddpm", 0.0),
    ("rtk-ula", 0.4, "x", 0.1),
    ("rtk-ula", 0.4, "gaussian", 0.3),
    ("rtk-uld", 0.8, "ddpm", 0.0),
    ("rtk-uld", 0.8, "gaussian", 0.3),
    ("ald", 0.3, "", 0.1),
]


@pytest.mark.parametrize(("method", "relative", "warm_start", "width"), CASES)
def test_law_on_a_gaussian(method: str, relative: float, warm_start: str, width: float) -> None:
    """n = 100 000 chains, three segments, two inner steps: far from converged."""
    times = (2.0, 0.9, 0.3, 0.05)
    steps = 2
    options: dict[str, Any] = {"step_size": relative, "data_variance": width}
    nfe = 3 * steps
    if method != "ald":
        options |= {"inner_steps": steps, "warm_start": warm_start}
        nfe += 3 * (warm_start == "ddpm")
    if method == "rtk-uld":
        options["friction"] = 2.0
    result = rtk.sample(
        gaussian(M, V).score,
        1,
        CHAINS,
        method,
        nfe=nfe,
        seed=7,
        dtype=DOUBLE,
        segments=times,
        denoise=False,
        **options,
    )
    assert result.nfe == nfe
    law = inner_law(method, times, steps, relative, warm_start, width)
    assert_moments(result.samples, law.mean[1:2], law.covariance[1:2, 1:2])


# Final laws on a skewed mixture. Stated bias: of mode weights, and of means and covariances.

WIDTH = {"data_variance": 0.1}
FINAL: dict[str, tuple[dict[str, Any], float, float]] = {
    "ddpm": ({"nfe": 120}, 0.01, 0.08),
    "ddim": ({"nfe": 120}, 0.01, 0.05),
    "dpm++2m": ({"nfe": 50}, 0.003, 0.01),
    "dpm++2m-sde": ({"nfe": 60}, 0.01, 0.02),
    "ald": ({"nfe": 200, "segments": 20, "step_size": 0.1, **WIDTH}, 0.07, 0.15),
    "rtk-ula": ({"nfe": 201, "segments": 10, "step_size": 0.1, **WIDTH}, 0.025, 0.06),
    "rtk-mala": ({"nfe": 151, "segments": 10, **WIDTH}, 0.01, 0.02),
    "rtk-uld": ({"nfe": 201, "segments": 10, "step_size": 0.3, **WIDTH}, 0.015, 0.03),
}


def test_every_method_is_judged() -> None:
    assert set(rtk.methods()) <= set(FINAL)


@pytest.mark.parametrize("method", FINAL)
def test_law_on_a_skewed_mixture(method: str) -> None:
    """n = 8192: mode weights, mean and covariance to 5 standard errors and the stated bias."""
    options, bias_of_weights, bias = FINAL[method]
    target = skewed()
    result = rtk.sample(target.score, 2, 8192, method, seed=11, log_prob=target.log_prob, **options)
    samples = result.samples.double()
    assert_moments(samples, *mixture_moments(target), bias)
    shares = target.responsibilities(samples, 0.0)
    assert_average(shares, target.weights.numpy(), bias_of_weights)


def test_exact_kernels_compose_exactly() -> None:
    """n = 50 000 from t = 8, where p_t is N(0, I) to e^-8 = 0.0003 relative to the means."""
    target = skewed()
    times = segments.uniform(5, 8.0, 0.0)
    result = rtk.sample(target.score, 2, 50_000, ExactKernel(target), nfe=1, segments=times)
    assert result.nfe == 0
    samples = result.samples.double()
    assert_moments(samples, *mixture_moments(target), bias=0.002)
    shares = target.responsibilities(samples, 0.0)
    assert_average(shares, target.weights.numpy(), bias=0.001)


# Counting.


@pytest.mark.parametrize("energy", ["exact", "trapezoid", "simpson", "taylor"])
@pytest.mark.parametrize("warm_start", ["ddpm", "x", "gaussian"])
def test_scores_of_mala(energy: str, warm_start: str) -> None:
    target = skewed()
    score = CountingScore(target.score)
    result = rtk.sample(
        score, 2, 32, "rtk-mala", 60, 0, target.log_prob, energy=energy, warm_start=warm_start
    )
    assert score.rows == 32 * result.nfe <= 32 * 60
    assert result.nfe >= 50


METHODS = rtk.methods()


@pytest.mark.parametrize("nfe", [1, 2, 5, 11, 24, 57, 101])
@pytest.mark.parametrize("method", METHODS)
def test_the_budget_is_kept(method: str, nfe: int) -> None:
    """The reported NFE is the number of rows the score saw, at most what was asked."""
    grids: list[dict[str, Any]] = [
        {},
        {"segments": 3},
        {"segments": (5.0, 1.0, 0.1), "denoise": False},
    ]
    for options in grids:
        score = CountingScore(gaussian(M, V).score)
        try:
            result = rtk.sample(score, 1, 17, method, nfe=nfe, **options)
        except ValueError as error:
            # A refusal names the minimum, and the minimum then works.
            assert score.rows == 0
            minimum = int(str(error).rsplit(" ", 1)[1])
            assert nfe < minimum <= 30
            score = CountingScore(gaussian(M, V).score)
            result = rtk.sample(score, 1, 17, method, nfe=minimum, **options)
            assert result.nfe <= minimum
        else:
            assert result.nfe <= nfe
        assert score.rows == 17 * result.nfe > 0
        assert sum(segment.nfe for segment in result.diagnostics.segments) == result.nfe
        assert torch.isfinite(result.samples).all()


@pytest.mark.parametrize("method", METHODS)
def test_most_of_the_budget_is_spent(method: str) -> None:
    for nfe in (25, 105, 205):
        assert rtk.sample(gaussian(M, V).score, 1, 3, method, nfe=nfe).nfe >= 0.8 * nfe


@pytest.mark.parametrize("inner_steps", [1, 3, 10])
@pytest.mark.parametrize("method", ["rtk-ula", "rtk-mala", "rtk-uld"])
def test_inner_steps_shape_the_default_segments(method: str, inner_steps: int) -> None:
    result = rtk.sample(gaussian(M, V).score, 1, 3, method, nfe=100, inner_steps=inner_steps)
    # MALA's segments are planned as if none reused a score, which leaves up to a third.
    assert result.nfe > 60
    inner = result.diagnostics.segments[:-1]
    assert {segment.inner_steps for segment in inner} == {inner_steps}


def test_log_probs_are_counted_apart() -> None:
    target = skewed()
    calls = CountingScore(target.log_prob)
    result = rtk.sample(target.score, 2, 32, "rtk-mala", 60, log_prob=calls)
    assert 0 < calls.rows == 32 * result.diagnostics.log_prob_evaluations
    assert rtk.sample(target.score, 2, 32, "rtk-mala", 60).diagnostics.log_prob_evaluations == 0
    unused = rtk.sample(target.score, 2, 32, "ddpm", 60, log_prob=calls)
    assert unused.diagnostics.log_prob_evaluations == 0


# What the score sees.


@pytest.mark.parametrize("method", METHODS)
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


@pytest.mark.parametrize(("method", "power"), [("rtk-ula", 1), ("rtk-mala", 1), ("rtk-uld", 0.5)])
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


@pytest.mark.parametrize("method", METHODS)
def test_denoising_is_tweedies_formula(method: str) -> None:
    """Also where the score is one that the chain already knew."""
    grid = (4.0, 1.0, 0.3)
    options: dict[str, Any] = {"method": method, "segments": grid, "dtype": DOUBLE}
    end = draw(nfe=20, denoise=False, **options).samples
    closed = draw(nfe=21, denoise=True, **options).samples
    expected = process.denoise(end, skewed().score(end, 0.3), 0.3)
    torch.testing.assert_close(closed, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("warm_start", WARM_STARTS)
@pytest.mark.parametrize("method", ["rtk-ula", "rtk-mala", "rtk-uld"])
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


# Refusals.


def draw(**options: Any) -> rtk.Result:
    given: dict[str, Any] = {"score": skewed().score, "shape": 2, "n": 16, **options}
    return rtk.sample(**given)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "euler"}, r"unknown method 'euler', expected one of \['ddpm', 'ddim'"),
        ({"method": "ddpm", "step_size": 1.0}, r"no option \['step_size'\]"),
        ({"friktion": 1.0}, r"no option \['friktion'\], expected one of \[.*'friction'"),
        ({"method": RTKULD(), "friction": 1.0}, r"\['friction'\] belong into the Step object"),
        ({"n": 0}, "n must be at least 1, got 0"),
        ({"shape": 0}, "shape must"),
        ({"shape": ()}, "shape must"),
        ({"shape": (2, -1)}, "shape must"),
        ({"nfe": 0}, "nfe"),
        ({"seed": -1}, "seed must be .* got -1"),
        ({"nonfinite": "ignore"}, '"raise" or "keep"'),
        ({"segments": (1.0, 2.0)}, "decreasing times"),
        ({"segments": (1.0,)}, "two or more"),
        ({"segments": (1.0, -1.0)}, "times >= 0"),
        ({"segments": 0}, "segments must be at least 1, got 0"),
        ({"segments": 20, "nfe": 30}, "nfe=30 is below the minimum of 'rtk-uld' on 20 segments"),
        ({"segments": (1.0, 0.0)}, "ends at t = 0 needs data_variance"),
        ({"method": "ddpm", "segments": (1.0, 0.0), "denoise": True}, "end above 0"),
        ({"warm_start": "hot"}, r"unknown warm_start 'hot', expected one of \['x'"),
        ({"method": "rtk-mala", "energy": "foo"}, "unknown energy estimator 'foo'"),
        ({"method": "rtk-mala", "energy": "exact"}, "log_prob"),
        ({"method": "rtk-mala", "proposal_radius": -1.0}, "proposal_radius must be positive"),
        ({"method": "rtk-mala", "domain_radius": math.nan}, "domain_radius must be positive"),
        ({"step_size": 0.0}, "step_size must be positive"),
        ({"step_size": math.inf}, "step_size must be positive and finite"),
        ({"inner_steps": 0}, "inner_steps must be at least 1"),
        ({"friction": -1.0}, "friction must be positive"),
        ({"data_variance": -0.1}, "data_variance must"),
        ({"data_variance": math.nan}, "data_variance must"),
        ({"chunk": 0}, "chunk must be at least 1, got 0"),
    ],
)
def test_values_rejected(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"score": None}, "score must be a callable"),
        ({"log_prob": 3}, "log_prob must be a callable"),
        ({"n": 10.0}, "n must be a whole number, got 10.0"),
        ({"nfe": 50.5}, "nfe must be a whole number, got 50.5"),
        ({"seed": None}, "seed must be a whole number, got None"),
        ({"inner_steps": 2.5}, "inner_steps must be a whole number"),
        ({"chunk": 1.5}, "chunk must be a whole number"),
        ({"method": RTKULD}, "method must be a name or a Step object"),
        ({"method": 3}, "method must be a name or a Step object"),
        ({"method": "rtk-mala", "energy": 3}, "energy must be"),
    ],
)
def test_types_rejected(options: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        draw(**options)


@pytest.mark.parametrize("method", METHODS)
def test_answers_of_the_score_are_checked(method: str) -> None:
    with pytest.raises(ValueError, match=r"score returned shape \(16,\) for x of shape \(16, 2\)"):
        draw(method=method, score=lambda x, t: x[:, 0])
    with pytest.raises(ValueError, match="score returned shape"):
        draw(method=method, score=lambda x, t: x[:1])
    with pytest.raises(
        TypeError, match=r"score returned torch\.float64 .* expected torch\.float32"
    ):
        draw(method=method, score=lambda x, t: -x.double())
    with pytest.raises(TypeError, match="score returned ndarray, expected a tensor"):
        draw(method=method, score=lambda x, t: x.numpy())


def test_answers_of_log_prob_are_checked() -> None:
    with pytest.raises(ValueError, match=r"log_prob returned shape \(16, 2\)"):
        draw(method="rtk-mala", log_prob=lambda x, t: x)


# What is not finite is named.


def torn(x: Tensor, t: float) -> Tensor:
    """A score that fails on the far right once t < 1."""
    return torch.where((x[:, :1] > 1.0) & (t < 1.0), torch.nan, skewed().score(x, t))


@pytest.mark.parametrize("method", METHODS)
def test_nan_scores_raise_with_chain_and_time(method: str) -> None:
    with pytest.raises(NonFiniteError, match=r"of 16 chains .* chain \(time\): ") as caught:
        draw(method=method, score=torn, nfe=60)
    chains = caught.value.chains
    assert 0 < len(chains) <= 16
    assert all(0 <= chain < 16 and 0 <= t < 1 for chain, t in chains.items())
    kept = draw(method=method, score=torn, nfe=60, nonfinite="keep")
    assert kept.diagnostics.nonfinite == chains
    # The others are what they would have been.
    whole = draw(method=method, nfe=60)
    for chain in range(16):
        if chain not in chains:
            finite = torch.isfinite(kept.samples[chain]).all()
            assert finite
            if not method.startswith("rtk-mala"):
                torch.testing.assert_close(kept.samples[chain], whole.samples[chain])
    if not method.startswith("rtk-mala"):
        lost = torch.nonzero(~torch.isfinite(kept.samples).all(1)).flatten().tolist()
        assert sorted(chains) == lost


@pytest.mark.parametrize(
    ("options", "when"),
    [
        ({"method": "ddpm"}, 0.5),
        ({"method": "rtk-uld"}, 0.9),
        ({"method": "rtk-mala"}, 0.9),
    ],
)
def test_the_time_is_that_of_the_first_trouble(options: dict[str, Any], when: float) -> None:
    """A score that fails below t = 1: DDPM asks for it at the noisy end of a segment, RTK at the
    clean end."""

    def late(x: Tensor, t: float) -> Tensor:
        return skewed().score(x, t) if t >= 1 else torch.full_like(x, math.nan)

    with pytest.raises(NonFiniteError) as caught:
        draw(score=late, segments=(4.0, 2.0, 0.9, 0.5, 0.1), nfe=40, **options)
    assert caught.value.chains == dict.fromkeys(range(16), when)


def test_non_finite_chains_keep_their_number_across_chunks() -> None:
    n = 2048 + 40
    whole, parts = (
        draw(n=n, score=torn, method="ddpm", nfe=20, chunk=chunk, nonfinite="keep")
        for chunk in (None, 1)
    )
    assert whole.diagnostics.nonfinite == parts.diagnostics.nonfinite
    assert max(whole.diagnostics.nonfinite) > 2048


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_energies_that_are_not_finite_are_named(value: float) -> None:
    with pytest.raises(NonFiniteError):
        draw(method="rtk-mala", log_prob=lambda x, t: torch.full((len(x),), value))


def test_a_hole_in_the_energy_is_only_avoided() -> None:
    """Proposals into it are rejected; a chain that was carried into it by a warm start is named."""
    target = skewed()

    def holed(x: Tensor, t: float) -> Tensor:
        return torch.where(x[:, 1] > 1.2, torch.nan, target.log_prob(x, t))

    result = draw(
        method="rtk-mala", n=500, log_prob=holed, warm_start="x", nonfinite="keep", segments=4
    )
    inside = torch.nonzero(result.samples[:, 1] > 1.3).flatten().tolist()
    assert set(inside) <= set(result.diagnostics.nonfinite)
    assert len(result.diagnostics.nonfinite) < 250


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


def test_a_step_object_is_a_method() -> None:
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
