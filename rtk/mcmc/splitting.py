"""Splittings of underdamped Langevin, named as in the field by the order of their exact flows.

The dynamics ``dz = v dt``, ``dv = -gamma v dt - grad g(z) dt + (2 gamma)^(1/2) dB`` is cut into
parts that can be solved exactly. A word such as OBABO says in which order the parts act. Each
letter acts for a time ``h``, the step ``tau`` over the number of times that the letter occurs::

    A: z+ = z + h v        B: v+ = v - h grad g(z)        O: v+ = e v + (1 - e^2)^(1/2) xi
    U: A and O together, the free motion: z+ = z + kick v + xi_z, v+ = e v + xi_v

with ``e = exp(-gamma h)``; ``kick``, ``xi_z`` and ``xi_v`` are those of
`rtk.mcmc.uld.Coefficients`. A symmetric word is accurate to second order in the step, the
exponential integrator of `rtk.mcmc.uld` to first order. OBABO is by Bussi and Parrinello 2007; UBU
by Sanz-Serna and Zygalakis 2021; BAOAB, which is exact for the positions of a Gaussian, by
Leimkuhler and Matthews 2013.
"""

from torch import Tensor

from rtk.kernel import ReverseTransition
from rtk.mcmc.uld import coefficients
from rtk.noise import Noise

WORDS = ("OBABO", "BAOAB", "UBU")


def extra_score(word: str) -> int:
    """Scores beyond one per step: one if the first kick acts before the position has moved."""
    return int(word.lstrip("O").startswith("B"))


def splitting(
    kernel: ReverseTransition,
    z: Tensor,
    word: str,
    steps: int,
    step_size: float,
    friction: float,
    noise: Noise,
) -> Tensor:
    """``steps`` steps of a splitting, from ``v ~ N(0, I)``.

    Each step costs one score; some words cost one more at the start (`extra_score`). Kicks at the
    same position share its gradient.

    Args:
        kernel: the reverse transition kernel to sample.
        z: start, shape (n, *shape).
        word: one of `WORDS`.
        steps, step_size, friction: number of steps, ``tau`` and ``gamma``.
        noise: source of the normal draws.

    Returns:
        The last positions, shape (n, *shape).
    """
    duration = {letter: step_size / word.count(letter) for letter in word}
    motion = coefficients(duration.get("O") or duration["U"], friction)
    spread_v, shared, own = motion.spreads
    v, gradient = noise.normal(), None
    for letter in word * steps:
        if letter == "A":
            z, gradient = z + duration["A"] * v, None
        elif letter == "B":
            gradient = kernel.grad(z) if gradient is None else gradient
            v = v - duration["B"] * gradient
        elif letter == "O":
            v = motion.decay * v + spread_v * noise.normal()
        else:
            xi_v, xi_z = noise.normal(), noise.normal()
            z, gradient = z + motion.kick * v + shared * xi_v + own * xi_z, None
            v = motion.decay * v + spread_v * xi_v
    return z
