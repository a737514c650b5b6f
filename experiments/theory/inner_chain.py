"""B3, one segment: how the total variation of the inner chain falls with its steps.

All laws are computed without Monte Carlo noise, on two kernels over a segment of the theory's
length ``eta*``. Every chain starts from the DDPM warm start.

- The target has two modes in one dimension (`experiments.theory.two_modes`). The chains are MALA
  with exact and with estimated energies, and ULA. Their kernels are matrices on a grid
  (`rtk.laws.grid`).
- The target is a Gaussian in ten dimensions (`experiments.theory.gaussian`). The chains are ULD,
  its splittings and ULA, whose steps are affine (`rtk.laws.affine`). A step of MALA is not affine,
  so its law in many dimensions is not available in this way.

The theory says that the error of MALA falls geometrically without end, and that the error of an
unadjusted chain falls to a floor, which grows with its step.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

import rtk
from experiments.theory import gaussian, two_modes
from experiments.workflow import job
from rtk import process, segments
from rtk.kernel import ReverseTransition
from rtk.laws import affine
from rtk.laws import gaussian as gaussian_law
from rtk.laws import grid as grid_law
from rtk.laws.gaussian import Gaussian
from rtk.mcmc.splitting import splitting
from rtk.mcmc.ula import ula
from rtk.mcmc.uld import uld
from rtk.noise import Noise

ENERGIES = {
    "rtk-mala": "exact",
    "rtk-mala-taylor": "taylor",
    "rtk-mala-trapezoid": "trapezoid",
    "rtk-mala-simpson": "simpson",
}

SPLITTINGS = {"rtk-uld-obabo": "OBABO", "rtk-uld-baoab": "BAOAB", "rtk-uld-ubu": "UBU"}

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Settings:
    """Sizes of the study.

    Attributes:
        t_lo: time at the clean end of the segment.
        step_sizes: inner step sizes, relative to those that the largest curvature allows.
        steps: numbers of inner steps after which the law is compared.
        cells: cells of the grid.
    """

    t_lo: float
    step_sizes: list[float]
    steps: list[int]
    cells: int


def warm_start(kernel: ReverseTransition) -> Gaussian:
    """The law of the DDPM warm start for the first chain of a kernel, in d dimensions."""
    denoised = process.denoise(kernel.x, kernel.score(kernel.x, kernel.t_hi), kernel.t_hi)
    mean, variance = process.posterior(kernel.x, denoised, kernel.t_hi, kernel.t_lo)
    return Gaussian(mean[0].numpy(), np.full(mean.shape[1], variance))


def modes_paths(
    t_lo: float, relative_steps: list[float], steps: int, cells: int
) -> dict[tuple[str, float], tuple[np.ndarray[Any, Any], float]]:
    """Total variations to the kernel of the two modes, of all chains that are matrices on a grid.

    Args:
        t_lo: time at the clean end of the segment.
        relative_steps: step sizes, relative to one over the largest curvature.
        steps: number of steps.
        cells: cells of the grid.

    Returns:
        (method, relative step) -> the TV after 0, 1, ..., ``steps`` steps, and that of the
        invariant law.
    """
    grid = grid_law.Grid(-4.0, 4.0, cells)
    exact = two_modes.kernel(t_lo)
    target = grid_law.kernel_law(exact, grid)
    start = grid_law.start_law(warm_start(exact), grid)
    variations = {}
    for relative in relative_steps:
        # The kernel's Hessian is at most 3 L.
        step_size = relative / (3.0 * two_modes.LIPSCHITZ)
        matrices = {"rtk-ula": grid_law.ula_matrix(exact, grid, step_size)} | {
            method: grid_law.mala_matrix(exact, grid, step_size, energy)
            for method, energy in ENERGIES.items()
        }
        for method, matrix in matrices.items():
            path = grid_law.tv(grid_law.laws(start, matrix, steps), target)
            floor = float(grid_law.tv(grid_law.stationary(matrix), target))
            variations[method, relative] = path, floor
    return variations


def gaussian_kernel(chains: int) -> ReverseTransition:
    """The kernel of the Gaussian at x = 1 over a segment of length ``eta*`` that ends at 0.

    It is the same in every one of the ``chains``.
    """
    mixture = rtk.GaussianMixture([1.0], np.zeros((1, 10)), gaussian.VARIANCES[np.newaxis])
    x = torch.ones(chains, 10, dtype=torch.float64)
    t_hi = segments.critical_length(gaussian.LIPSCHITZ)
    return ReverseTransition(mixture.score, x, t_hi, 0.0, mixture.log_prob)


def gaussian_kernel_law() -> Gaussian:
    """The law of the kernel at x = 1: precision ``1/v + 1/h``, and mean ``e^eta x / h`` over it."""
    kernel = gaussian_kernel(1)
    variance = 1.0 / (1.0 / gaussian.VARIANCES + kernel.tilt_precision)
    return Gaussian(variance * np.exp(kernel.eta) * kernel.tilt_precision, variance)


def gaussian_tv(method: str, relative: float, steps: int, friction: float = 2.0) -> float:
    """TV between the kernel of the Gaussian and the law of a chain after some steps.

    Args:
        method: ``rtk-ula``, ``rtk-uld`` or one of `SPLITTINGS`.
        relative: step size, relative to ``1 / c`` for ULA and to ``c^(-1/2)`` for the others, where
            c is the largest curvature of the kernel's potential.
        steps: number of steps.
        friction: friction relative to ``c^(1/2)``.
    """
    curvature = gaussian.LIPSCHITZ + gaussian_kernel(1).tilt_precision
    start = warm_start(gaussian_kernel(1))

    def draw(noise: Noise) -> Tensor:
        kernel = gaussian_kernel(noise.n)
        z = torch.from_numpy(start.mean) + torch.from_numpy(start.variance).sqrt() * noise.normal()
        if method == "rtk-ula":
            return ula(kernel.grad, z, steps, relative / curvature, noise)
        root = curvature**0.5
        if method in SPLITTINGS:
            word = SPLITTINGS[method]
            return splitting(kernel, z, word, steps, relative / root, friction * root, noise)
        return uld(kernel, z, steps, relative / root, friction * root, noise)

    return gaussian_law.tv(affine.affine_law(draw, 10), gaussian_kernel_law())


def gaussian_floor(method: str, relative: float) -> float:
    """TV of the invariant law, taken from a chain whose start has decayed below 1e-8.

    In relative units the slowest coordinate of ULD follows ``z'' + 2 z' + 0.75 z = 0``, so its
    start decays as ``exp(-t / 2)``. The slowest coordinate of ULA decays at the rate 0.75. The
    chain runs up to t = 40, where both are below 1e-8.
    """
    return gaussian_tv(method, relative, math.ceil(40.0 / relative))


def rows(settings: Settings, seed: int) -> Rows:
    """Total variations after the chosen numbers of steps, and floors, on both targets.

    A row with ``steps = -1`` holds the floor of a chain, the TV of its invariant law. Nothing is
    random.
    """
    table = [*modes_rows(settings), *gaussian_rows(settings)]
    return [{"settings": f"step_size={row['step_size']}", **row} for row in table]


def modes_rows(settings: Settings) -> Rows:
    """Paths and floors of the chains on the two modes."""
    table: Rows = []
    paths = modes_paths(settings.t_lo, settings.step_sizes, max(settings.steps), settings.cells)
    for (method, relative), (path, floor) in paths.items():
        common = {"target": "two-modes", "method": method, "step_size": relative}
        table += [{**common, "steps": k, "metric": "tv", "value": path[k]} for k in settings.steps]
        table.append({**common, "steps": -1, "metric": "tv_floor", "value": floor})
    return table


def gaussian_rows(settings: Settings) -> Rows:
    """On the Gaussian, floors of all unadjusted chains and paths of ULA and ULD."""
    floors = [
        {"steps": -1, "metric": "tv_floor", "value": gaussian_floor(method, relative)}
        | {"target": "gaussian", "method": method, "step_size": relative}
        for method in ("rtk-ula", "rtk-uld", *SPLITTINGS)
        for relative in settings.step_sizes
    ]
    paths = [
        {"steps": k, "metric": "tv", "value": gaussian_tv(method, relative, k)}
        | {"target": "gaussian", "method": method, "step_size": relative}
        for method in ("rtk-ula", "rtk-uld")
        for relative in settings.step_sizes
        for k in settings.steps
    ]
    return floors + paths


if __name__ == "__main__":
    job.study(rows, Settings)
