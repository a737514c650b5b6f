"""Multivariate Student's t, carried along the noising process."""

import math

import torch
from torch import Tensor

from rtk.checks import check_count
from rtk.targets.base import Target, noised, normal
from rtk.targets.quadrature import DROP, LOG_TAU, Rule, rule

# Enough for the errors that `experiments/beyond_mixtures` finds: at most about 1e-8.
STUDENT_NODES = 64


class StudentT(Target):
    """Multivariate Student's t: ``x = e^(l/2) z``, z normal, ``nu e^-l ~ chi^2`` with nu degrees.

    ``p_t(x) = int p(l) N(x; 0, V(l) I) dl`` with ``V(l) = a^2 e^l + s^2``. Moments of order
    ``nu``, a whole number, and above are infinite.
    """

    def __init__(self, dimension: int = 10, nu: int = 3) -> None:
        super().__init__(dimension, minimum=1)
        self.nu = check_count("nu", nu)

    def score(self, x: Tensor, t: float) -> Tensor:
        found, spread = self._scales(x, t)
        return -x * found.mean(1.0 / spread)[:, None]

    def log_prob(self, x: Tensor, t: float) -> Tensor:
        half = 0.5 * self.nu
        constant = half * math.log(half) - math.lgamma(half) - 0.5 * self.dimension * LOG_TAU
        return self._scales(x, t)[0].log_integral + constant

    def sample(
        self,
        n: int,
        t: float = 0.0,
        generator: torch.Generator | None = None,
        dtype: torch.dtype | None = None,
    ) -> Tensor:
        z = normal((check_count("n", n), self.dimension + self.nu), generator, dtype)
        chi_square = z[:, self.dimension :].square().sum(1, keepdim=True)
        return noised(z[:, : self.dimension] * (self.nu / chi_square).sqrt(), t, generator)

    def _scales(self, x: Tensor, t: float) -> tuple[Rule, Tensor]:
        """The rule in l, and ``V`` at its nodes.

        Outside of the bracket: below 0 the likelihood rises by at most ``d / 2`` a unit, against
        the prior's ``exp(-nu e^-l / 2)``; above its own maximum only the prior's tail is left.
        """
        a, s2 = self._coefficients(x, t)
        d, nu = self.dimension, self.nu
        square = x.square().sum(1, keepdim=True)

        def log_density(log_scale: Tensor) -> Tensor:
            scale = log_scale.exp()
            spread = a**2 * scale + s2
            prior = nu * (log_scale + 1.0 / scale)
            return -0.5 * (prior + d * spread.log() + square / spread)

        low = torch.full_like(square, -math.log1p((2.0 * DROP + 10.0 * (d + nu)) / nu))
        high = (square / (a**2 * d)).clamp_min(1.0).log() + 2.0 * DROP / nu + 1.0
        found = rule(log_density, low, high, STUDENT_NODES)
        return found, a**2 * found.nodes.exp() + s2
