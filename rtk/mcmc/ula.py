"""Unadjusted Langevin on a kernel (ULA)."""

from collections.abc import Callable

from torch import Tensor

from rtk.noise import Noise


def ula(
    gradient: Callable[[Tensor], Tensor], z: Tensor, steps: int, step_size: float, noise: Noise
) -> Tensor:
    """``steps`` steps ``z <- z - tau grad g(z) + (2 tau)^(1/2) xi``; one gradient each.

    Args:
        gradient: ``z -> grad g(z)``, shape (n, *shape).
        z: start, shape (n, *shape).
        steps, step_size: number of steps and ``tau``.
        noise: source of the normal draws.

    Returns:
        The last positions, shape (n, *shape).
    """
    for _ in range(steps):
        z = z - step_size * gradient(z) + (2.0 * step_size) ** 0.5 * noise.normal()
    return z
