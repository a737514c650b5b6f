"""What all libraries sample in the benchmark: one reverse transition kernel of a Gaussian mixture.

The file needs nothing but NumPy, so that each library takes the same numbers in an environment of
its own. The data law is ``sum_i w_i N(m_i, v I)``; at time ``t`` it is ``sum_i w_i N(a m_i, V I)``
with ``a = exp(-t)`` and ``V = a^2 v + 1 - a^2``.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

VARIANCE = 0.25
"""Of each component of the data."""
T_HI, T_LO = 0.8, 0.5
"""Ends of the segment."""
SEED = 0

MALA_STEP, ULD_STEP, FRICTION = 1.1, 0.5, 2.0
"""Steps ``MALA_STEP d^(-1/3) / c`` and ``ULD_STEP / c^(1/2)``, and friction ``FRICTION c^(1/2)``,
the defaults of `rtk`, where ``c`` bounds the curvature of the kernel."""


@dataclass(frozen=True)
class Problem:
    """The kernel of a mixture of ``components`` equal parts in ``dimension`` dimensions."""

    components: int
    dimension: int

    @cached_property
    def means(self) -> Array:
        """``m_i``, standard normal draws of shape (m, d)."""
        generator = np.random.default_rng([SEED, self.components, self.dimension])
        return generator.standard_normal((self.components, self.dimension))

    @property
    def curvature(self) -> float:
        """``c = 1/V(t_lo) + 1/h`` with ``h = exp(2 eta) - 1``."""
        return 1.0 / variance(T_LO) + 1.0 / math.expm1(2.0 * (T_HI - T_LO))

    @property
    def mala_step(self) -> float:
        """Step ``tau`` of the Metropolis-adjusted chain."""
        return min(1.0, MALA_STEP * self.dimension ** (-1 / 3)) / self.curvature

    @property
    def uld_step(self) -> float:
        """Step ``tau`` of the underdamped chain."""
        return ULD_STEP / math.sqrt(self.curvature)

    @property
    def friction(self) -> float:
        """``gamma`` of the underdamped chain."""
        return FRICTION * math.sqrt(self.curvature)

    def states(self, n: int) -> Array:
        """``x`` at the noisy end, draws of the law at `T_HI`, shape (n, d); chains begin there."""
        generator = np.random.default_rng([SEED, self.components, self.dimension, n])
        component = generator.integers(self.components, size=n)
        noise = generator.standard_normal((n, self.dimension))
        return math.exp(-T_HI) * self.means[component] + math.sqrt(variance(T_HI)) * noise

    def log_kernel(self, z: Any, x: Any, xp: Any) -> Any:
        """``log p(z | x)`` up to a constant, for one chain: ``z`` and ``x`` of shape (d,).

        It is written with matrix products around the mean of the mixture, as `rtk` does it, and in
        the precision of ``z``. ``xp`` is the array library, NumPy or one like it.
        """
        centre = math.exp(-T_LO) * self.means.mean(0)
        offsets = math.exp(-T_LO) * self.means - centre
        pull = xp.asarray(offsets / variance(T_LO), z.dtype)
        constant = xp.asarray(-0.5 * (offsets**2).sum(1) / variance(T_LO), z.dtype)
        away = z - xp.asarray(centre, z.dtype)
        logits = constant + pull @ away
        largest = logits.max()
        marginal = largest + xp.log(xp.exp(logits - largest).sum())
        decay = math.exp(T_LO - T_HI)
        tilt = ((x - decay * z) ** 2).sum() / (1.0 - decay**2)
        return marginal - 0.5 * (away**2).sum() / variance(T_LO) - 0.5 * tilt

    def moments(self, x: Array) -> tuple[Array, Array]:
        """Mean and variance of each coordinate of the exact kernel, both of shape (n, d).

        Bayes' rule makes the kernel ``sum_i w_i' N(mu_i', v' I)`` with ``v' = (1/V + 1/h)^-1``,
        ``mu_i' = v' (a m_i / V + e^eta x / h)``, and ``w_i'`` the responsibilities for ``x``.
        """
        distance = ((x[:, None] - math.exp(-T_HI) * self.means) ** 2).sum(2) / variance(T_HI)
        weights = np.exp(-0.5 * (distance - distance.min(1, keepdims=True)))
        weights /= weights.sum(1, keepdims=True)
        eta = T_HI - T_LO
        inner = 1.0 / self.curvature
        scaled = math.exp(-T_LO) * self.means / variance(T_LO)
        towards = inner * scaled
        mean = weights @ towards + inner * math.exp(eta) / math.expm1(2.0 * eta) * x
        spread = weights @ towards**2 - (weights @ towards) ** 2
        return mean, inner + spread

    def errors(self, z: Array, x: Array) -> dict[str, float]:
        """How far samples ``z`` (n, d), one of each kernel, are from the exact moments.

        ``mean_error`` is the mean over chains and coordinates of ``(z - mean) / sd``, and
        ``variance_error`` that of ``(z - mean)^2 / variance - 1``. Their standard errors are taken
        over the chains.
        """
        mean, spread = self.moments(x)
        away = (z - mean) / np.sqrt(spread)
        found = {}
        for name, values in (("mean", away.mean(1)), ("variance", (away**2).mean(1) - 1.0)):
            found[f"{name}_error"] = float(values.mean())
            found[f"{name}_standard_error"] = float(values.std() / math.sqrt(len(values)))
        return found


def variance(t: float) -> float:
    """``V(t) = a^2 v + 1 - a^2``, the variance of a component at time ``t``."""
    return math.exp(-2.0 * t) * VARIANCE - math.expm1(-2.0 * t)
