"""The law of the samples of RTK-ULA, RTK-LM and RTK-ULD in one dimension, on a grid.

The chain of a segment depends on the state x at the noisy end, but only by a constant force::

    grad g(z) = G(z) - pull x,    pull = e^-eta / (1 - e^-2eta).

One matrix or map therefore serves the chains of all x, and each of them is then moved by an amount
of its own. The law at the clean end is ``p_lo(z) = sum_x p_hi(x) p(z | x)``, a trapezoid sum over
few states: for the kernel itself its terms are those of a Gaussian in x of the variance
``1 - e^-2eta``. Everything is carried out on Fourier coefficients, as in `rtk.laws.phase_space`. On
a product target these samplers act on each coordinate by itself, so that `rtk.laws.product` has the
distance in any dimension.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import fft

from rtk.kernel import ReverseTransition
from rtk.laws.gaussian import Gaussian
from rtk.laws.grid import COARSEST, Array, Grid, start_law
from rtk.laws.phase_space import check_resolved, frequencies, transport
from rtk.laws.solvers import ConstantNoise
from rtk.mcmc.uld import coefficients
from rtk.process import variance
from rtk.samplers.base import smoothness
from rtk.samplers.reverse_transition import RTKLM, RTKULA, RTKULD
from rtk.score import Score
from rtk.segments import Times
from rtk.warm_start import WARM_STARTS

Unadjusted = RTKULA | RTKLM | RTKULD
Waves = NDArray[np.complex128]

FASTEST = 8.0
"""Largest velocity on the grid; beyond 6 lies nothing of ``N(0, 1)``, and kicks are below 2."""
UNLIKELY = 1e-11
"""States x of less probability are left out."""


@dataclass(frozen=True)
class Widths:
    """Widths of the cells, each over the smallest deviation of what it has to resolve.

    Attributes:
        z: over ``c^(-1/2)``, where c bounds the curvature of the kernel's potential.
        x: over ``(1 - e^-2eta)^(1/2)``.
        v: over 1.
    """

    z: float = 0.45
    x: float = 0.9
    v: float = 0.5

    def scaled(self, factor: float) -> "Widths":
        """All widths times ``factor``."""
        return Widths(factor * self.z, factor * self.x, factor * self.v)


@dataclass(frozen=True, eq=False)
class _Segment:
    """What the chains of a segment share.

    Attributes:
        grid: of z.
        x: states at the noisy end, shape (m,).
        kernel: the kernel of x = 0, whose gradient is ``G``.
        pull: as in the head of this file.
        curvature: the bound to which step sizes are relative.
        velocities: the grid of v.
    """

    grid: Grid
    x: Array
    kernel: ReverseTransition
    pull: float
    curvature: float
    velocities: Grid

    def force(self, z: Array) -> Array:
        """``G``, of the shape of z."""
        points = torch.from_numpy(z.reshape(-1, 1))
        kernel = replace(self.kernel, x=torch.zeros_like(points))
        values: Array = kernel.grad(points).numpy().reshape(z.shape)
        return values


def sample_law(
    score: Score, sampler: Unadjusted, times: Times, edge: float, widths: Widths | None = None
) -> tuple[Array, Grid]:
    """The law of the samples of `rtk.sample` on segments that end at 0, in one dimension.

    The chains begin at ``N(0, 1)`` and make ``sampler.inner_steps`` steps on each segment. Every
    segment has a grid of its own, since kernels are narrower at the clean end. On Gaussians the law
    errs by less than 1e-7 with the default widths.

    Args:
        score: of the target.
        sampler: RTK-ULD with the exponential integrator, RTK-ULA or RTK-LM.
        times: ends of the segments, the last one 0.
        edge: the grids of z lie between ``-edge`` and ``edge``.
        widths: of the cells.

    Returns:
        The probabilities of the cells, with rounding below zero set to zero, and their grid.

    Raises:
        ValueError: without ``inner_steps``, for another integrator or times that end above 0, and
            for a warm start that the grid does not resolve, such as a single point.
        ArithmeticError: for a law that the grid does not resolve.
    """
    if sampler.inner_steps is None:
        raise ValueError("expected a number of inner steps")
    if isinstance(sampler, RTKULD) and sampler.integrator != "exponential":
        raise ValueError(f"expected the exponential integrator, got {sampler.integrator}")
    if times[-1] != 0.0:
        raise ValueError(f"expected times that end at 0, got {times[-1]}")
    widths = widths or Widths()
    grid = _even_grid(edge, 0.2 * widths.z)
    law = start_law(Gaussian([0.0], [1.0]), grid)
    for t_hi, t_lo in itertools.pairwise(times):
        segment, masses = _segment(score, sampler, (t_hi, t_lo), law, grid, edge, widths)
        rows = _starts(score, sampler, segment)
        law, grid = check_resolved(masses @ _chains(sampler, segment)(rows)), segment.grid
    return np.maximum(law, 0.0), grid


def resampled(law: Array, grid: Grid, points: Array) -> Array:
    """The density of a law at some points, from the law's Fourier coefficients."""
    density: Array = law @ transport(grid, points, 0.0) / grid.spacing
    return density


def _even_grid(edge: float, width: float) -> Grid:
    """Cells of about this width; their number is even, so that the transforms are real."""
    return Grid(-edge, edge, 2 * math.ceil(edge / width))


def _segment(
    score: Score,
    sampler: Unadjusted,
    ends: tuple[float, float],
    law: Array,
    grid: Grid,
    edge: float,
    widths: Widths,
) -> tuple[_Segment, Array]:
    """The segment, and the probability that each of its states x stands for, shape (m,)."""
    kernel = ReverseTransition(score, torch.zeros(1, 1, dtype=torch.float64), *ends)
    curvature = smoothness(kernel.t_lo, sampler.data_variance) + kernel.tilt_precision
    nodes = _even_grid(edge, widths.x * math.sqrt(variance(kernel.eta)))
    masses = nodes.spacing * resampled(law, grid, nodes.centres)
    likely = masses > UNLIKELY
    at_one = replace(kernel, x=torch.ones_like(kernel.x))
    segment = _Segment(
        grid=_even_grid(edge, widths.z / math.sqrt(curvature)),
        x=nodes.centres[likely],
        kernel=kernel,
        pull=-float(at_one.tilt_gradient(torch.zeros_like(kernel.x))),
        curvature=curvature,
        velocities=_even_grid(FASTEST, widths.v),
    )
    return segment, masses[likely]


def _starts(score: Score, sampler: Unadjusted, segment: _Segment) -> Array:
    """The laws in which the chains of all x begin, read off the warm start, shape (m, cells)."""
    start = WARM_STARTS[sampler.warm_start]
    x = torch.from_numpy(segment.x).unsqueeze(1)
    kernels = replace(segment.kernel, x=x)
    score_x = score(x, kernels.t_hi) if start.needs_score else None
    gamma = smoothness(kernels.t_lo, sampler.data_variance)
    quiet, loud = (
        start.draw(kernels, score_x, ConstantNoise(len(x), value), gamma).numpy()
        for value in (0.0, 1.0)
    )
    deviation = float(np.abs(loud - quiet).max())
    if segment.grid.spacing > COARSEST * deviation:
        raise ValueError(
            f"the grid does not resolve the start {sampler.warm_start!r}, whose deviation is "
            f"{deviation:.3g} where the cells are {segment.grid.spacing:.3g} wide"
        )
    rows = np.exp(-0.5 * ((segment.grid.centres - quiet) / deviation) ** 2)
    starts: Array = rows / rows.sum(1, keepdims=True)
    return starts


def _chains(sampler: Unadjusted, segment: _Segment) -> Callable[[Array], Array]:
    """The inner chains of all x: from the laws of their starts to those of their ends."""
    steps = sampler.inner_steps or 0
    if isinstance(sampler, RTKULD):
        root = math.sqrt(segment.curvature)
        step_size = (sampler.step_size or 0.5) / root
        return lambda rows: _uld(segment, rows, steps, step_size, sampler.friction * root)
    if isinstance(sampler, RTKLM):
        step_size = (sampler.step_size or 0.8) / segment.curvature
        return lambda rows: _leimkuhler_matthews(segment, rows, steps, step_size)
    step_size = (sampler.step_size or 0.2) / segment.curvature
    return lambda rows: _ula(segment, rows, steps, step_size)


def _ula(segment: _Segment, rows: Array, steps: int, step_size: float) -> Array:
    """``z+ = z - tau G(z) + tau pull x + N(0, 2 tau)``."""
    z = segment.grid.centres
    moves = transport(segment.grid, z - step_size * segment.force(z), 2.0 * step_size)
    return _repeated(segment, rows, moves, step_size, steps)


def _leimkuhler_matthews(segment: _Segment, rows: Array, steps: int, step_size: float) -> Array:
    """The chain of ``u = z - s xi``, with the noise xi of the last step and ``s^2 = tau / 2``.

    It has no memory: ``u+ = u + 2 s xi - tau G(u + s xi) + tau pull x``. The first step leads from
    z to ``u = z - (tau / 2) (G(z) - pull x) + s xi``, and at the end ``z = u + s xi``.
    """
    grid, z, deviation = segment.grid, segment.grid.centres, math.sqrt(0.5 * step_size)
    half = transport(grid, z - 0.5 * step_size * segment.force(z), deviation**2)
    rows = _repeated(segment, rows, half, 0.5 * step_size, 1)
    noise = Grid(-7.0, 7.0, 40)
    moves = np.zeros((grid.cells, grid.cells))
    for xi, weight in zip(noise.centres, start_law(Gaussian([0.0], [1.0]), noise), strict=True):
        at = z + deviation * xi
        images = at + deviation * xi - step_size * segment.force(at)
        moves += weight * transport(grid, images, 0.0)
    rows = _repeated(segment, rows, moves, step_size, steps - 1)
    return rows @ transport(grid, z, deviation**2).T


def _repeated(segment: _Segment, rows: Array, moves: Array, step_size: float, steps: int) -> Array:
    """``steps`` times the same map, whose matrix is ``moves``, and a move by ``tau pull x``."""
    cells = segment.grid.cells
    waves = _parts(fft.rfft(moves, axis=0).T, axis=1)
    shift = _shift(step_size * segment.pull * segment.x, frequencies(segment.grid))
    for _ in range(steps):
        rows = fft.irfft(_joined(rows @ waves) * shift, cells)
    return rows


def _uld(segment: _Segment, rows: Array, steps: int, step_size: float, friction: float) -> Array:
    """`rtk.laws.phase_space.uld` for all x at once; laws have the shape (m, cells, velocities).

    The drift and the first shear of the free motion move z by ``drift G(z) + (kick - r e) v - drift
    pull x``, the second one by ``r v``.
    """
    c = coefficients(step_size, friction)
    z, v = segment.grid.centres, segment.velocities
    cells, force, frequency = len(z), segment.force(z), frequencies(segment.grid)
    here = force - segment.pull * segment.x[:, np.newaxis]
    kicked = _shift(-c.kick / c.decay * here, frequencies(v))
    drift, ratio = c.kick**2 / c.decay - c.push, c.covariance / c.variance_v
    waves = _parts(np.exp(-1j * frequency[:, np.newaxis] * (z + drift * force - z[0])), axis=0)
    sheared = _shift(
        -drift * segment.pull * segment.x[:, np.newaxis] + (c.kick - ratio * c.decay) * v.centres,
        frequency,
    ).transpose(0, 2, 1)
    rubbed = transport(v, c.decay * v.centres, c.variance_v).T
    blur = np.exp(-0.5 * (c.variance_z - c.covariance * ratio) * frequency**2)
    last = _shift(ratio * v.centres, frequency).T * blur[:, np.newaxis]
    law = rows[:, :, np.newaxis] * start_law(Gaussian([0.0], [1.0]), v)
    for _ in range(steps):
        law = fft.irfft(fft.rfft(law) * kicked, v.cells)
        motion = _joined(waves @ law) * sheared
        law = fft.irfft(_joined(_parts(motion, axis=1) @ rubbed) * last, cells, axis=1)
    return law.sum(2)


def _parts(waves: Waves, axis: int) -> Array:
    """Real and imaginary parts, one after the other: products with real matrices cost half then."""
    return np.concatenate([waves.real, waves.imag], axis)


def _joined(parts: Array) -> Waves:
    """The complex numbers of two parts that lie one after the other along axis 1."""
    count = parts.shape[1] // 2
    waves: Waves = parts[:, :count] + 1j * parts[:, count:]
    return waves


def _shift(distance: Array, frequency: Array) -> Waves:
    """``e^{-i q s}`` for each distance s and frequency q, shape (*distances, frequencies)."""
    waves: Waves = np.exp(-1j * distance[..., np.newaxis] * frequency)
    return waves
