"""Laws of underdamped Langevin on a grid against affine maps and against the sampler itself."""

import itertools

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from rtk import GaussianMixture
from rtk.kernel import ReverseTransition
from rtk.laws import phase_space
from rtk.laws.affine import affine_law
from rtk.laws.gaussian import Gaussian
from rtk.laws.grid import Grid, start_law
from rtk.laws.phase_space import PhaseSpace
from rtk.mcmc import splitting, uld
from rtk.noise import ChainNoise, Noise
from tests.oracles import DOUBLE, gaussian
from tests.rtk.laws.cases import SKEWED, assert_samples

Array = NDArray[np.float64]
INTEGRATORS = ("exponential", *splitting.WORDS)
POSITIONS, VELOCITIES = Grid(-8.0, 8.0, 256), Grid(-8.0, 8.0, 128)
STEPS, FRICTION = 7, 1.5
START = Gaussian([0.3], [0.25])
"""Law of the chains at first; a point mass has no law that a grid resolves."""


def kernel(target: GaussianMixture, n: int = 1) -> ReverseTransition:
    """A kernel of the target, from x = 0.4 over a segment of length 0.5."""
    x = torch.full((n, 1), 0.4, dtype=DOUBLE)
    return ReverseTransition(target.score, x, 0.6, 0.1, target.log_prob)


def chains(
    target: GaussianMixture, integrator: str, step_size: float, noise: Noise, n: int
) -> Tensor:
    """The positions of the package's own sampler, from the start above."""
    k = kernel(target, n)
    z = 0.3 + 0.5 * noise.normal()
    if integrator == "exponential":
        return uld.uld(k, z, STEPS, step_size, FRICTION, noise)
    return splitting.splitting(k, z, integrator, STEPS, step_size, FRICTION, noise)


def joint_law(target: GaussianMixture, integrator: str, step_size: float) -> Array:
    """The law of position and velocity on the grid."""
    z = POSITIONS.points
    gradient = kernel(target, POSITIONS.cells).grad(z).squeeze(1).numpy()
    space = PhaseSpace(POSITIONS, VELOCITIES, gradient)
    law = space.start(start_law(START, POSITIONS))
    if integrator == "exponential":
        return phase_space.uld(law, space, STEPS, step_size, FRICTION)
    return phase_space.splitting(law, space, integrator, STEPS, step_size, FRICTION)


@pytest.mark.parametrize("integrator", INTEGRATORS)
@pytest.mark.parametrize("step_size", [0.01, 0.3])
def test_gaussian(integrator: str, step_size: float) -> None:
    """The affine propagation of the sampler's own code gives the same law, to 1e-9."""
    target = gaussian(0.7, 0.5)
    law = joint_law(target, integrator, step_size).sum(1)

    def draw(noise: Noise) -> Tensor:
        return chains(target, integrator, step_size, noise, noise.n)

    assert np.abs(law - start_law(affine_law(draw, 1), POSITIONS)).sum() <= 1e-9


@pytest.mark.parametrize("integrator", INTEGRATORS)
def test_skewed(integrator: str) -> None:
    """Means of four functions of n = 200 000 positions, to 5 standard errors of the mean."""
    n, step_size = 200_000, 0.3
    law = joint_law(SKEWED, integrator, step_size).sum(1)
    noise = ChainNoise(0, n, (1,), dtype=DOUBLE)
    z = chains(SKEWED, integrator, step_size, noise, n).squeeze(1).numpy()
    assert_samples(z, law, POSITIONS)


@pytest.mark.parametrize("integrator", ["OBABO", "BAOAB", "UBU"])
def test_second_order(integrator: str) -> None:
    """Halving the step of a symmetric word changes the law at a fixed time four times less."""
    z = POSITIONS.points
    gradient = kernel(SKEWED, POSITIONS.cells).grad(z).squeeze(1).numpy()
    space = PhaseSpace(POSITIONS, VELOCITIES, gradient)
    start = space.start(start_law(START, POSITIONS))
    laws = [
        phase_space.splitting(start, space, integrator, steps, 0.8 / steps, FRICTION)
        for steps in (8, 16, 32)
    ]
    coarse, fine = (np.abs(a - b).sum() for a, b in itertools.pairwise(laws))
    assert coarse / fine == pytest.approx(4.0, rel=0.05)


def test_laws_that_are_not_resolved() -> None:
    """A point mass, and a grid that ends within the law."""
    space = PhaseSpace(POSITIONS, VELOCITIES, POSITIONS.centres)
    point = (np.arange(256) == 100).astype(float)
    with pytest.raises(ArithmeticError, match="too coarse"):
        phase_space.splitting(space.start(point), space, "BAOAB", 1, 0.1, FRICTION)
    narrow = Grid(-1.0, 1.0, 64)
    space = PhaseSpace(narrow, VELOCITIES, narrow.centres)
    with pytest.raises(ArithmeticError, match="too narrow"):
        phase_space.uld(space.start(np.full(64, 1 / 64)), space, 1, 0.1, FRICTION)


def test_wrong_gradient() -> None:
    """Its shape is that of the positions."""
    with pytest.raises(ValueError, match="256 positions"):
        PhaseSpace(POSITIONS, VELOCITIES, np.zeros(3))
