"""The target of two modes in one dimension, on which laws are computed as vectors on a grid.

The target is ``p_0 = (N(-m, v) + N(m, v)) / 2`` with ``v = 0.36``. The distance m of the modes from
0 is 1 in all studies but `mixing`, which varies it.
"""

import torch
from torch import Tensor

import rtk
from rtk import segments
from rtk.kernel import ReverseTransition

VARIANCE = 0.36
"""Variance v of each mode."""
SECOND_MOMENT = 1.0 + VARIANCE
"""``E x_0^2`` for modes at -1 and 1."""
NOISY_END = 0.4
"""State x at the noisy end of the segment that `kernel` crosses."""


def target(mode: float = 1.0) -> rtk.GaussianMixture:
    """The mixture whose modes have equal weights and lie at ``-mode`` and ``mode``."""
    return rtk.GaussianMixture([0.5, 0.5], [[-mode], [mode]], VARIANCE)


def lipschitz(mode: float = 1.0) -> float:
    """``L = sup |(log p_0)''|``, which is attained at 0 or approached in the tails.

    With ``r = P(+mode | z)`` the derivative is ``(log p_0)'' = 4 m^2 r (1 - r) / v^2 - 1 / v``. It
    lies between ``-1 / v``, far out, and ``m^2 / v^2 - 1 / v``, at 0.
    """
    return max(1.0 / VARIANCE, mode**2 / VARIANCE**2 - 1.0 / VARIANCE)


TARGET = target()
LIPSCHITZ = lipschitz()


def kernels(x: Tensor, t_hi: float, t_lo: float) -> ReverseTransition:
    """The kernels of `TARGET` from time ``t_hi`` to ``t_lo``, one for each state ``x`` (n, 1)."""
    return ReverseTransition(TARGET.score, x, t_hi, t_lo, TARGET.log_prob)


def kernel(t_lo: float = 0.0) -> ReverseTransition:
    """The kernel from `NOISY_END` over a segment of length ``eta*(L)`` that ends at ``t_lo``."""
    x = torch.tensor([[NOISY_END]], dtype=torch.float64)
    return kernels(x, t_lo + segments.critical_length(LIPSCHITZ), t_lo)
