"""UniPC: a unified multistep predictor and corrector in log-SNR.

Zhao et al. 2023, arXiv 2302.04867, with data prediction and the function ``B_2(h)`` (``bh2`` in the
authors' code). With ``h = lambda_lo - lambda_hi``, the denoised estimate ``D`` at the start of the
segment and others ``D_i`` at ``lambda_hi + r_i h``, for i from 1 to q::

    z = (s_lo / s_hi) x + a_lo I_0 (D + sum_i rho_i (D_i - D) / r_i)
    sum_i rho_i r_i^(k-1) = k! I_k / I_0,    k = 1 .. q
    I_0 = 1 - e^-h,    I_k = 1 / k! - I_(k-1) / h

and ``rho_1 = 1 / 2`` if ``q = 1``. The predictor of order p takes the p - 1 estimates before, whose
``r_i`` are negative. The corrector takes the estimate at the end as well, ``r_i = 1``, which raises
the order to p + 1. The next segment needs this score in any case, so the corrector costs nothing.
The estimate itself is not computed again after the correction.
"""

import math
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from rtk import process
from rtk.noise import Noise
from rtk.samplers.base import Info, OneScorePerSegment, Problem, State, score_at

ORDERS = (2, 3)

Value = tuple[float, Tensor]


@dataclass(frozen=True)
class UniPC(OneScorePerSegment):
    """UniPC with a predictor and a corrector of the same order, 2 or 3.

    The first segment has order 1 and the second order 2. The last state is not corrected, as that
    would cost a score. On a segment that ends at 0, ``h`` is infinite; there the step returns
    ``D``. With the denoising step that ends a default run this is the authors' last step, of order
    1; the order of the segment before it is not lowered, as a sampler does not know how many
    segments there are.
    """

    order: int = 2

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            raise ValueError(f"order must be one of {ORDERS}, got {self.order!r}")

    def __call__(
        self, problem: Problem, state: State, t_lo: float, nfe: int, noise: Noise
    ) -> tuple[State, Info]:
        denoised = process.denoise(state.x, score_at(problem, state), state.t)
        if t_lo == 0.0:
            return State(denoised, t_lo), Info()
        x = _corrected(state, denoised)
        values = ((state.t, denoised), *state.history)[: self.order]
        shrink = process.sigma(t_lo) / process.sigma(state.t)
        z = shrink * x + _integral(values[0], values[1:], t_lo)
        return State(z, t_lo, history=values), Info()


def _corrected(state: State, denoised: Tensor) -> Tensor:
    """The end of the segment before, moved from the predictor's solution to the corrector's."""
    if not state.history:
        return state.x
    begin, *before = state.history
    predictor = _integral(begin, tuple(before), state.t)
    return state.x + _integral(begin, (*before, (state.t, denoised)), state.t) - predictor


def _integral(begin: Value, others: tuple[Value, ...], t_lo: float) -> Tensor:
    """``a_lo I_0 (D + sum_i rho_i (D_i - D) / r_i)`` on the segment that begins at ``begin``."""
    t_hi, denoised = begin
    level = process.log_snr(t_hi)
    h = process.log_snr(t_lo) - level
    ratios = [(process.log_snr(t) - level) / h for t, _ in others]
    total = denoised
    for rho, ratio, (_, other) in zip(_weights(ratios, h), ratios, others, strict=True):
        total = total + (rho / ratio) * (other - denoised)
    return -process.alpha(t_lo) * math.expm1(-h) * total


def _weights(ratios: list[float], h: float) -> list[float]:
    """The numbers ``rho_i``, which solve a Vandermonde system."""
    if len(ratios) < 2:
        return [0.5] * len(ratios)
    first = moment = -math.expm1(-h)
    right = []
    for k in range(1, len(ratios) + 1):
        moment = 1.0 / math.factorial(k) - moment / h
        right.append(math.factorial(k) * moment / first)
    powers = np.vander(ratios, increasing=True).T
    return [float(rho) for rho in np.linalg.solve(powers, right)]
