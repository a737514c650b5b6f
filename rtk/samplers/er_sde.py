"""ER-SDE-Solver: the extended reverse-time SDE by a multistep Taylor method in ``lambda = s / a``.

Cui et al. 2023, arXiv 2309.06169, in the form for variance-preserving models. A noise scale
function ``phi`` says how much noise there is. With ``y = x / a``, the denoised estimate ``D``, and
``r = phi(lambda_lo) / phi(lambda_hi)``::

    y_lo = r y + (1 - r) D + c_1 D1 + c_2 D2 + (lambda_lo^2 - r^2 lambda_hi^2)^(1/2) xi
    c_1 = (lambda_lo - lambda_hi) + phi(lambda_lo) int 1 / phi
    c_2 = (lambda_lo - lambda_hi)^2 / 2 + phi(lambda_lo) int (lambda - lambda_hi) / phi

with integrals over ``lambda`` from ``lambda_lo`` to ``lambda_hi``. ``D1`` is the difference
quotient of ``D`` over the segment before, and ``D2`` that of ``D1``. (Here ``lambda`` is that of
the paper; elsewhere in this package it is ``log(a / s)``.) ``phi(lambda) = lambda`` is the
probability-flow ODE, and ``lambda^2`` the reverse SDE of DDPM.

``D1`` is not the derivative at the start of the segment, but in the middle of the one before. This
is what is published, and so the order of convergence stays 2 even with ``D2``.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from rtk import process
from rtk.noise import Noise
from rtk.samplers.base import Info, OneScorePerSegment, Problem, State, score_at

ORDERS = (1, 2, 3)
NODES, WEIGHTS = np.polynomial.legendre.leggauss(20)


def published_noise_scale(level: float) -> float:
    """``phi(lambda) = lambda (exp(lambda^0.3) + 10)``, the paper's choice."""
    return level * (math.exp(level**0.3) + 10.0)


@dataclass(frozen=True)
class ERSDE(OneScorePerSegment):
    """ER-SDE-Solver-3, or with ``order`` 1 or 2 the lower ones, which also start it.

    On a segment that ends at 0 the step returns ``D``.

    Attributes:
        order: 1, 2 or 3 terms in ``D``.
        noise_scale: ``phi``, a positive function of ``s / a`` such that ``phi(lambda) / lambda``
            does not decrease.
    """

    order: int = 3
    noise_scale: Callable[[float], float] = published_noise_scale

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            raise ValueError(f"order must be one of {ORDERS}, got {self.order!r}")
        if not callable(self.noise_scale):
            raise TypeError(f"noise_scale must be a function, got {self.noise_scale!r}")

    def __call__(
        self, problem: Problem, state: State, t_lo: float, nfe: int, noise: Noise
    ) -> tuple[State, Info]:
        denoised = process.denoise(state.x, score_at(problem, state), state.t)
        if t_lo == 0.0:
            return State(denoised, t_lo), Info()
        known = ((state.t, denoised), *state.history)[: self.order]
        high, low = process.noise_level(state.t), process.noise_level(t_lo)
        phi_low = self.noise_scale(low)
        ratio = phi_low / self.noise_scale(high)
        spread = low**2 - (ratio * high) ** 2
        if spread < -1e-9 * low**2:
            raise ValueError(
                "noise_scale(level) / level must not decrease, but it does between "
                f"{low:.6g} and {high:.6g}"
            )
        y = ratio * state.x / process.alpha(state.t) + (1.0 - ratio) * denoised
        for k, derivative in enumerate(_derivatives(known), start=1):
            moment = self._integral(low, high, k - 1)
            y = y + ((low - high) ** k / math.factorial(k) + phi_low * moment) * derivative
        y = y + math.sqrt(max(0.0, spread)) * noise.normal()
        return State(process.alpha(t_lo) * y, t_lo, history=known[:2]), Info()

    def _integral(self, low: float, high: float, power: int) -> float:
        """``int (lambda - high)^power / phi`` by Gauss's rule in ``log lambda``."""
        half = 0.5 * math.log(high / low)
        levels = low * np.exp(half * (NODES + 1.0))
        values = [(level - high) ** power * level / self.noise_scale(level) for level in levels]
        return half * float(WEIGHTS @ values)


def _derivatives(known: tuple[tuple[float, Tensor], ...]) -> list[Tensor]:
    """``D1`` and ``D2``, as far as there are estimates for them."""
    levels = [process.noise_level(t) for t, _ in known]
    slopes = [
        (known[j][1] - known[j + 1][1]) / (levels[j] - levels[j + 1]) for j in range(len(known) - 1)
    ]
    if len(slopes) < 2:
        return slopes
    return [slopes[0], 2.0 * (slopes[0] - slopes[1]) / (levels[0] - levels[2])]
