"""Hamiltonian Monte Carlo on a kernel (Duane et al. 1987; Neal 2011, arXiv 1206.1901)."""

import torch
from torch import Tensor

from rtk.energy import EnergyDifference, estimator
from rtk.kernel import Point, ReverseTransition, dot
from rtk.noise import Noise


def hmc(
    kernel: ReverseTransition,
    z: Tensor,
    steps: int,
    step_size: float,
    leapfrog_steps: int,
    noise: Noise,
    energy: str | EnergyDifference | None = None,
) -> tuple[Point, Tensor]:
    """``steps`` Metropolis steps, each with a trajectory of ``leapfrog_steps`` leapfrog steps.

    A step draws ``v ~ N(0, I)``, follows the trajectory to ``(z', v')``, and accepts ``z'`` with
    probability ``min(1, exp(-Delta))``, ``Delta = g(z') - g(z) + (|v'|^2 - |v|^2) / 2``. With one
    leapfrog step it is MALA (`rtk.mcmc.mala`) with ``tau = step_size^2 / 2``. The chain costs one
    score at its start, and for each leapfrog step one and those that the energy differences need.
    An energy difference that is not a number is a rejection.

    Args:
        kernel: the reverse transition kernel to sample.
        z: start, shape (n, *shape).
        steps: number of proposals.
        step_size, leapfrog_steps: length and number of the leapfrog steps of a proposal.
        noise: source of the normal and uniform draws.
        energy: estimator of ``g(z') - g(z)``, see `rtk.energy.estimator` and `leapfrog`.

    Returns:
        The last point, with its gradient, and the number of acceptances of each chain, shape (n,).
    """
    energy = estimator(energy, kernel.log_prob)
    here = kernel.at(z, energy.needs_log_prob)
    accepted = torch.zeros(len(z), device=z.device, dtype=z.dtype)
    for _ in range(steps):
        v = noise.normal()
        there, _, delta = leapfrog(kernel, here, v, step_size, leapfrog_steps, energy)
        accept = torch.log(noise.uniform()) < -delta
        here = here.replace_where(accept, there)
        accepted += accept
    return here, accepted


def leapfrog(
    kernel: ReverseTransition,
    start: Point,
    v: Tensor,
    step_size: float,
    steps: int,
    energy: EnergyDifference,
) -> tuple[Point, Tensor, Tensor]:
    """A leapfrog trajectory, and the change ``Delta`` of ``H(z, v) = g(z) + |v|^2 / 2`` along it.

    ::

        v <- v - (h / 2) grad g(z),    z <- z + h v,    v <- v - (h / 2) grad g(z)

    The trajectory keeps volume, and from ``(z', -v')`` it goes the same way back to ``(z, -v)``.
    Detailed balance asks that ``Delta`` then changes its sign. Exact energies are taken between the
    two ends. An estimator that knows only scores is summed over the leapfrog steps: the way back
    meets the same points in reverse order, so the sum changes its sign if each term does when its
    two ends are swapped, as it does for the line integrals of `rtk.energy`. (A single line integral
    between the ends would do so too, but over a longer line.) Between points of one trajectory
    the trapezoid rule makes ``Delta = h^2 (|grad g(z')|^2 - |grad g(z)|^2) / 8``.

    Returns:
        The last point, its velocity (n, *shape), and ``Delta``, shape (n,).
    """
    here, v_start = start, v
    potential = v.new_zeros(len(v))
    for k in range(steps):
        v = v - 0.5 * step_size * here.gradient
        last = k == steps - 1
        there = kernel.at(here.z + step_size * v, energy.needs_log_prob and last)
        v = v - 0.5 * step_size * there.gradient
        if not energy.needs_log_prob:
            potential = potential + energy(kernel, here, there)
        here = there
    if energy.needs_log_prob:
        potential = energy(kernel, start, here)
    return here, v, potential + 0.5 * dot(v - v_start, v + v_start)
