"""The inner chains side by side: how the invariant law on a Gaussian depends on their step.

``z`` has the potential ``c z^2 / 2`` and ``gamma = 2 c^(1/2)``. A step is relative to ``1 / c`` for
the overdamped chains and to ``1 / c^(1/2)`` for the others. The laws are read off the code of the
chains, except where there is a Metropolis test.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from rtk import ReverseTransition
from rtk.laws.affine import UnitNoise, affine_law
from rtk.mcmc.ghmc import ghmc
from rtk.mcmc.hmc import hmc
from rtk.mcmc.leimkuhler_matthews import leimkuhler_matthews
from rtk.mcmc.mala import mala
from rtk.mcmc.randomized_midpoint import midpoint_step
from rtk.mcmc.splitting import splitting
from rtk.mcmc.ula import ula
from rtk.mcmc.uld import uld
from rtk.noise import ChainNoise, Noise
from tests.oracles import DOUBLE, assert_average, gaussian

# A standard normal has all p_t the same, so the kernel is N(e^-eta x, 1 - e^-2eta).
T_HI, T_LO = 0.9, 0.4
VARIANCE = -math.expm1(-2 * (T_HI - T_LO))


def kernel(n: int) -> ReverseTransition:
    """The kernel at ``x = 0``, centred there."""
    target = gaussian(0.0, 1.0)
    x = torch.zeros(n, 1, dtype=DOUBLE)
    return ReverseTransition(target.score, x, T_HI, T_LO, target.log_prob)


Chain = Callable[[ReverseTransition, int, float, Noise], Tensor]
ROOT = VARIANCE**-0.5


def underdamped(word: str) -> Chain:
    return lambda k, steps, h, noise: splitting(k, k.x, word, steps, h / ROOT, 2.0 * ROOT, noise)


UNADJUSTED: dict[str, Chain] = {
    "ULA": lambda k, steps, h, noise: ula(k.grad, k.x, steps, h * VARIANCE, noise),
    "LM": lambda k, steps, h, noise: leimkuhler_matthews(k, k.x, steps, h * VARIANCE, noise),
    "exponential": lambda k, steps, h, noise: uld(k, k.x, steps, h / ROOT, 2.0 * ROOT, noise),
    "OBABO": underdamped("OBABO"),
    "UBU": underdamped("UBU"),
    "BAOAB": underdamped("BAOAB"),
}


def error(chain: Chain, step: float) -> float:
    """Relative error of the variance of z once the start is forgotten, to about 1e-13."""
    steps = round(40 / step)
    law = affine_law(lambda noise: chain(kernel(noise.n), steps, step, noise), 1)
    return float(law.variance[0] / VARIANCE - 1.0)


@pytest.mark.parametrize(
    ("name", "order"), [("ULA", 1), ("exponential", 1), ("OBABO", 2), ("UBU", 2)]
)
def test_order(name: str, order: int) -> None:
    """Halving the step divides the error by ``2^order``."""
    coarse, fine = (error(UNADJUSTED[name], step) for step in (0.16, 0.08))
    assert abs(fine) > 1e-5
    assert coarse / fine == pytest.approx(2.0**order, rel=0.1)


@pytest.mark.parametrize("name", ["LM", "BAOAB"])
@pytest.mark.parametrize("step", [0.3, 1.2])
def test_no_error(name: str, step: float) -> None:
    assert abs(error(UNADJUSTED[name], step)) < 1e-12


class FixedTime(UnitNoise):
    """Unit noise in which every step takes its force at the same fraction ``u``."""

    def __init__(self, u: float) -> None:
        super().__init__(6, 1)
        self._u = u

    def uniform(self) -> Tensor:
        return torch.full((self.n,), self._u, dtype=DOUBLE)


def error_of_the_midpoint(step: float) -> float:
    """The same of the randomized midpoint method, by second moments averaged over ``u``."""
    carried, added = np.zeros((4, 4)), np.zeros(4)
    for node, weight in zip(*np.polynomial.legendre.leggauss(20), strict=True):
        noise = FixedTime(0.5 * (node + 1.0))
        z, v = noise.normal(), noise.normal()
        ends = midpoint_step(kernel(noise.n), z, v, step / ROOT, 2.0 * ROOT, noise)
        columns = torch.stack(ends)[:, 2:, 0].numpy()
        matrix, spread = columns[:, :2], columns[:, 2:]
        carried += 0.5 * weight * np.kron(matrix, matrix)
        added += 0.5 * weight * (spread @ spread.T).ravel()
    second = np.linalg.solve(np.eye(4) - carried, added)
    return float(second[0] / VARIANCE - 1.0)


def test_order_of_the_randomized_midpoint() -> None:
    """Order 3 on a Gaussian, and at equal cost, two scores a step, less error than OBABO."""
    coarse, fine = (error_of_the_midpoint(step) for step in (0.16, 0.08))
    assert coarse / fine == pytest.approx(8.0, rel=0.1)
    assert abs(error_of_the_midpoint(0.32)) < abs(error(UNADJUSTED["OBABO"], 0.16))


ADJUSTED: dict[str, Callable[[ReverseTransition, Tensor, Noise], tuple[object, Tensor]]] = {
    "MALA": lambda k, z, noise: mala(k, z, 6, 0.72 * VARIANCE, noise),
    "HMC": lambda k, z, noise: hmc(k, z, 6, 1.2 / ROOT, 3, noise),
    "GHMC": lambda k, z, noise: ghmc(k, z, 6, 1.2 / ROOT, 2.0 * ROOT, noise),
}


@pytest.mark.parametrize("name", ADJUSTED)
def test_a_metropolis_test_removes_the_error(name: str) -> None:
    """n = 200 000 from an exact start; the standard error of the variance is 0.3 %.

    Without the test all three are wrong by far more: the leapfrog method with this step by more
    than half.
    """
    n = 200_000
    noise = ChainNoise(1, n, (1,), dtype=DOUBLE)
    last, accepted = ADJUSTED[name](kernel(n), noise.normal() / ROOT, noise)
    assert 0.5 < float(accepted.mean()) / 6 < 0.95
    assert_average(last.z / VARIANCE**0.5, 0.0)  # type: ignore[attr-defined]
    assert_average(last.z**2 / VARIANCE, 1.0)  # type: ignore[attr-defined]
    assert abs(error(UNADJUSTED["OBABO"], 1.2)) > 0.5
