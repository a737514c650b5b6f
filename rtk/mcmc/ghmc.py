"""Generalised Hamiltonian Monte Carlo: underdamped Langevin with a Metropolis test of each step.

The method is by Horowitz 1991. As a Metropolised splitting of underdamped Langevin it is studied by
Bou-Rabee and Vanden-Eijnden 2010, arXiv 0905.4218.
"""

import math

import torch
from torch import Tensor

from rtk.energy import EnergyDifference, estimator
from rtk.kernel import Point, ReverseTransition, per_chain
from rtk.mcmc.hmc import leapfrog
from rtk.noise import Noise


def ghmc(
    kernel: ReverseTransition,
    z: Tensor,
    steps: int,
    step_size: float,
    friction: float,
    noise: Noise,
    energy: str | EnergyDifference | None = None,
) -> tuple[Point, Tensor]:
    """``steps`` steps of OBABO with a test of each BAB, a leapfrog step, from ``v ~ N(0, I)``.

    ::

        (z', v') = leapfrog step from (z, v)
        (z, v) <- (z', v') with probability min(1, exp(-Delta)), else (z, -v)
        v <- e v + (1 - e^2)^(1/2) xi,    e = exp(-gamma tau)

    ``Delta`` is that of `rtk.mcmc.hmc.leapfrog`. A rejection must turn the velocity round, or the
    law ``~ exp(-g(z) - |v|^2 / 2)`` is not invariant. The half steps O at the two ends of OBABO are
    joined with their neighbours, and at the ends of the chain they do not change the law of ``z``.
    Without tests this is thus OBABO of `rtk.mcmc.splitting`; for large friction it is MALA with the
    step ``tau^2 / 2``. The chain costs one score at its start, and for each step one and those that
    the energy differences need. An energy difference that is not a number is a rejection.

    Args:
        kernel: the reverse transition kernel to sample.
        z: start, shape (n, *shape).
        steps, step_size, friction: number of steps, ``tau`` and ``gamma``.
        noise: source of the normal and uniform draws.
        energy: estimator of ``g(z') - g(z)``, see `rtk.energy.estimator`.

    Returns:
        The last point, with its gradient, and the number of acceptances of each chain, shape (n,).
    """
    energy = estimator(energy, kernel.log_prob)
    here = kernel.at(z, energy.needs_log_prob)
    decay, spread = (
        math.exp(-friction * step_size),
        math.sqrt(-math.expm1(-2 * friction * step_size)),
    )
    accepted = torch.zeros(len(z), device=z.device, dtype=z.dtype)
    v = noise.normal()
    for _ in range(steps):
        there, v_there, delta = leapfrog(kernel, here, v, step_size, 1, energy)
        accept = torch.log(noise.uniform()) < -delta
        here = here.replace_where(accept, there)
        v = torch.where(per_chain(accept, v), v_there, -v)
        v = decay * v + spread * noise.normal()
        accepted += accept
    return here, accepted
