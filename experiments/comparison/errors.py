"""Scores with an error of known kind and size, as a network would have.

The error is stated in the predicted noise ``eps = -s_t score``, which has variance 1 at most: the
size is its root mean square over ``p_t`` and over the coordinates, at every time. The kinds are

- ``smooth`` and ``rough``: a random field whose wavelength is four standard deviations of a
  coordinate of the data, or a quarter of one. It is a sum of random Fourier features (Rahimi and
  Recht 2007), ``sum_f c_f cos(w_f . x + b_f)``;
- ``scaling``: a multiple of the predicted noise;
- ``bias``: a constant vector in a random direction.

All are functions of ``(x, t)`` that the seed determines.
"""

import math

import torch
from torch import Tensor

from rtk import process
from rtk.targets import Target

KINDS = ("smooth", "rough", "scaling", "bias")
WAVELENGTHS = {"smooth": 4.0, "rough": 0.25}
"""Wavelengths of the random fields, in standard deviations of a coordinate of the data."""
FEATURES = 64
POINTS = 1000
"""Draws of ``p_t`` by which the size of an error is measured."""


class WrongScore:
    """The score of a target with an error.

    Args:
        target: the target.
        kind: one of `KINDS`.
        size: root mean square of the error of the predicted noise.
        seed: of the random numbers in the error.

    Raises:
        ValueError: for a kind that there is not, and, when called, for ``t = 0``, where the
            predicted noise is not defined.
    """

    def __init__(self, target: Target, kind: str, size: float, seed: int) -> None:
        if kind not in KINDS:
            raise ValueError(f"unknown kind of error {kind!r}, expected one of {[*KINDS]}")
        self.target, self.kind, self.size = target, kind, size
        generator = torch.Generator().manual_seed(seed)
        d = target.dimension

        def normal(*shape: int) -> Tensor:
            return torch.randn(shape, generator=generator, dtype=torch.float64)

        self._data = target.sample(POINTS, 0.0, generator, torch.float64)
        self._noise = normal(POINTS, d)
        self._bias = normal(d)
        deviation = (self._data - self._data.mean(0)).square().mean().sqrt()
        directions = normal(FEATURES, d)
        directions = directions / directions.norm(dim=1, keepdim=True)
        wavelength = WAVELENGTHS.get(kind, 1.0) * deviation
        self._waves = 2.0 * math.pi / wavelength * directions.T
        self._phases = (
            2.0 * math.pi * torch.rand(FEATURES, generator=generator, dtype=torch.float64)
        )
        self._amplitudes = normal(FEATURES, d)
        self._scales: dict[float, float] = {}

    def __call__(self, x: Tensor, t: float) -> Tensor:
        """The wrong score at ``x`` (n, d)."""
        error = self.error(x.double(), t)
        return self.target.score(x, t) - (error / process.sigma(t)).to(x.dtype)

    def error(self, x: Tensor, t: float) -> Tensor:
        """The error of the predicted noise at ``x`` (n, d) in float64."""
        if t not in self._scales:
            if t <= 0.0:
                raise ValueError(f"an error of the predicted noise needs t > 0, got {t}")
            points = process.alpha(t) * self._data + process.sigma(t) * self._noise
            self._scales[t] = self.size / float(self._field(points, t).square().mean().sqrt())
        return self._scales[t] * self._field(x, t)

    def _field(self, x: Tensor, t: float) -> Tensor:
        """The error up to a factor that depends on the time, (n, d)."""
        if self.kind == "bias":
            return self._bias.expand_as(x)
        if self.kind == "scaling":
            return -process.sigma(t) * self.target.score(x, t)
        return torch.cos(x @ self._waves + self._phases) @ self._amplitudes
