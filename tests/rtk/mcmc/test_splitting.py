"""Splittings against the composition of their exact flows, their order, their cost."""

import math
from functools import reduce

import numpy as np
import pytest
import torch
from scipy.linalg import expm, solve_discrete_lyapunov

import rtk
from rtk import ReverseTransition
from rtk.laws import affine
from rtk.laws import gaussian as gaussian_law
from rtk.mcmc.splitting import WORDS, extra_score, splitting
from rtk.noise import ChainNoise
from rtk.samplers.reverse_transition import RTKULD
from tests.oracles import DOUBLE, Array, CountingScore, gaussian

M, V, X, T_HI, T_LO = 0.7, 0.3, -0.4, 1.0, 0.2
Affine = tuple[Array, Array]


def quadratic_kernel() -> tuple[ReverseTransition, float, float]:
    """A kernel with a quadratic potential, its curvature and its minimum."""
    x = torch.full((1, 1), X, dtype=DOUBLE)
    mixture = gaussian(M, V)
    kernel = ReverseTransition(mixture.score, x, T_HI, T_LO)
    curvature = 1 / (math.exp(-2 * T_LO) * V + 1 - math.exp(-2 * T_LO)) + kernel.tilt_precision
    return kernel, curvature, mixture.reverse_transition(x, T_HI, T_LO).mean().item()


def flow(letter: str, h: float, gamma: float, curvature: float) -> Affine:
    """Matrix and noise covariance of a linear equation on (z - centre, v), by van Loan's block."""
    drift = np.zeros((2, 2))
    diffusion = np.zeros((2, 2))
    if letter in "AU":
        drift[0, 1] = 1.0
    if letter in "OU":
        drift[1, 1] = -gamma
        diffusion[1, 1] = 2.0 * gamma
    if letter == "B":
        drift[1, 0] = -curvature
    block = expm(h * np.block([[-drift, diffusion], [np.zeros((2, 2)), drift.T]]))
    matrix = block[2:, 2:].T
    return matrix, matrix @ block[:2, 2:]


def composed(word: str, tau: float, gamma: float, curvature: float) -> Affine:
    """Matrix and noise covariance of a whole step."""

    def then(first: Affine, second: Affine) -> Affine:
        return second[0] @ first[0], second[0] @ first[1] @ second[0].T + second[1]

    return reduce(then, [flow(x, tau / word.count(x), gamma, curvature) for x in word])


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize(("relative", "friction"), [(0.4, 2.0), (0.8, 0.5)])
def test_law_after_some_steps(word: str, relative: float, friction: float) -> None:
    kernel, curvature, centre = quadratic_kernel()
    tau, gamma = relative / math.sqrt(curvature), friction * math.sqrt(curvature)
    matrix, noise = composed(word, tau, gamma, curvature)
    start = -1.5
    mean, covariance = np.array([start - centre, 0.0]), np.diag([0.0, 1.0])
    for steps in (1, 2, 3):
        mean, covariance = matrix @ mean, matrix @ covariance @ matrix.T + noise

        def draw(unit: affine.UnitNoise, steps: int = steps) -> torch.Tensor:
            x = kernel.x.expand(unit.n, 1)
            many = ReverseTransition(kernel.score, x, T_HI, T_LO)
            return splitting(many, torch.full_like(x, start), word, steps, tau, gamma, unit)

        law = affine.affine_law(draw, 1)  # type: ignore[arg-type]
        np.testing.assert_allclose(law.mean, [mean[0] + centre], rtol=1e-10)
        np.testing.assert_allclose(law.variance, [covariance[0, 0]], rtol=1e-10)


def bias(word: str, relative: float, curvature: float = 2.0) -> float:
    """Relative error of the stationary variance of z."""
    root = math.sqrt(curvature)
    stationary = solve_discrete_lyapunov(*composed(word, relative / root, 2.0 * root, curvature))
    return abs(float(stationary[0, 0]) * curvature - 1.0)


@pytest.mark.parametrize("word", ["OBABO", "UBU"])
def test_second_order(word: str) -> None:
    """The bias falls by four when the step is halved."""
    assert bias(word, 0.1) / bias(word, 0.05) == pytest.approx(4.0, rel=0.02)


def test_baoab_is_exact_for_a_gaussian() -> None:
    assert bias("BAOAB", 0.5) < 1e-12


@pytest.mark.parametrize(("word", "extra"), [("OBABO", 1), ("BAOAB", 1), ("UBU", 0)])
def test_scores(word: str, extra: int) -> None:
    score = CountingScore(gaussian(M, V).score)
    kernel = ReverseTransition(score, torch.zeros(5, 1), T_HI, T_LO)
    splitting(kernel, kernel.x, word, 7, 0.1, 2.0, ChainNoise(0, 5, (1,)))
    assert extra_score(word) == extra
    assert score.rows == 5 * (7 + extra)


@pytest.mark.parametrize("word", WORDS)
def test_as_the_inner_chain_of_rtk_uld(word: str) -> None:
    """Within budget, close to N(.7, .3) in exact law, and not the exponential integrator's law."""
    mixture, target = gaussian(M, V), gaussian_law.Gaussian([M], [V])
    laws = []
    for integrator in (word, "exponential"):
        sampler = RTKULD(integrator=integrator, data_variance=V)
        law, nfe = affine.sample_law(mixture.score, 1, sampler, 60)
        assert 50 < nfe <= 60
        assert gaussian_law.tv(law, target) < 0.03
        laws.append(law)
    split, exponential = laws
    assert gaussian_law.tv(split, exponential) > 1e-3


def test_unknown_integrator() -> None:
    with pytest.raises(ValueError, match="unknown integrator 'AB', expected one of"):
        rtk.sample(gaussian(M, V).score, 1, 2, "rtk-uld", 20, integrator="AB")
