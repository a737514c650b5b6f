"""Underdamped Langevin on a kernel (paper, Algorithm 3, RTK-ULD's inner loop).

The dynamics is ``dz = v dt``, ``dv = -gamma v dt - grad g(z) dt + (2 gamma)^(1/2) dB``. Over a step
``tau`` the gradient is kept at its value at the start, and the linear equation that remains is
solved exactly.
"""

import math
from dataclasses import dataclass

from torch import Tensor

from rtk.compiled import compilable
from rtk.kernel import ReverseTransition
from rtk.noise import Noise

# Below this gamma tau the closed forms lose digits to cancellation and their series do not.
SERIES_BELOW = 0.05


@dataclass(frozen=True)
class Coefficients:
    """Exact solution of one step with a constant gradient, ``y = gamma tau``, ``e = exp(-y)``::

    v+ = e v - kick grad g + xi_v        kick = (1 - e) / gamma
    z+ = z + kick v - push grad g + xi_z      push = (tau - kick) / gamma
    Var xi_v = 1 - e^2,   Cov(xi_z, xi_v) = (1 - e)^2 / gamma
    Var xi_z = (2 tau - 4 (1 - e) / gamma + (1 - e^2) / gamma) / gamma

    Standard normal draws ``xi, xi'`` make ``xi_v = spread_v xi``, ``xi_z = shared xi + own xi'``.
    """

    decay: float
    kick: float
    push: float
    variance_v: float
    variance_z: float
    covariance: float

    @property
    def spreads(self) -> tuple[float, float, float]:
        """``spread_v``, ``shared`` and ``own``."""
        spread_v = math.sqrt(self.variance_v)
        shared = self.covariance / spread_v
        return spread_v, shared, math.sqrt(self.variance_z - shared**2)


def coefficients(step_size: float, friction: float) -> Coefficients:
    """The coefficients for ``tau = step_size`` and ``gamma = friction``.

    They come from series where ``gamma tau`` is small, and from the closed forms elsewhere.
    """
    y = friction * step_size
    rise = -math.expm1(-y)
    kick = rise / friction
    if y < SERIES_BELOW:
        # push = tau^2 sum_k (-y)^k / (k+2)!,  var_z = tau^2 sum_{k>=3} (-y)^k (4 - 2^k) / (k! y^2)
        push = step_size**2 * sum((-y) ** k / math.factorial(k + 2) for k in range(10))
        variance_z = step_size**2 * sum(
            -((-1) ** k) * (2**k - 4) * y ** (k - 2) / math.factorial(k) for k in range(3, 14)
        )
    else:
        push = (step_size - kick) / friction
        variance_z = (2.0 * y - 4.0 * rise - math.expm1(-2.0 * y)) / friction**2
    return Coefficients(
        decay=math.exp(-y),
        kick=kick,
        push=push,
        variance_v=-math.expm1(-2.0 * y),
        variance_z=variance_z,
        covariance=rise**2 / friction,
    )


def uld(
    kernel: ReverseTransition,
    z: Tensor,
    steps: int,
    step_size: float,
    friction: float,
    noise: Noise,
) -> Tensor:
    """``steps`` steps of the exponential integrator, from ``v ~ N(0, I)``; one score each.

    Args:
        kernel: the reverse transition kernel to sample.
        z: start, shape (n, *shape).
        steps, step_size, friction: number of steps, ``tau`` and ``gamma``.
        noise: source of the normal draws.

    Returns:
        The last positions, shape (n, *shape).
    """
    motion = coefficients(step_size, friction)
    spreads = motion.spreads
    v = noise.normal()
    for _ in range(steps):
        gradient = kernel.grad(z)
        z, v = step(z, v, gradient, noise.normal(), noise.normal(), motion, spreads)
    return z


@compilable
def step(
    z: Tensor,
    v: Tensor,
    gradient: Tensor,
    xi: Tensor,
    xi_own: Tensor,
    motion: Coefficients,
    spreads: tuple[float, float, float],
) -> tuple[Tensor, Tensor]:
    """``z+`` and ``v+`` of `Coefficients`, from the standard normal draws ``xi`` and ``xi'``."""
    spread_v, shared, own = spreads
    z_new = z + motion.kick * v - motion.push * gradient + shared * xi + own * xi_own
    v_new = motion.decay * v - motion.kick * gradient + spread_v * xi
    return z_new, v_new
