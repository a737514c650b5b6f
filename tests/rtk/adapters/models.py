"""What perfect models of a known law answer, written out in NumPy and torch from the definitions.

The coefficients are computed here from the definitions of the OU clock, not by the code under test.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

DOUBLE = torch.float64
Array = NDArray[np.float64]


def linear_schedule() -> Array:
    """alpha_bar of DDPM: 1000 betas from 1e-4 to 0.02 (Ho et al. 2020, section 4)."""
    return np.asarray(np.cumprod(1 - np.linspace(1e-4, 0.02, 1000)))


def cosine_schedule() -> Array:
    """alpha_bar of Nichol and Dhariwal 2021, equation 17, with betas clipped at 0.999."""
    u = np.arange(1001) / 1000
    f = np.cos((u + 0.008) / 1.008 * np.pi / 2) ** 2
    return np.asarray(np.cumprod(1 - np.minimum(1 - f[1:] / f[:-1], 0.999)))


SCHEDULES = {"linear": linear_schedule(), "cosine": cosine_schedule()}


def log_snr_of(alpha_bar: Array) -> Array:
    """``log(a / s)`` of each timestep."""
    return np.asarray(0.5 * (np.log(alpha_bar) - np.log1p(-alpha_bar)))


def coefficients(t: float) -> tuple[float, float]:
    """``a`` and ``s`` at an OU time."""
    return float(np.exp(-t)), float(np.sqrt(-np.expm1(-2 * t)))


@dataclass(frozen=True)
class Gaussian:
    """``p_0 = N(m, v I)`` and all that a model could predict about it, exact."""

    m: float = 0.7
    v: float = 0.3

    def score(self, x: Tensor, t: float) -> Tensor:
        a, s = coefficients(t)
        return -(x - a * self.m) / (a**2 * self.v + s**2)

    def denoise(self, y: Tensor, sigma: Tensor) -> Tensor:
        """``E[x_0 | x_0 + sigma eps = y]``, ``sigma`` of shape (n,)."""
        gain = (self.v / (self.v + sigma.double() ** 2)).reshape(-1, *[1] * (y.ndim - 1))
        return (self.m + gain * (y.double() - self.m)).to(y.dtype)

    def predict(self, prediction_type: str, x: Tensor, t: float) -> Tensor:
        """The conditional mean of eps, ``v = a eps - s x_0`` or ``x_0`` given ``x_t = x``."""
        a, s = coefficients(t)
        away = (x - a * self.m) / (a**2 * self.v + s**2)
        clean, eps = self.m + a * self.v * away, s * away
        return {"epsilon": eps, "v_prediction": a * eps - s * clean, "sample": clean}[
            prediction_type
        ]


@dataclass(frozen=True)
class DiscreteModel:
    """A model of timesteps from a function of ``(x, t)``, which it calls in float64.

    The timestep is turned into an OU time by interpolating the log-SNR of the schedule.
    """

    function: Callable[[Tensor, float], Tensor]
    alpha_bar: Array

    def time(self, timestep: Tensor) -> float:
        k = timestep.unique().item()
        at = np.interp(k, np.arange(len(self.alpha_bar)), log_snr_of(self.alpha_bar))
        return float(0.5 * np.log1p(np.exp(-2 * at)))

    def __call__(self, x: Tensor, timestep: Tensor) -> Tensor:
        assert timestep.shape == (len(x),)
        return self.function(x.double(), self.time(timestep)).to(x.dtype)
