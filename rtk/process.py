"""The noising process and its clock.

Ornstein-Uhlenbeck process ``dx = -x dt + sqrt(2) dB`` started from the data::

    x_t = a_t x_0 + s_t xi,    a_t = exp(-t),    s_t^2 = 1 - exp(-2 t),    xi ~ N(0, I).

This is the one clock inside the package. Any variance-preserving schedule is the same process read
in the time ``t = -log a`` (`time_from_alpha`), so other schedules convert at the border.
"""

import math

from torch import Tensor


def alpha(t: float) -> float:
    """Signal coefficient ``a_t = exp(-t)``."""
    return math.exp(-t)


def variance(t: float) -> float:
    """Noise variance ``s_t^2 = 1 - exp(-2t)``, accurate for small t."""
    return -math.expm1(-2.0 * t)


def sigma(t: float) -> float:
    """Noise standard deviation ``s_t``."""
    return math.sqrt(variance(t))


def log_snr(t: float) -> float:
    """``lambda_t = log(a_t / s_t) = -log(exp(2t) - 1) / 2``; needs ``t > 0``."""
    return -0.5 * math.log(math.expm1(2.0 * t))


def time_from_log_snr(log_snr: float) -> float:
    """Inverse of `log_snr`: ``t = log(1 + exp(-2 lambda)) / 2``."""
    return 0.5 * math.log1p(math.exp(-2.0 * log_snr))


def noise_level(t: float) -> float:
    """``s_t / a_t = (exp(2t) - 1)^(1/2)``, the noise level sigma of variance-exploding models."""
    return math.sqrt(math.expm1(2.0 * t))


def time_from_noise_level(sigma: float) -> float:
    """Inverse of `noise_level`: ``t = log(1 + sigma^2) / 2``."""
    return 0.5 * math.log1p(sigma**2)


def time_from_alpha(alpha: float) -> float:
    """Time at which ``a_t`` equals ``alpha``; for a discrete schedule pass ``sqrt(alpha_bar)``."""
    if not 0.0 < alpha <= 1.0:
        raise ValueError(f"alpha must lie in (0, 1], got {alpha}")
    return abs(math.log(alpha))


def denoise(x: Tensor, score: Tensor, t: float) -> Tensor:
    """Tweedie's formula: ``E[x_0 | x_t = x] = (x + s_t^2 score) / a_t``."""
    return (x + variance(t) * score) / alpha(t)


def posterior(x: Tensor, denoised: Tensor, t_hi: float, t_lo: float) -> tuple[Tensor, float]:
    """Mean and variance of ``x_lo`` given ``x_hi = x`` and ``x_0 = denoised``.

    With ``e = exp(-(t_hi - t_lo))``::

        mean = (a_lo (1 - e^2) x_0 + e s_lo^2 x) / s_hi^2,   var = s_lo^2 (1 - e^2) / s_hi^2

    The ancestral step of DDPM (Ho et al. 2020, eq. 7) in continuous time.
    """
    step_variance = variance(t_hi - t_lo)
    scale = variance(t_hi)
    mean = (alpha(t_lo) * step_variance / scale) * denoised + (
        alpha(t_hi - t_lo) * variance(t_lo) / scale
    ) * x
    return mean, variance(t_lo) * step_variance / scale
