"""The Leimkuhler-Matthews method on a kernel: overdamped Langevin with averaged noise."""

from torch import Tensor

from rtk.kernel import ReverseTransition
from rtk.noise import Noise


def leimkuhler_matthews(
    kernel: ReverseTransition, z: Tensor, steps: int, step_size: float, noise: Noise
) -> Tensor:
    """``steps`` steps of unadjusted Langevin with noise that neighbours share; one score each.

    ::

        z <- z - tau grad g(z) + (tau / 2)^(1/2) (xi_k + xi_{k+1}),    first with half the drift

    Each ``xi_k`` enters two steps. The invariant law of the positions is then accurate to second
    order in ``tau``, and exact on a Gaussian, where that of `rtk.mcmc.ula` is of first order. The
    method is the limit of BAOAB (`rtk.mcmc.splitting`) for large friction, where the velocity is
    redrawn in every step and ``tau`` is half the square of BAOAB's step. The first step comes from
    that limit: its kick is half of BAOAB's step long. With a whole drift it would disturb a start
    that already has the right law by a variance of order ``tau``, with half a one by ``tau^2``.

    Source: Leimkuhler and Matthews 2013, Applied Mathematics Research eXpress.

    Args:
        kernel: the reverse transition kernel to sample.
        z: start, shape (n, *shape).
        steps, step_size: number of steps and ``tau``.
        noise: source of the normal draws.

    Returns:
        The last positions, shape (n, *shape).
    """
    xi, drift = noise.normal(), 0.5 * step_size
    for _ in range(steps):
        xi_next = noise.normal()
        z = z - drift * kernel.grad(z) + (0.5 * step_size) ** 0.5 * (xi + xi_next)
        xi, drift = xi_next, step_size
    return z
