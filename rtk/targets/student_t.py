"""Multivariate Student's t, carried along the noising process."""

import math

import torch
from torch import Tensor

from rtk.checks import check_count
from rtk.targets.base import DType, Generator, Target, noised, normal
from rtk.targets.quadrature import DROP, LOG_TAU, Rule, rule

# With so many nodes the errors are at most about 1e-8, as `experiments/beyond_mixtures` measures.
STUDENT_NODES = 64


class StudentT(Target):
    """Multivariate Student's t: ``x = e^(l/2) z`` with z standard normal.

    The number l is independent of z, and ``nu e^-l`` follows the chi-square law with nu degrees of
    freedom. With ``V(l) = a^2 e^l + s^2``::

        p_t(x) = int p(l) N(x; 0, V(l) I) dl

    The integral is computed by quadrature. Moments of order ``nu`` and above are infinite.

    Args:
        dimension: the number d of coordinates, at least 1.
        nu: the degrees of freedom, a whole number of at least 1.

    Raises:
        ValueError, TypeError: as for every `Target`.
    """

    def __init__(self, dimension: int = 10, nu: int = 3) -> None:
        super().__init__(dimension, minimum=1)
        self.nu = check_count("nu", nu)

    def score(self, x: Tensor, t: float) -> Tensor:
        """The score ``grad log p_t(x)``, shape (n, d), in the dtype of ``x``."""
        wide, a, s2 = self._prepare(x, t)
        quadrature, variance = self._integrate(wide, a, s2)
        return (-wide * quadrature.mean(1.0 / variance)[:, None]).to(x.dtype)

    def log_prob(self, x: Tensor, t: float) -> Tensor:
        """The normalised log-density ``log p_t(x)``, shape (n,), in the dtype of ``x``."""
        half = 0.5 * self.nu
        constant = half * math.log(half) - math.lgamma(half) - 0.5 * self.dimension * LOG_TAU
        quadrature, _ = self._integrate(*self._prepare(x, t))
        return (quadrature.log_integral + constant).to(x.dtype)

    def _draw(self, n: int, t: float, generator: Generator, dtype: DType) -> Tensor:
        z = normal((n, self.dimension + self.nu), generator, dtype)
        chi_square = z[:, self.dimension :].square().sum(1, keepdim=True)
        return noised(z[:, : self.dimension] * (self.nu / chi_square).sqrt(), t, generator)

    def _integrate(self, x: Tensor, a: float, s2: float) -> tuple[Rule, Tensor]:
        """The quadrature in l, and ``V`` at its nodes.

        The bracket of the integral leaves out nothing that counts: below l = 0 the likelihood rises
        by at most ``d / 2`` for each unit of l, against the prior's ``exp(-nu e^-l / 2)``; above
        the maximum of the likelihood the integrand falls as the prior does.
        """
        d, nu = self.dimension, self.nu
        square = x.square().sum(1, keepdim=True)

        def log_density(log_scale: Tensor) -> Tensor:
            scale = log_scale.exp()
            variance = a**2 * scale + s2
            prior = nu * (log_scale + 1.0 / scale)
            return -0.5 * (prior + d * variance.log() + square / variance)

        low = torch.full_like(square, -math.log1p((2.0 * DROP + 10.0 * (d + nu)) / nu))
        high = (square / (a**2 * d)).clamp_min(1.0).log() + 2.0 * DROP / nu + 1.0
        quadrature = rule(log_density, low, high, STUDENT_NODES)
        return quadrature, a**2 * quadrature.nodes.exp() + s2
