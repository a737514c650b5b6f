"""The Leimkuhler-Matthews method against the large-friction limit of BAOAB, and its exact law."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from rtk import ReverseTransition
from rtk.laws import affine
from rtk.laws.gaussian import Gaussian, tv
from rtk.mcmc.leimkuhler_matthews import leimkuhler_matthews
from rtk.mcmc.splitting import splitting
from rtk.noise import ChainNoise
from rtk.samplers.reverse_transition import RTKLM, RTKULA
from tests.oracles import DOUBLE, CountingScore, gaussian, skewed

M, V, X, T_HI, T_LO = 0.7, 0.3, -0.4, 1.0, 0.2


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_it_is_baoab_with_large_friction(steps: int) -> None:
    """Chain by chain, on a mixture in the plane: the velocity is forgotten in every step."""
    target, n = skewed(), 50
    x = torch.randn(n, 2, generator=torch.Generator().manual_seed(0), dtype=DOUBLE)
    kernel = ReverseTransition(target.score, x, 1.2, 0.3)
    step_size = 0.3
    limit = splitting(
        kernel, x, "BAOAB", steps, step_size, 1e3, ChainNoise(1, n, (2,), dtype=DOUBLE)
    )
    z = leimkuhler_matthews(
        kernel, x, steps, step_size**2 / 2, ChainNoise(1, n, (2,), dtype=DOUBLE)
    )
    torch.testing.assert_close(z, limit, rtol=1e-12, atol=1e-12)


def recursion(relative: float, steps: int) -> float:
    """Variance of z times the curvature, after steps from an exact start, by its recursion.

    ``E z xi_k`` is ``(tau / 2)^(1/2)`` after each step, since ``xi_k`` entered it last.
    """
    variance, shared = 1.0, 0.0
    for k in range(steps):
        keep = 1.0 - relative * (0.5 if k == 0 else 1.0)
        variance = keep**2 * variance + relative + 2 * keep * math.sqrt(relative / 2) * shared
        shared = math.sqrt(relative / 2)
    return variance


@pytest.mark.parametrize("relative", [0.1, 0.8, 1.7])
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_law_from_an_exact_start(relative: float, steps: int) -> None:
    """The variance is off by (c tau)^2 / 4 after one step, and then forgets that."""
    mixture = gaussian(M, V)
    one = torch.full((1, 1), X, dtype=DOUBLE)
    exact = mixture.reverse_transition(one, T_HI, T_LO)
    mean, variance = exact.mean().item(), exact.variances[0, 0].item()

    def draw(noise: affine.UnitNoise) -> Tensor:
        kernel = ReverseTransition(mixture.score, one.expand(noise.n, 1), T_HI, T_LO)
        start = mean + math.sqrt(variance) * noise.normal()
        return leimkuhler_matthews(kernel, start, steps, relative * variance, noise)

    law = affine.affine_law(draw, 1)  # type: ignore[arg-type]
    excess = relative**2 / 4 * (1 - relative) ** (2 * (steps - 1))
    np.testing.assert_allclose(recursion(relative, steps), 1 + excess, rtol=1e-12)
    np.testing.assert_allclose(law.mean, [mean], rtol=1e-10)
    np.testing.assert_allclose(law.variance, [variance * (1 + excess)], rtol=1e-10)


def quartic_error(method: str, step_size: float, n: int = 400) -> float:
    """Error of the stationary ``E z^2`` under ``g = z^2 / 2 + z^4 / 4``, without noise of sampling.

    The chain in ``y_k = z_k - (tau/2)^(1/2) xi_k`` is Markov: ``y <- y - tau g'(z) + (2 tau)^(1/2)
    xi`` with the same ``xi`` as in ``z``. Expectations live on a grid of y, and a Gauss-Hermite
    rule averages over ``xi``. Unadjusted Langevin is the same with ``z = y``.
    """
    grid = np.linspace(-4.5, 4.5, n)
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    gap = math.sqrt(step_size / 2) if method == "lm" else 0.0
    z = grid[:, None] + gap * nodes
    ends = grid[:, None] - step_size * (z + z**3) + math.sqrt(2 * step_size) * nodes
    # Cubic interpolation of the next expectation, so an operator on functions of y.
    spacing = grid[1] - grid[0]
    place = np.clip((ends - grid[0]) / spacing, 1.0, n - 3.0 + 0.999)
    left = np.clip(place.astype(int), 1, n - 3)
    t = place - left
    basis = [
        -t * (t - 1) * (t - 2) / 6,
        (t + 1) * (t - 1) * (t - 2) / 2,
        -(t + 1) * t * (t - 2) / 2,
        (t + 1) * t * (t - 1) / 6,
    ]
    matrix = np.zeros((n, n))
    for shift, values in zip((-1, 0, 1, 2), basis, strict=True):
        for k, weight in enumerate(weights):
            np.add.at(matrix, (np.arange(n), left[:, k] + shift), weight * values[:, k])
    average = np.linalg.matrix_power(matrix, 2**12) @ (z**2 @ weights)
    density = np.exp(-(grid**2) / 2 - grid**4 / 4)
    return float(average[n // 2] - (grid**2 * density).sum() / density.sum())


def test_second_order_beyond_gaussians() -> None:
    """Halving the step divides the error of the invariant law by 4, and that of ULA by 2."""
    lm = [quartic_error("lm", tau) for tau in (0.1, 0.05, 0.025)]
    ula = [quartic_error("ula", tau) for tau in (0.1, 0.05, 0.025)]
    assert lm[1] / lm[2] == pytest.approx(4.0, rel=0.1)
    assert ula[1] / ula[2] == pytest.approx(2.0, rel=0.1)
    assert abs(lm[0]) < abs(ula[0]) / 4


def test_one_score_a_step() -> None:
    score = CountingScore(gaussian(M, V).score)
    kernel = ReverseTransition(score, torch.zeros(5, 1), T_HI, T_LO)
    leimkuhler_matthews(kernel, kernel.x, 7, 0.1, ChainNoise(0, 5, (1,)))
    assert score.rows == 35


def test_as_an_inner_chain() -> None:
    """At the same cost and step the exact law on N(.7, .3) is nearer than that of RTK-ULA."""
    mixture, target = gaussian(M, V), Gaussian([M], [V])
    options = {"step_size": 0.5, "data_variance": V}
    lm, ula_ = (
        affine.sample_law(mixture.score, 1, sampler(**options), 60)  # type: ignore[arg-type]
        for sampler in (RTKLM, RTKULA)
    )
    assert lm[1] == ula_[1]
    assert tv(lm[0], target) < 0.2 * tv(ula_[0], target)
