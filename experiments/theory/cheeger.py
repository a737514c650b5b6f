"""B7: the Cheeger constant of a kernel at ``eta*`` that is truncated to a ball.

Projected RTK-MALA keeps its chain in the ball ``B(0, R)``, so its invariant law is the kernel ``~
exp(-g)`` restricted to the ball. Its analysis rests on the isoperimetry of that law, that is on the
Cheeger constant::

    h = inf_A P+(A) / min(P(A), 1 - P(A)),    P+ the boundary measure of A.

Units are such that the score has ``L = 1``. At ``eta*`` the potential is then, up to a constant,
``g = -log p_0 + |z - c|^2`` with ``1 <= hess g <= 3``. All targets are symmetric about the first
axis, and c lies on it. A point is ``(r cos(a), r sin(a) u)`` with a unit vector u of d - 1
dimensions, and the law of r and a is::

    r^(d-1) sin(a)^(d-2) exp(-g) dr da.

**Lower bounds**, for a convex set of diameter D and ``hess g >= m`` on it:

- ``h >= (2 m / pi)^(1/2)`` and ``gap >= m``: the law is a 1-Lipschitz image of ``N(0, I/m)``
  (Caffarelli 2000), or by Bakry and Emery's criterion (Bakry and Ledoux 1996); Gaussians attain
  both;
- ``h >= 2 / D`` (Dyer and Frieze 1991) and ``gap >= pi^2 / D^2`` (Payne and Weinberger 1960); the
  uniform law on an interval attains both.

**Upper bounds** are the ratios ``P+(A) / min(P(A), 1 - P(A))`` of sets A: half-spaces across the
first axis at every offset, the half-space along it, and balls about 0 of every radius.

In one dimension and for a log-concave law the infimum is that over half-lines (Bobkov 1999), so it
is exact. The spectral **gap** is that of the Langevin diffusion that is reflected at the sphere. It
comes from finite volumes in r and a, for functions that do not depend on u and for functions that
are linear in u. Functions of higher degree in u have larger eigenvalues.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import eigsh
from scipy.special import gammaln, logsumexp
from torch import Tensor

import rtk
from experiments.workflow import job, tidy
from rtk import segments
from rtk.kernel import ReverseTransition
from rtk.laws import grid as grid_law

Array = NDArray[np.float64]

LIPSCHITZ = 1.0
NEGLIGIBLE = -40.0
"""Log-density, relative to the largest, below which a grid is cut off."""
OFFSETS = 600
"""Cells of the offsets of half-spaces."""
NODES = 120
"""Nodes of the quadrature over the slice of a ball."""
RADII = 201
"""Cells of the radii of balls."""
LINE_CELLS = 20_000
"""Cells of the grid in one dimension."""
SMALLEST_MASS = 1e-9
"""Half-lines of a smaller part of the mass are left out."""


@dataclass(frozen=True)
class Settings:
    """Sizes of the study.

    Attributes:
        dimensions: dimensions d of the kernels; the dimension 1 is added to them.
        truncations: radii of the ball, divided by the typical norm (`typical_norm`).
        cells: cells per coordinate of the coarser of two grids.
    """

    dimensions: list[int]
    truncations: list[float]
    cells: int


@dataclass(frozen=True)
class Target:
    """A law with ``|hess log p_0| <= 1`` that is symmetric about the first axis.

    It is a function of the first coordinate and of the distance from the first axis.

    Attributes:
        log_prob: ``(x, 0) -> log p_0``, x of shape (n, 2).
        curvature: radius -> the smallest eigenvalue of ``-hess log p_0`` in the ball.
        offset: position of the noisy end x on the first axis, divided by ``d^(1/2)``.
    """

    log_prob: Callable[[Tensor, Any], Tensor]
    curvature: Callable[[float], float]
    offset: float = 0.0


def hyperbolic(x: Tensor, t: object) -> Tensor:
    """``-(1 + |x|^2)^(1/2)``, a log-concave law of exponential tails with a curvature in (0, 1]."""
    return -(1.0 + x.square().sum(1)).sqrt()


NORMAL = rtk.GaussianMixture([1.0], [[0.0, 0.0]], 1.0)
# For modes at +-m, here 2.2 standard deviations from the middle, m^2 / v^2 - 1 / v = 1 is L.
MODES = rtk.GaussianMixture([0.5, 0.5], [[-(20.0**0.5), 0.0], [20.0**0.5, 0.0]], 4.0)

TARGETS = {
    "gaussian": Target(NORMAL.log_prob, lambda radius: 1.0),
    "gaussian, off centre": Target(NORMAL.log_prob, lambda radius: 1.0, 1.0),
    "two modes": Target(MODES.log_prob, lambda radius: -1.0),
    "hyperbolic": Target(hyperbolic, lambda radius: (1.0 + radius**2) ** -1.5),
    "hyperbolic, off centre": Target(hyperbolic, lambda radius: (1.0 + radius**2) ** -1.5, 1.0),
}


@dataclass(frozen=True)
class Kernel:
    """The kernel of a target on the segment of length ``eta*`` that ends at 0, in d dimensions."""

    target: Target
    dimension: int

    def log_density(self, first: Array, distance: Array) -> Array:
        """``-g`` up to a constant, from first coordinates and distances from the first axis.

        The two arrays and the result have the same shape.
        """
        z = torch.from_numpy(np.stack((first.ravel(), distance.ravel()), 1))
        eta = segments.critical_length(LIPSCHITZ)
        x = torch.zeros_like(z)
        x[:, 0] = self.target.offset * self.dimension**0.5
        kernel = ReverseTransition(self._no_score, x, eta, 0.0, self.target.log_prob)
        tilt = kernel.tilt_difference(torch.zeros_like(z), z)
        log_density: Array = (self.target.log_prob(z, 0.0) - tilt).numpy().reshape(first.shape)
        return log_density

    def curvature(self, radius: float) -> float:
        """Smallest eigenvalue of ``hess g`` in the ball."""
        return self.target.curvature(radius) + 2.0 * LIPSCHITZ

    @staticmethod
    def _no_score(x: Tensor, t: object) -> Tensor:
        raise TypeError("only the law of this kernel is used")

    def slices(self, radius: float, dimension: int) -> Array:
        """``log int exp(-g(s, y)) dy`` over the slices ``first coordinate = s`` of a ball.

        The ball has ``dimension`` dimensions, and y the other ``dimension - 1``. The integral over
        ``|y|`` is by Gauss and Legendre's rule.

        Returns:
            Logarithms at equally spaced offsets s from -radius to radius, (2 OFFSETS + 1,).
        """
        s = np.linspace(-radius, radius, 2 * OFFSETS + 1)
        if dimension == 1:
            return self.log_density(s, np.zeros_like(s))
        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        # The slices at both ends are points, of which the logarithm is minus infinity.
        reach = np.sqrt(np.maximum(radius**2 - s**2, 0.0))[:, np.newaxis]
        distance = 0.5 * (nodes + 1.0) * reach
        logs = self.log_density(np.broadcast_to(s[:, np.newaxis], distance.shape), distance)
        with np.errstate(divide="ignore"):
            logs += np.log(0.5 * weights * reach)
            if dimension > 2:
                logs += (dimension - 2) * np.log(distance)
        integrals: Array = logsumexp(logs, axis=1) + log_sphere(dimension - 1)
        return integrals

    def polar(self, radius: float, cells: int) -> tuple[Array, Array, Array]:
        """A grid of radii and angles on the part of the ball where the law is not negligible.

        A coarse grid over the whole ball shows where that is.

        Returns:
            Radii (cells, 1), angles (1, cells), and the log-density of the law (cells, cells).
        """
        r_range, a_range = (0.0, radius), (0.0, math.pi)
        for count in (200, cells):
            r, a = (centres(*ends, count) for ends in (r_range, a_range))
            r, a = r[:, np.newaxis], a[np.newaxis]
            logs = (self.dimension - 1) * np.log(r) + (self.dimension - 2) * np.log(np.sin(a))
            logs = logs + self.log_density(r * np.cos(a), r * np.sin(a))
            is_kept = logs > logs.max() + NEGLIGIBLE
            r_range = kept_range(r_range, is_kept.any(1))
            a_range = kept_range(a_range, is_kept.any(0))
        return r, a, logs


def log_sphere(n: int) -> float:
    """Logarithm of the area of the unit sphere in n dimensions; for n = 1 it has two points."""
    return float(math.log(2.0) + 0.5 * n * math.log(math.pi) - gammaln(0.5 * n))


def centres(low: float, high: float, count: int) -> Array:
    """Centres of equal cells."""
    return grid_law.Grid(low, high, count).centres


def kept_range(ends: tuple[float, float], is_kept: NDArray[np.bool_]) -> tuple[float, float]:
    """The part of an interval of equal cells from the first cell that is kept to the last."""
    low, high = ends
    cells = np.flatnonzero(is_kept)
    width = (high - low) / len(is_kept)
    return low + width * cells[0], low + width * (cells[-1] + 1)


def masses(log_density: Array, spacing: float) -> tuple[Array, float]:
    """Masses of n cells by Simpson's rule, up to a factor, and the logarithm of that factor.

    Args:
        log_density: log-density at the ends and the middles of the cells, (2 n + 1,).
        spacing: width of a cell.
    """
    scale = float(log_density.max())
    density = np.exp(log_density - scale)
    mass: Array = (density[:-1:2] + 4.0 * density[1::2] + density[2::2]) * spacing / 6.0
    return mass, scale


def half_lines(log_density: Array, spacing: float) -> float:
    """``min_s p(s) / min(F(s), 1 - F(s))`` over the ends s of cells, for the arguments of `masses`.

    Half-lines of a negligible mass are left out; they have large ratios.
    """
    cells, scale = masses(log_density, spacing)
    mass = np.minimum(np.cumsum(cells)[:-1], np.cumsum(cells[::-1])[-2::-1])
    is_kept = mass > SMALLEST_MASS * cells.sum()
    density = np.exp(log_density[2:-1:2] - scale)
    return float((density[is_kept] / mass[is_kept]).min())


def half_spaces(kernel: Kernel, radius: float) -> float:
    """The smallest ratio over half-spaces across the first axis and the half-space along it."""
    spacing = 2.0 * radius / OFFSETS
    across = kernel.slices(radius, kernel.dimension)
    ball, scale = masses(across, spacing)
    section, section_scale = masses(kernel.slices(radius, kernel.dimension - 1), spacing)
    # By symmetry the half-space along the axis holds one half.
    along = 2.0 * section.sum() / ball.sum() * math.exp(section_scale - scale)
    return min(half_lines(across, spacing), along)


def balls(kernel: Kernel, radius: float) -> float:
    """The smallest ratio over balls about 0."""
    r, _, logs = kernel.polar(radius, RADII)
    return half_lines(logsumexp(logs, axis=1), 2.0 * float(r[1, 0] - r[0, 0]))


def gap(kernel: Kernel, radius: float, cells: int) -> float:
    """Spectral gap of the Langevin diffusion in the ball that is reflected at its sphere."""
    r, a, logs = kernel.polar(radius, cells)
    dr, da = float(r[1, 0] - r[0, 0]), float(a[0, 1] - a[0, 0])
    size, index = r.size * a.size, np.arange(r.size * a.size).reshape(r.size, a.size)
    stretch = np.broadcast_to((r * da) ** -2.0, logs.shape)
    diagonal, entries = np.zeros_like(logs), []
    for axis, rate in ((0, np.full_like(logs, dr**-2.0)), (1, stretch)):
        low = (slice(None, -1), slice(None)) if axis == 0 else (slice(None), slice(None, -1))
        high = (slice(1, None), slice(None)) if axis == 0 else (slice(None), slice(1, None))
        rise, speed = np.exp(0.5 * np.diff(logs, axis=axis)), rate[low]
        diagonal[low] += speed * rise
        diagonal[high] += speed / rise
        entries.append((index[low].ravel(), index[high].ravel(), -speed.ravel()))
    rows, columns, data = (np.concatenate(part) for part in zip(*entries, strict=True))
    coupling = sparse.coo_matrix((data, (rows, columns)), shape=(size, size))
    generator = (coupling + coupling.T).tocsc()
    # For functions that are linear in u: u is an eigenfunction of the Laplacian of the sphere, and
    # its eigenvalue is d - 2. In two dimensions u is a sign, and the function is 0 on the axis.
    twist = (kernel.dimension - 2) / (r * np.sin(a)) ** 2
    if kernel.dimension == 2:
        twist = np.zeros_like(logs)
        twist[:, [0, -1]] += 2.0 * stretch[:, [0, -1]]
    even = lowest(generator + sparse.diags_array(diagonal.ravel()), 2)[1]
    odd = lowest(generator + sparse.diags_array((diagonal + twist).ravel()), 1)[0]
    return float(min(even, odd))


def lowest(matrix: Any, count: int) -> Array:
    """The ``count`` lowest eigenvalues of a sparse positive semi-definite matrix, ascending."""
    start = np.ones(matrix.shape[0])
    values: Array = eigsh(
        matrix.tocsc(), count, sigma=-0.1, v0=start, return_eigenvectors=False, which="LM"
    )
    return np.sort(values)


def line_gap(kernel: Kernel, grid: grid_law.Grid) -> float:
    """Spectral gap of the Langevin diffusion in one dimension."""
    logs = kernel.log_density(grid.centres, np.zeros(grid.cells))
    return float(grid_law.langevin_spectrum(logs, grid)[1])


def line_cheeger(kernel: Kernel, grid: grid_law.Grid) -> float:
    """The Cheeger constant h in one dimension, for a log-concave law."""
    s = np.linspace(grid.low, grid.high, 2 * grid.cells + 1)
    return half_lines(kernel.log_density(s, np.zeros_like(s)), grid.spacing)


def typical_norm(kernel: Kernel) -> float:
    """``(E |z|^2)^(1/2)`` of the kernel without truncation."""
    far = abs(kernel.target.offset) * kernel.dimension**0.5 + 3.0 * (kernel.dimension + 9.0) ** 0.5
    if kernel.dimension == 1:
        r = centres(-far, far, 4000)
        logs = kernel.log_density(r, np.zeros_like(r))
    else:
        r, _, logs = kernel.polar(far, 200)
    weights = np.exp(logs - logs.max())
    return float(np.sqrt((weights * r**2).sum() / weights.sum()))


def measure(kernel: Kernel, truncation: float, cells: int) -> dict[str, tuple[float, float]]:
    """Bounds on h and on the gap, and the gap itself, each with its numerical error.

    As ``L = 1``, they are in units of ``L^(1/2)`` and of L. The gap is extrapolated from two grids
    (Richardson), and its error is the size of the extrapolation.
    """
    d = kernel.dimension
    radius = truncation * typical_norm(kernel)
    m = kernel.curvature(radius)
    measured = {
        "radius": (radius, 0.0),
        "lower": (max((2.0 * m / math.pi) ** 0.5, 1.0 / radius), 0.0),
        "gap_lower": (max(m, (0.5 * math.pi / radius) ** 2), 0.0),
    }
    if d == 1:
        line = grid_law.Grid(-radius, radius, LINE_CELLS)
        exact, error = grid_law.refined(lambda grid: line_cheeger(kernel, grid), line)
        measured |= {"exact": (exact, error), "upper": (exact, error)}
        coarse, fine = (
            line_gap(kernel, grid_law.Grid(-radius, radius, n)) for n in (8 * cells, 16 * cells)
        )
    else:
        measured["upper"] = min(half_spaces(kernel, radius), balls(kernel, radius)), 0.0
        coarse, fine = gap(kernel, radius, cells), gap(kernel, radius, 2 * cells)
    change = (fine - coarse) / 3.0
    measured["gap"] = fine + change, abs(change)
    return measured


def rows(settings: Settings, seed: int) -> list[tidy.Row]:
    """Bounds and gaps of every target, dimension and truncation; nothing is random."""
    cases = itertools.product(TARGETS, (1, *settings.dimensions), settings.truncations)
    return [
        {"method": "exact", "settings": f"truncation={truncation}", **row}
        for target, dimension, truncation in cases
        for row in tidy.rows(
            measure(Kernel(TARGETS[target], dimension), truncation, settings.cells),
            target=target,
            dimension=dimension,
            truncation=truncation,
        )
    ]


if __name__ == "__main__":
    job.study(rows, Settings)
