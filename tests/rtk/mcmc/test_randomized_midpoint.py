"""The randomized midpoint method against its defining integrals, moment by moment."""

import math
from collections.abc import Callable

import mpmath
import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch import Tensor

import rtk
from rtk import ReverseTransition
from rtk.laws.affine import UnitNoise
from rtk.mcmc.randomized_midpoint import free_motion, midpoint_step, randomized_midpoint
from rtk.mcmc.uld import coefficients
from rtk.noise import ChainNoise
from tests.oracles import DOUBLE, Array, CountingScore, assert_moments, gaussian, skewed

M, V, X, T_HI, T_LO = 0.7, 0.3, -0.4, 1.0, 0.2
CASES = [(0.3, 2.0), (1.2, 1.0), (0.8, 0.01)]


@pytest.mark.parametrize(("dtype", "rtol"), [(DOUBLE, 1e-12), (torch.float32, 3e-6)])
def test_free_motion(dtype: torch.dtype, rtol: float) -> None:
    """As `rtk.mcmc.uld.coefficients`, which has an oracle of its own, for ``gamma h`` from 1e-10
    to 100 and across the border of the continued fraction, at 2. The reference itself loses a few
    digits where its series end."""
    friction = 2.0
    products = np.concatenate((np.geomspace(1e-10, 100, 45), [1.99, 1.9999, 2.0, 2.01]))
    durations = torch.tensor(products / friction, dtype=dtype)
    motion = free_motion(durations, friction)
    scalars = [coefficients(h, friction) for h in durations.tolist()]
    for name, value in {
        "decay": motion.decay,
        "kick": motion.kick,
        "push": motion.push,
        "variance_v": motion.spread_v**2,
        "variance_z": motion.shared**2 + motion.own**2,
        "covariance": motion.shared * motion.spread_v,
    }.items():
        assert value.dtype == dtype
        expected = torch.tensor([getattr(c, name) for c in scalars], dtype=DOUBLE)
        # The largest decay, exp(-100), has the relative error of its exponent.
        torch.testing.assert_close(value.double(), expected, rtol=rtol, atol=1e-25)


@pytest.mark.parametrize("product", [1e-6, 1e-3, 0.1, 1.0, 1.99, 2.01, 10.0])
def test_own_noise_of_the_position(product: float) -> None:
    """``2 (x - tanh x)^(1/2) / gamma`` to all digits, though the difference cancels."""
    motion = free_motion(torch.tensor([product / 3.0], dtype=DOUBLE), 3.0)
    with mpmath.workdps(40):
        x = mpmath.mpf(product) / 2
        expected = float(2 * mpmath.sqrt(x - mpmath.tanh(x)) / 3)
    assert motion.own.item() == pytest.approx(expected, rel=1e-14)


def test_no_motion_at_all() -> None:
    motion = free_motion(torch.zeros(1), 2.0)
    values = [motion.decay, motion.kick, motion.push, motion.spread_v, motion.shared, motion.own]
    assert [value.item() for value in values] == [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]


class FixedTime(UnitNoise):
    """Unit noise in which every step takes its force at the same fraction ``u``."""

    def __init__(self, draws: int, u: float) -> None:
        super().__init__(draws, 1)
        self._u = u

    def uniform(self) -> Tensor:
        return torch.full((self.n,), self._u, dtype=DOUBLE)


def kernel_of_a_gaussian(n: int) -> tuple[ReverseTransition, float, float]:
    """A kernel with a quadratic potential, its curvature and its minimum."""
    x = torch.full((n, 1), X, dtype=DOUBLE)
    mixture = gaussian(M, V)
    kernel = ReverseTransition(mixture.score, x, T_HI, T_LO)
    curvature = 1 / (math.exp(-2 * T_LO) * V + 1 - math.exp(-2 * T_LO)) + kernel.tilt_precision
    return kernel, curvature, mixture.reverse_transition(x[:1], T_HI, T_LO).mean().item()


def step_of_the_code(tau: float, gamma: float, u: float) -> tuple[Array, Array, Array]:
    """Offset, matrix and noise covariance of a step on (z, v), read off chain by chain."""
    noise = FixedTime(6, u)
    kernel, _, _ = kernel_of_a_gaussian(noise.n)
    state = noise.normal(), noise.normal()
    ends = torch.stack(midpoint_step(kernel, *state, tau, gamma, noise), 1)[..., 0].numpy()
    columns = (ends[2:] - ends[0]).T
    return ends[0], columns[:, :2], columns[:, 2:] @ columns[:, 2:].T


def step_by_integrals(tau: float, gamma: float, u: float, curvature: float) -> tuple[Array, Array]:
    """Matrix and noise covariance of a step on (z - centre, v), from the method's definition."""

    def moved(s: float) -> float:
        return -math.expm1(-gamma * s) / gamma

    middle = u * tau

    def integral(f: Callable[[float], float]) -> float:
        """Over the step, in two parts, since the integrands have a kink where the force acts."""
        parts = [quad(f, *ends, epsrel=1e-13)[0] for ends in ((0.0, middle), (middle, tau))]
        return float(sum(parts))

    # What noise at time s has done to y, z and v.
    felt: list[Callable[[float], float]] = [
        lambda s: moved(middle - s) if s < middle else 0.0,
        lambda s: moved(tau - s),
        lambda s: math.exp(-gamma * (tau - s)),
    ]
    covariance = np.array(
        [[2.0 * gamma * integral(lambda s: f(s) * g(s)) for g in felt] for f in felt]  # noqa: B023
    )
    # What y gets of (z - centre, v), and what z and v get of the force at y.
    y = np.array([1.0 - curvature * integral(felt[0]), moved(middle)])
    force = -tau * curvature * np.array([moved(tau - middle), math.exp(-gamma * (tau - middle))])
    matrix = np.array([[1.0, moved(tau)], [0.0, math.exp(-gamma * tau)]]) + np.outer(force, y)
    gets = np.column_stack((force, np.eye(2)))
    return matrix, gets @ covariance @ gets.T


@pytest.mark.parametrize(("relative", "friction"), CASES)
@pytest.mark.parametrize("u", [0.0, 0.2, 0.7, 0.999])
def test_one_step(relative: float, friction: float, u: float) -> None:
    """Matrix and joint covariance of the three coupled noise integrals, by quadrature."""
    _, curvature, centre = kernel_of_a_gaussian(1)
    root = math.sqrt(curvature)
    tau, gamma = relative / root, friction * root
    offset, matrix, covariance = step_of_the_code(tau, gamma, u)
    expected_matrix, expected_covariance = step_by_integrals(tau, gamma, u, curvature)
    np.testing.assert_allclose(matrix, expected_matrix, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(covariance, expected_covariance, rtol=1e-9, atol=1e-12)
    still = np.array([centre, 0.0])
    np.testing.assert_allclose(matrix @ still + offset, still, rtol=1e-11, atol=1e-11)


def averaged(relative: float, friction: float, curvature: float) -> tuple[Array, Array, Array]:
    """The step's mean matrix, its action on second moments (4, 4), its mean noise (4,)."""
    root = math.sqrt(curvature)
    nodes, weights = np.polynomial.legendre.leggauss(24)
    steps = [
        step_by_integrals(relative / root, friction * root, u, curvature) for u in (nodes + 1) / 2
    ]
    mean = sum(w / 2 * a for w, (a, _) in zip(weights, steps, strict=True))
    second = sum(w / 2 * np.kron(a, a) for w, (a, _) in zip(weights, steps, strict=True))
    noise = sum(w / 2 * q.ravel() for w, (_, q) in zip(weights, steps, strict=True))
    return np.asarray(mean), np.asarray(second), np.asarray(noise)


@pytest.mark.parametrize(("relative", "friction"), [(0.5, 2.0), (1.2, 1.0)])
def test_moments_of_a_whole_run(relative: float, friction: float) -> None:
    """n = 100 000: mean and covariance, averaged over the random times by quadrature."""
    n, start = 100_000, -1.5
    kernel, curvature, centre = kernel_of_a_gaussian(n)
    root = math.sqrt(curvature)
    tau, gamma = relative / root, friction * root
    average, second, noise = averaged(relative, friction, curvature)
    mean = np.array([start - centre, 0.0])
    moments = (np.outer(mean, mean) + np.diag([0.0, 1.0])).ravel()
    for steps in (1, 2, 3):
        mean, moments = average @ mean, second @ moments + noise
        chains = ChainNoise(steps, n, (1,), dtype=DOUBLE)
        z = torch.full_like(kernel.x, start)
        end = randomized_midpoint(kernel, z, steps, tau, gamma, chains)
        variance = moments[0] - mean[0] ** 2
        assert_moments(end, np.array([mean[0] + centre]), np.array([[variance]]))


def stationary_bias(relative: float, friction: float = 2.0, curvature: float = 2.0) -> float:
    """Relative error of the stationary variance of z."""
    _, second, noise = averaged(relative, friction, curvature)
    return float(np.linalg.solve(np.eye(4) - second, noise)[0] * curvature - 1.0)


def test_order_of_the_stationary_variance() -> None:
    """It is of third order on a Gaussian; halving the step divides it by 8."""
    assert stationary_bias(0.1) / stationary_bias(0.05) == pytest.approx(8.0, rel=0.02)


def test_two_scores_a_step() -> None:
    score = CountingScore(gaussian(M, V).score)
    kernel = ReverseTransition(score, torch.zeros(5, 1), T_HI, T_LO)
    randomized_midpoint(kernel, kernel.x, 7, 0.1, 2.0, ChainNoise(0, 5, (1,)))
    assert score.rows == 5 * 14


def test_chains_have_times_of_their_own() -> None:
    """A batch gives what its chains give one by one, in the plane."""
    target = skewed()
    x = torch.randn(8, 2, generator=torch.Generator().manual_seed(0), dtype=DOUBLE)

    def run(first: int, n: int) -> Tensor:
        kernel = ReverseTransition(target.score, x[first : first + n], 1.2, 0.3)
        noise = ChainNoise(3, n, (2,), first, dtype=DOUBLE)
        return randomized_midpoint(kernel, kernel.x, 5, 0.3, 2.0, noise)

    singles = torch.cat([run(k, 1) for k in range(8)])
    torch.testing.assert_close(run(0, 8), singles, rtol=1e-12, atol=1e-12)


def test_as_the_integrator_of_rtk_uld() -> None:
    """Two scores a step, counted, and the budget used."""
    target = skewed()
    score = CountingScore(target.score)
    result = rtk.sample(score, 2, 100, "rtk-uld", 60, segments=4, integrator="randomized-midpoint")
    assert score.rows == 100 * result.nfe
    assert 56 <= result.nfe <= 60
    for segment in result.diagnostics.segments[:-1]:
        assert segment.nfe == 1 + 2 * segment.inner_steps
