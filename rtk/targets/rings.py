"""Concentric rings, carried along the noising process."""

import math

import torch
from torch import Tensor

from rtk.checks import check_count, check_positive
from rtk.targets.base import Target, noised, normal
from rtk.targets.quadrature import LOG_TAU


class Rings(Target):
    """Concentric rings in the first two coordinates, blurred by ``N(0, width^2 I)`` in all.

    ``x_1..2 = rho_k (cos, sin)(angle)`` with probability ``w_k``, the angle uniform. Integrated
    over it, with ``V = a^2 width^2 + s^2`` and ``r`` the distance from the origin in the plane::

        p_t(x) = N(x; 0, V I) sum_k w_k exp(-(a rho_k)^2 / (2 V)) I_0(r a rho_k / V)
    """

    def __init__(
        self,
        dimension: int = 10,
        radii: tuple[float, ...] = (1.0, 2.0, 3.0),
        weights: tuple[float, ...] = (0.5, 0.3, 0.2),
        width: float = 0.1,
    ) -> None:
        super().__init__(dimension, minimum=2)
        check_positive("width", width)
        if len(radii) != len(weights) or not min(*radii, *weights) > 0.0:
            raise ValueError(f"expected as many positive radii as weights, got {radii}, {weights}")
        self.radii, self.width = radii, width
        self.weights = tuple(weight / sum(weights) for weight in weights)

    def score(self, x: Tensor, t: float) -> Tensor:
        logits, argument, rate, variance = self._rings(x, t)
        # I_1(z) / (z I_0(z)) tends to 1/2 at the origin, where both vanish.
        z = argument.clamp_min(1e-30)
        growth = torch.special.i1e(z) / (z * torch.special.i0e(z)) * rate.square()
        outward = (torch.softmax(logits, 1) * growth).sum(1, keepdim=True) * x[:, :2]
        return torch.nn.functional.pad(outward, (0, self.dimension - 2)) - x / variance

    def log_prob(self, x: Tensor, t: float) -> Tensor:
        logits, _, _, variance = self._rings(x, t)
        rest = x[:, 2:].square().sum(1) / variance + self.dimension * math.log(variance)
        return torch.logsumexp(logits, 1) - 0.5 * (rest + self.dimension * LOG_TAU)

    def sample(
        self,
        n: int,
        t: float = 0.0,
        generator: torch.Generator | None = None,
        dtype: torch.dtype | None = None,
    ) -> Tensor:
        x = self.width * normal((check_count("n", n), self.dimension), generator, dtype)
        weights, radii = x.new_tensor(self.weights), x.new_tensor(self.radii)
        ring = torch.multinomial(weights, n, replacement=True, generator=generator)
        angle = torch.rand(n, generator=generator, device=x.device, dtype=x.dtype).mul(math.tau)
        x[:, :2] += radii[ring, None] * torch.stack((angle.cos(), angle.sin()), 1)
        return noised(x, t, generator)

    def _rings(self, x: Tensor, t: float) -> tuple[Tensor, Tensor, Tensor, float]:
        """Of each ring its log-density at x, ``z = r a rho_k / V`` and ``a rho_k / V``; and V."""
        a, s2 = self._coefficients(x, t)
        variance = a**2 * self.width**2 + s2
        radius = x[:, :2].norm(dim=1, keepdim=True)
        scaled = a * x.new_tensor(self.radii)
        argument = radius * scaled / variance
        bessel = torch.special.i0e(argument).log()
        logits = bessel - 0.5 * (radius - scaled).square() / variance
        return logits + x.new_tensor(self.weights).log(), argument, scaled / variance, variance
