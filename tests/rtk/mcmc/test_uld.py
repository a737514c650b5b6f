import math
from dataclasses import astuple

import mpmath
import numpy as np
import pytest
import torch
from scipy.linalg import solve_discrete_lyapunov
from torch import Tensor

from rtk import ReverseTransition
from rtk.mcmc.uld import SERIES_BELOW, coefficients, uld
from rtk.noise import ChainNoise
from tests.oracles import DOUBLE, Array, CountingScore, Law, assert_moments, gaussian

CHAINS = 50_000
M, V, X, T_HI, T_LO = 0.7, 0.3, -0.4, 1.0, 0.2


def defining_integrals(tau: float, gamma: float) -> list[float]:
    """Decay, kick, push, Var xi_v, Var xi_z and Cov as integrals over the step.

    With dv = -gamma v dt - G dt + sqrt(2 gamma) dB, what enters v at age u has decayed by
    ``exp(-gamma u)`` and has moved z by ``(1 - exp(-gamma u)) / gamma``.
    """
    with mpmath.workdps(30):
        tau, gamma = mpmath.mpf(tau), mpmath.mpf(gamma)
        # Gauss-Legendre on pieces short against the decay.
        pieces = mpmath.linspace(0, tau, 2 + int(gamma * tau / 10))

        def over_ages(f: object) -> mpmath.mpf:
            return mpmath.quad(f, pieces, method="gauss-legendre")

        def decay(u: mpmath.mpf) -> mpmath.mpf:
            return mpmath.exp(-gamma * u)

        def moved(u: mpmath.mpf) -> mpmath.mpf:
            return -mpmath.expm1(-gamma * u) / gamma

        exact = [
            decay(tau),
            over_ages(decay),
            over_ages(moved),
            2 * gamma * over_ages(lambda u: decay(u) ** 2),
            2 * gamma * over_ages(lambda u: moved(u) ** 2),
            2 * gamma * over_ages(lambda u: decay(u) * moved(u)),
        ]
        return [float(value) for value in exact]


@pytest.mark.parametrize("gamma", [0.3, 40.0])
@pytest.mark.parametrize("y", [1e-8, 1e-4, 0.01, 0.999 * SERIES_BELOW, SERIES_BELOW, 0.3, 2, 50])
def test_coefficients_are_the_defining_integrals(y: float, gamma: float) -> None:
    tau = y / gamma
    actual = astuple(coefficients(tau, gamma))
    np.testing.assert_allclose(actual, defining_integrals(tau, gamma), rtol=2e-12)


@pytest.mark.parametrize("y", np.geomspace(1e-10, 100, 45))
def test_noise_covariance_is_positive(y: float) -> None:
    c = coefficients(y / 2.0, 2.0)
    assert c.variance_v > 0
    assert c.variance_z > 0
    # The correlation is at most sqrt(3)/2, its limit for small steps.
    assert 0 < c.covariance**2 / (c.variance_v * c.variance_z) < 0.75 + 1e-9


def kernel_of_a_gaussian(
    n: int, dtype: torch.dtype = DOUBLE
) -> tuple[ReverseTransition, float, float]:
    """A kernel with a quadratic potential, its curvature and its minimum."""
    x = torch.full((n, 1), X, dtype=dtype)
    mixture = gaussian(M, V)
    kernel = ReverseTransition(mixture.score, x, T_HI, T_LO)
    curvature = 1 / (math.exp(-2 * T_LO) * V + 1 - math.exp(-2 * T_LO)) + kernel.tilt_precision
    centre = mixture.reverse_transition(x[:1].double(), T_HI, T_LO).mean().item()
    return kernel, curvature, centre


def affine_step(tau: float, gamma: float, curvature: float) -> tuple[Array, Array]:
    """Matrix and noise covariance of a step on (z - centre, v)."""
    decay, kick, push, variance_v, variance_z, covariance = defining_integrals(tau, gamma)
    matrix = np.array([[1 - push * curvature, kick], [-kick * curvature, decay]])
    return matrix, np.array([[variance_z, covariance], [covariance, variance_v]])


@pytest.mark.parametrize(("relative", "friction"), [(0.3, 1.0), (1.0, 2.0), (1.0, 0.01)])
def test_moments_of_a_whole_run(relative: float, friction: float) -> None:
    kernel, curvature, centre = kernel_of_a_gaussian(CHAINS)
    tau, gamma = relative / math.sqrt(curvature), friction * math.sqrt(curvature)
    matrix, noise_covariance = affine_step(tau, gamma, curvature)
    start = -1.5
    law = Law(np.array([start - centre, 0.0]), np.diag([0.0, 1.0]))
    for steps in (1, 2, 3, 4):
        law = law.push(matrix.tolist(), [0.0, 0.0], noise_covariance)
        noise = ChainNoise(steps, CHAINS, (1,), dtype=DOUBLE)
        end = uld(kernel, torch.full_like(kernel.x, start), steps, tau, gamma, noise)
        assert_moments(end, np.array([law.mean[0] + centre]), law.covariance[:1, :1])


@pytest.mark.parametrize(("relative", "friction"), [(0.5, 2.0), (1.2, 1.0)])
def test_stationary_law_solves_the_lyapunov_equation(relative: float, friction: float) -> None:
    kernel, curvature, centre = kernel_of_a_gaussian(CHAINS)
    tau, gamma = relative / math.sqrt(curvature), friction * math.sqrt(curvature)
    stationary = solve_discrete_lyapunov(*affine_step(tau, gamma, curvature))
    noise = ChainNoise(8, CHAINS, (1,), dtype=DOUBLE)
    end = uld(kernel, kernel.x, 30, tau, gamma, noise)
    assert_moments(end, np.array([centre]), np.array(stationary[:1, :1]))
    # The known bias of the frozen gradient; it must not be hidden by sampling error.
    assert abs(stationary[0, 0] * curvature - 1) > 0.02


def test_bias_vanishes_with_the_step() -> None:
    curvature = 2.0
    taus = np.array([0.4, 0.2, 0.1, 0.05])
    gamma = 2 * math.sqrt(curvature)
    biases = []
    for tau in taus:
        c = coefficients(tau, gamma)
        matrix = np.array([[1 - c.push * curvature, c.kick], [-c.kick * curvature, c.decay]])
        noise = np.array([[c.variance_z, c.covariance], [c.covariance, c.variance_v]])
        biases.append(abs(solve_discrete_lyapunov(matrix, noise)[0, 0] * curvature - 1))
    slopes = np.diff(np.log(biases)) / np.diff(np.log(taus))
    np.testing.assert_allclose(slopes[-1], 1.0, atol=0.1)


def test_one_score_a_step() -> None:
    score = CountingScore(gaussian(M, V).score)
    kernel = ReverseTransition(score, torch.zeros(5, 1), T_HI, T_LO)
    uld(kernel, kernel.x, 7, 0.1, 2.0, ChainNoise(0, 5, (1,)))
    assert score.rows == 35
    assert set(score.times) == {T_LO}


def test_single_precision() -> None:
    ends: list[Tensor] = []
    for dtype in (torch.float32, DOUBLE):
        kernel, curvature, _ = kernel_of_a_gaussian(500, dtype)
        root = math.sqrt(curvature)
        noise = ChainNoise(2, 500, (1,), dtype=dtype)
        ends.append(uld(kernel, kernel.x, 20, 1e-3 / root, 2.0 * root, noise).double())
    torch.testing.assert_close(*ends, rtol=1e-4, atol=1e-5)
