"""The joint law of position and velocity of underdamped Langevin in one dimension, on a grid.

A law is a matrix of the probabilities of equal cells, shape (positions, velocities). Every
integrator that the package ships is made of four maps, and each is carried out on the Fourier
coefficients of the law in one of its two axes, so that what is resolved by the grid is transported
to rounding:

- a shear: a row moves by an amount that depends on its position, or a column by its velocity;
- a map of one coordinate with Gaussian noise behind it (`transport`), for friction and drift.

A noise that position and velocity share needs no map of its own. With ``r = shared / spread`` as in
`rtk.mcmc.uld`, the step ``z+ = z + kick v + shared xi + own xi'``, ``v+ = e v + spread xi`` is
``z+ = (z + (kick - r e) v) + r v+ + own xi'``: a shear, friction, a second shear, and a blur.

The grid is periodic here: what leaves it at one side enters at the other. A law that reaches its
edges, or that is too narrow for it, is refused (`check_resolved`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import fft

from rtk.laws.gaussian import Gaussian
from rtk.laws.grid import Array, Grid, start_law
from rtk.mcmc.uld import Coefficients, coefficients

# Largest probability that a law may have at the edges of its grid, or below zero, in all.
UNRESOLVED = 1e-7


@dataclass(frozen=True, eq=False)
class PhaseSpace:
    """Grids of both coordinates and the force that acts on the velocity.

    Attributes:
        positions, velocities: the grids of z and v.
        gradient: ``grad g`` at the centres of the positions, shape (positions.cells,).
    """

    positions: Grid
    velocities: Grid
    gradient: Array

    def __post_init__(self) -> None:
        if self.gradient.shape != (self.positions.cells,):
            raise ValueError(
                f"expected the gradient at {self.positions.cells} positions, got shape "
                f"{self.gradient.shape}"
            )

    def start(self, law: Array) -> Array:
        """The joint law of ``z`` with the given law and an independent ``v ~ N(0, 1)``."""
        return np.outer(law, start_law(Gaussian([0.0], [1.0]), self.velocities))

    def kicked(self, law: Array, duration: float) -> Array:
        """``v+ = v - h grad g(z)``."""
        return _sheared(law, self.velocities, -duration * self.gradient)

    def moved(self, law: Array, duration: float) -> Array:
        """``z+ = z + h v``."""
        return _sheared(law.T, self.positions, duration * self.velocities.centres).T


def transport(grid: Grid, images: Array, variance: float) -> Array:
    """The matrix that takes the law of x to that of ``f(x) + N(0, variance)``.

    Column j holds the cells of a point mass at ``f(x_j)``, blurred by the noise and limited to the
    frequencies of the grid; single columns may be negative, laws that the grid resolves are not.
    The points ``x_j`` must resolve the waves of the grid after the map, ``e^{i k f(x)}``: where
    ``f'`` exceeds one and there is no noise, they lie more closely than the cells.

    Args:
        grid: of ``f(x)``.
        images: ``f`` at equally spaced points, shape (points,).
        variance: of the noise, 0 for none.

    Returns:
        Shape (cells, points).
    """
    frequency = frequencies(grid)
    waves = np.exp(-1j * frequency[:, np.newaxis] * (images - grid.centres[0]))
    matrix: Array = fft.irfft(
        waves * np.exp(-0.5 * variance * frequency**2)[:, np.newaxis], grid.cells, axis=0
    )
    return matrix


def uld(law: Array, space: PhaseSpace, steps: int, step_size: float, friction: float) -> Array:
    """The law after ``steps`` steps of the exponential integrator, `rtk.mcmc.uld.uld`.

    A step ``z+ = z + kick v - push g + xi_z``, ``v+ = e v - kick g + xi_v`` with ``g = grad g(z)``
    is a kick, ``w = v - (kick / e) g``, a drift, ``y = z + (kick^2 / e - push) g``, and then the
    free motion of (y, w).

    Args:
        law: the joint law at the start, shape (positions, velocities).
        space: the grids and the force.
        steps, step_size, friction: number of steps, ``tau`` and ``gamma``.

    Raises:
        ArithmeticError: for a law that the grid does not resolve at the end.
    """
    c = coefficients(step_size, friction)
    drift = (c.kick**2 / c.decay - c.push) * space.gradient
    drifted = transport(space.positions, space.positions.centres + drift, 0.0)
    free = _free_motion(space, c)
    for _ in range(steps):
        law = free(drifted @ space.kicked(law, c.kick / c.decay))
    return check_resolved(law)


def splitting(
    law: Array, space: PhaseSpace, word: str, steps: int, step_size: float, friction: float
) -> Array:
    """The law after ``steps`` steps of a splitting, `rtk.mcmc.splitting.splitting`.

    Args:
        law: the joint law at the start, shape (positions, velocities).
        space: the grids and the force.
        word: the order of the flows A, B, O and U, such as ``BAOAB``.
        steps, step_size, friction: number of steps, ``tau`` and ``gamma``.

    Raises:
        ArithmeticError: for a law that the grid does not resolve at the end.
    """
    duration = {letter: step_size / word.count(letter) for letter in word}
    motion = coefficients(duration.get("O") or duration["U"], friction)
    flows: dict[str, Callable[[Array], Array]] = {
        "A": lambda law: space.moved(law, duration["A"]),
        "B": lambda law: space.kicked(law, duration["B"]),
        "O": _friction(space, motion),
        "U": _free_motion(space, motion),
    }
    for letter in word * steps:
        law = flows[letter](law)
    return check_resolved(law)


def check_resolved(law: Array) -> Array:
    """The same law, of one or two coordinates, if no more than `UNRESOLVED` is wrong with it.

    That is what is negative, and what lies at the edges.
    """
    ends = (law.take(end, axis) for axis in range(law.ndim) for end in (0, -1))
    edges = float(sum(np.abs(end).sum() for end in ends))
    negative = -float(law.clip(max=0.0).sum())
    if max(edges, negative) > UNRESOLVED:
        raise ArithmeticError(
            "the grid is too narrow or too coarse for the law: expected at most "
            f"{UNRESOLVED} at its edges and below zero, got {edges:.2g} and {negative:.2g}"
        )
    return law


def _friction(space: PhaseSpace, c: Coefficients) -> Callable[[Array], Array]:
    """``v+ = e v + N(0, 1 - e^2)``."""
    velocities = space.velocities
    matrix = transport(velocities, c.decay * velocities.centres, c.variance_v)
    return lambda law: law @ matrix.T


def _free_motion(space: PhaseSpace, c: Coefficients) -> Callable[[Array], Array]:
    """``z+ = z + kick v + xi_z``, ``v+ = e v + xi_v``, as the head of this file says."""
    ratio = c.covariance / c.variance_v
    friction = _friction(space, c)
    own = c.variance_z - c.covariance * ratio
    blur = transport(space.positions, space.positions.centres, own)

    def flow(law: Array) -> Array:
        law = friction(space.moved(law, c.kick - ratio * c.decay))
        return blur @ space.moved(law, ratio)

    return flow


def frequencies(grid: Grid) -> Array:
    frequency: Array = 2.0 * math.pi * fft.rfftfreq(grid.cells, grid.spacing)
    return frequency


def _sheared(law: Array, grid: Grid, shifts: Array) -> Array:
    """Each row of the law, over the cells of ``grid``, moved by a shift of its own."""
    waves = np.exp(-1j * shifts[:, np.newaxis] * frequencies(grid))
    moved: Array = fft.irfft(fft.rfft(law) * waves, grid.cells)
    return moved
