"""The laws of the samples of every sampler, on a Gaussian and on a skewed mixture."""

import itertools
import math
from typing import Any

import numpy as np
import pytest

import rtk
from rtk import ExactKernel, segments
from rtk.mcmc.uld import coefficients
from tests.oracles import (
    DOUBLE,
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
    "dpm++3m": ({"nfe": 50}, 0.003, 0.01),
    "unipc-2": ({"nfe": 50}, 0.003, 0.01),
    "unipc-3": ({"nfe": 50}, 0.003, 0.01),
    "heun": ({"nfe": 81}, 0.003, 0.01),
    "er-sde": ({"nfe": 60}, 0.01, 0.02),
    "restart": ({"nfe": 75}, 0.01, 0.02),
    "ald": ({"nfe": 200, "segments": 20, "step_size": 0.1, **WIDTH}, 0.07, 0.15),
    "rtk-ula": ({"nfe": 201, "segments": 10, "step_size": 0.1, **WIDTH}, 0.025, 0.06),
    "rtk-lm": ({"nfe": 201, "segments": 10, "step_size": 0.3, **WIDTH}, 0.015, 0.03),
    "rtk-mala": ({"nfe": 151, "segments": 10, **WIDTH}, 0.01, 0.02),
    "rtk-hmc": ({"nfe": 201, "segments": 10, **WIDTH}, 0.01, 0.02),
    "rtk-ghmc": ({"nfe": 151, "segments": 10, **WIDTH}, 0.01, 0.02),
    "rtk-uld": ({"nfe": 201, "segments": 10, "step_size": 0.3, **WIDTH}, 0.015, 0.03),
    "calibrated": ({"nfe": 30}, 0.003, 0.01),
    "rtk": ({"nfe": 30}, 0.003, 0.01),
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
