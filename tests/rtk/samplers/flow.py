"""The probability-flow ODE where it is solved in closed form, for the orders of its solvers."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from scipy.integrate import quad
from torch import Tensor

import rtk
from rtk import segments
from rtk.laws.affine import sample_law
from rtk.samplers.base import Sampler
from tests.oracles import DOUBLE, Array, gaussian

M, V = 0.8, 0.3
T_HI, T_LO = 5.0, 0.02


def signal(t: float) -> tuple[float, float]:
    """``a_t`` and ``s_t``."""
    return math.exp(-t), math.sqrt(1 - math.exp(-2 * t))


def errors(sampler: Sampler, counts: Sequence[int], scores: int = 1) -> list[float]:
    """Errors of mean and standard deviation, summed, on ``count`` segments even in log-SNR.

    The flow of ``N(M, V)`` is ``x_t = a m + (V_t / V_T)^(1/2) (x_T - a_T m)``.
    """
    (a_hi, s_hi), (a_lo, s_lo) = signal(T_HI), signal(T_LO)
    spread = math.sqrt((a_lo**2 * V + s_lo**2) / (a_hi**2 * V + s_hi**2))
    mean = a_lo * M - spread * a_hi * M
    found = []
    for count in counts:
        times = segments.log_snr(count, T_HI, T_LO)
        law, spent = sample_law(
            gaussian(M, V).score, 1, sampler, scores * count, segments=times, denoise=False
        )
        assert spent == scores * count
        found.append(abs(law.mean[0] - mean) + abs(math.sqrt(law.variance[0]) - spread))
    return found


def slopes(values: Sequence[float]) -> Array:
    """Orders of convergence between numbers of segments that double."""
    return np.asarray(-np.diff(np.log2(values)))


def forced(sampler: Sampler, coefficients: Sequence[float], levels: Sequence[float]) -> list[float]:
    """``x / s`` at the end of every segment, from 0, if ``E[x_0 | x]`` is a polynomial in lambda.

    It then does not depend on x, and ``x / s`` moves by the integral of ``e^lambda`` times it. The
    coefficients begin with the highest power.
    """
    times = [0.5 * math.log1p(math.exp(-2 * level)) for level in levels]
    ends: list[float] = []

    def score(x: Tensor, t: float) -> Tensor:
        a, s = signal(t)
        level = math.log(a / s)
        return (a * float(np.polyval(coefficients, level)) - x) / s**2

    rtk.sample(
        score,
        1,
        1,
        sampler,
        nfe=len(levels) - 1,
        dtype=DOUBLE,
        segments=times,
        x_init=torch.zeros(1, 1, dtype=DOUBLE),
        denoise=False,
        callback=lambda x, t, _: ends.append(float(x) / signal(t)[1]),
    )
    return ends


def integral(coefficients: Sequence[float], begin: float, end: float) -> float:
    """Integral of ``e^lambda`` times a polynomial, by quadrature."""
    value, _ = quad(lambda u: math.exp(u) * float(np.polyval(coefficients, u)), begin, end)
    return float(value)
