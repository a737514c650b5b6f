"""Metropolis-adjusted Langevin on a kernel (paper, Algorithm 2, RTK-MALA's inner loop)."""

import math

import torch
from torch import Tensor

from rtk.compiled import compilable
from rtk.energy import EnergyDifference, estimator
from rtk.kernel import Point, ReverseTransition, dot
from rtk.noise import Noise


def mala(
    kernel: ReverseTransition,
    z: Tensor,
    steps: int,
    step_size: float,
    noise: Noise,
    energy: str | EnergyDifference | None = None,
    proposal_radius: float = math.inf,
    domain_radius: float = math.inf,
) -> tuple[Point, Tensor]:
    """``steps`` Metropolis steps with the proposal ``z' = z - tau grad g(z) + (2 tau)^(1/2) xi``.

    ``z'`` is accepted with probability ``min(1, exp(-Delta))``::

        Delta = g(z') - g(z) + (|z - z' + tau grad g(z')|^2 - |z' - z + tau grad g(z)|^2) / (4 tau)

    The projected variant rejects a ``z'`` outside ``B(z, proposal_radius)`` or
    ``B(0, domain_radius)``. The chain costs one score evaluation at its start, and for each step
    one and those that the energy differences need. An energy difference that is not a number is a
    rejection.

    Args:
        kernel: the reverse transition kernel to sample.
        z: start, shape (n, *shape).
        steps: number of steps.
        step_size: ``tau``.
        noise: source of the normal and uniform draws.
        energy: estimator of ``g(z') - g(z)``, see `rtk.energy.estimator`.
        proposal_radius, domain_radius: radii of the projected variant.

    Returns:
        The last point, with its gradient, and the number of acceptances of each chain, shape (n,).
    """
    energy = estimator(energy, kernel.log_prob)
    here = kernel.at(z, energy.needs_log_prob)
    spread = math.sqrt(2.0 * step_size)
    accepted = torch.zeros(len(z), device=z.device, dtype=z.dtype)
    for _ in range(steps):
        jump = proposal(here.gradient, noise.normal(), step_size, spread)
        there = kernel.at(here.z + jump, energy.needs_log_prob)
        delta = energy(kernel, here, there) + proposal_ratio(here, there, step_size)
        accept = torch.log(noise.uniform()) < -delta
        if math.isfinite(proposal_radius) or math.isfinite(domain_radius):
            accept &= dot(jump, jump) <= proposal_radius**2
            accept &= dot(there.z, there.z) <= domain_radius**2
        here = here.replace_where(accept, there)
        accepted += accept
    return here, accepted


@compilable
def proposal(gradient: Tensor, xi: Tensor, step_size: float, spread: float) -> Tensor:
    """``z' - z = (2 tau)^(1/2) xi - tau grad g(z)`` with ``spread`` ``(2 tau)^(1/2)``."""
    return spread * xi - step_size * gradient


@compilable
def proposal_ratio(here: Point, there: Point, step_size: float) -> Tensor:
    """Logarithm of the ratio of proposal densities in ``Delta``, shape (n,), multiplied out.

    It is ``(|z - z' + tau grad g(z')|^2 - |z' - z + tau grad g(z)|^2) / (4 tau)``. The squares of
    the jump cancel exactly in the form ``<G' + G, (tau / 4) (G' - G) - (z' - z) / 2>``, ``G`` and
    ``G'`` being the gradients at the two points.
    """
    growth = 0.25 * step_size * (there.gradient - here.gradient)
    return dot(here.gradient + there.gradient, growth - 0.5 * (there.z - here.z))
