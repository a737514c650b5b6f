"""Underdamped Langevin by the randomized midpoint method (Shen and Lee 2019, arXiv 1909.05503).

The dynamics is ``dz = v dt``, ``dv = -gamma v dt - grad g(z) dt + (2 gamma)^(1/2) dB``. Over a step
``tau`` the force enters ``z`` and ``v`` through integrals of ``grad g`` along the path. The method
replaces each integral by the integrand at one time ``u tau``, uniform in the step, which has the
right mean. The position at that time is that of the exponential integrator (`rtk.mcmc.uld`).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from rtk.kernel import ReverseTransition, per_chain
from rtk.noise import Noise

# Depth of the continued fraction below, which has the digits of float64 up to x = 1.
LARGEST_ODD = 21


@dataclass(frozen=True, eq=False)
class FreeMotion:
    """The motion without force, ``dz = v dt``, ``dv = -gamma v dt + (2 gamma)^(1/2) dB``.

    These are `rtk.mcmc.uld.Coefficients`, with a duration ``h`` for each chain. With ``x = gamma
    h / 2``, ``T = tanh x`` and ``D = x - tanh x`` all are sums and products of positive terms::

        decay = exp(-2x)            spread_v = 2 T^(1/2) / (1 + T)
        kick = 2 T / (1 + T) / gamma    shared = kick T^(1/2)
        push = 2 (D + x T) / (1 + T) / gamma^2    own = 2 D^(1/2) / gamma

    The noise of the velocity is ``spread_v xi_v`` and that of the position ``shared xi_v + own
    xi_z``, with independent standard normals. All have the shape of ``h``.
    """

    decay: Tensor
    kick: Tensor
    push: Tensor
    spread_v: Tensor
    shared: Tensor
    own: Tensor

    def move(self, z: Tensor, v: Tensor, noise: Noise) -> tuple[Tensor, Tensor]:
        """Position and velocity after the motion."""
        xi_v, xi_z = noise.normal(), noise.normal()
        return (
            z + self.kick * v + self.shared * xi_v + self.own * xi_z,
            self.decay * v + self.spread_v * xi_v,
        )


def free_motion(duration: Tensor, friction: float) -> FreeMotion:
    """The free motion for the times ``duration >= 0``, any shape, and ``gamma = friction``."""
    x = 0.5 * friction * duration
    rise = torch.tanh(x)
    excess = _excess(x)
    kick = 2.0 * rise / (1.0 + rise) / friction
    return FreeMotion(
        decay=torch.exp(-2.0 * x),
        kick=kick,
        push=2.0 * (excess + x * rise) / (1.0 + rise) / friction**2,
        spread_v=2.0 * rise.sqrt() / (1.0 + rise),
        shared=kick * rise.sqrt(),
        own=2.0 * excess.sqrt() / friction,
    )


def _excess(x: Tensor) -> Tensor:
    """``x - tanh x`` for ``x >= 0`` without cancellation.

    For small ``x`` by Lambert's continued fraction ``tanh x = x / (1 + k)``, ``k = x^2 / (3 + x^2 /
    (5 + ...))``.
    """
    k = torch.zeros_like(x)
    for odd in range(LARGEST_ODD, 1, -2):
        k = x**2 / (odd + k)
    return torch.where(x < 1.0, x * k / (1.0 + k), x - torch.tanh(x))


def midpoint_step(
    kernel: ReverseTransition,
    z: Tensor,
    v: Tensor,
    step_size: float,
    friction: float,
    noise: Noise,
) -> tuple[Tensor, Tensor]:
    """Position and velocity after one step; two scores.

    ::

        u ~ U[0, 1)
        z_u, v_u = free motion of (z, v) for u tau
        y = z_u - push(u tau) grad g(z)                the position at u tau
        z, v <- free motion of (z_u, v_u - tau grad g(y)) for (1 - u) tau

    Two free motions one after the other are one of the whole step, so ``y`` and the new ``z`` and
    ``v`` have the noise of one Brownian path.
    """
    u = per_chain(noise.uniform(), z)
    before = free_motion(u * step_size, friction)
    after = free_motion((1.0 - u) * step_size, friction)
    gradient = kernel.grad(z)
    z, v = before.move(z, v, noise)
    midpoint = z - before.push * gradient
    return after.move(z, v - step_size * kernel.grad(midpoint), noise)


def randomized_midpoint(
    kernel: ReverseTransition,
    z: Tensor,
    steps: int,
    step_size: float,
    friction: float,
    noise: Noise,
) -> Tensor:
    """``steps`` steps of the randomized midpoint method, from ``v ~ N(0, I)``; two scores each.

    Args:
        kernel: the reverse transition kernel to sample.
        z: start, shape (n, *shape).
        steps, step_size, friction: number of steps, ``tau`` and ``gamma``.
        noise: source of the normal and uniform draws.

    Returns:
        The last positions, shape (n, *shape).
    """
    v = noise.normal()
    for _ in range(steps):
        z, v = midpoint_step(kernel, z, v, step_size, friction, noise)
    return z
