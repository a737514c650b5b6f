"""Concentric rings, carried along the noising process."""

import math

import torch
from torch import Tensor

from rtk.checks import check_positive
from rtk.targets.base import DType, Generator, Target, draw_components, noised, normal
from rtk.targets.quadrature import LOG_TAU


class Rings(Target):
    """Concentric rings in the first two coordinates, blurred by ``N(0, width^2 I)`` in all.

    ``(x_1, x_2) = rho_k (cos, sin)(angle)`` with probability ``w_k`` and a uniform angle, before
    the blur. With ``V = a^2 width^2 + s^2`` and ``r`` the distance from the origin in the plane,
    the integral over the angle gives::

        p_t(x) = N(x; 0, V I) sum_k w_k exp(-(a rho_k)^2 / (2 V)) I_0(r a rho_k / V)

    Args:
        dimension: the number d of coordinates, at least 2.
        radii: the radii ``rho_k``, positive.
        weights: the probabilities ``w_k``, positive; they are normalised to sum to one.
        width: the standard deviation of the blur.

    Raises:
        ValueError, TypeError: as for every `Target`, for a width, radii or weights that are not
            positive, and for different numbers of radii and weights.
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
        """The score ``grad log p_t(x)``, shape (n, d), in the dtype of ``x``."""
        wide, a, s2 = self._prepare(x, t)
        logits, argument, rate, variance = self._rings(wide, a, s2)
        # I_1(z) / (z I_0(z)) tends to 1/2 at the origin, where I_1(z) and z vanish.
        z = argument.clamp_min(1e-30)
        growth = torch.special.i1e(z) / (z * torch.special.i0e(z)) * rate.square()
        outward = (torch.softmax(logits, 1) * growth).sum(1, keepdim=True) * wide[:, :2]
        outward = torch.nn.functional.pad(outward, (0, self.dimension - 2))
        return (outward - wide / variance).to(x.dtype)

    def log_prob(self, x: Tensor, t: float) -> Tensor:
        """The normalised log-density ``log p_t(x)``, shape (n,), in the dtype of ``x``."""
        wide, a, s2 = self._prepare(x, t)
        logits, _, _, variance = self._rings(wide, a, s2)
        outside_plane = wide[:, 2:].square().sum(1) / variance
        constant = self.dimension * (math.log(variance) + LOG_TAU)
        return (torch.logsumexp(logits, 1) - 0.5 * (outside_plane + constant)).to(x.dtype)

    def _draw(self, n: int, t: float, generator: Generator, dtype: DType) -> Tensor:
        x = self.width * normal((n, self.dimension), generator, dtype)
        weights = torch.tensor(self.weights, dtype=torch.float64, device=x.device)
        ring = draw_components(weights, n, generator, x.dtype)
        angle = torch.rand(n, generator=generator, device=x.device, dtype=x.dtype).mul(math.tau)
        radius = x.new_tensor(self.radii)[ring, None]
        x[:, :2] += radius * torch.stack((angle.cos(), angle.sin()), 1)
        return noised(x, t, generator)

    def _rings(self, x: Tensor, a: float, s2: float) -> tuple[Tensor, Tensor, Tensor, float]:
        """Logits (n, k) of each ring at x, ``z = r a rho_k / V`` (n, k), ``a rho_k / V`` (k,), V.

        A logit has all of the ring's log-density in the plane that depends on the ring.
        """
        variance = a**2 * self.width**2 + s2
        radius = x[:, :2].norm(dim=1, keepdim=True)
        scaled = a * x.new_tensor(self.radii)
        argument = radius * scaled / variance
        # I_0(z) = e^z i0e(z), and e^z completes the square.
        bessel = torch.special.i0e(argument).log()
        logits = bessel - 0.5 * (radius - scaled).square() / variance
        return logits + x.new_tensor(self.weights).log(), argument, scaled / variance, variance
