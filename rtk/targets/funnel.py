"""Neal's funnel, carried along the noising process."""

import math

import torch
from torch import Tensor

from rtk.checks import check_count, check_positive
from rtk.targets.base import Target, noised, normal
from rtk.targets.quadrature import DROP, LOG_TAU, Rule, reach, rule

# Enough for the errors that `experiments/beyond_mixtures` finds: at most about 1e-8.
FUNNEL_NODES = 128


class Funnel(Target):
    """Neal's funnel: ``x_1 = v ~ N(0, scale^2)``, ``x_i | v ~ N(0, e^v)``, i > 1.

    Neal 2003, Ann. Stat. 31, 705, has dimension 10 and scale 3. With ``V(v) = a^2 e^v + s^2``::

        p_t(x) = N(x_1; 0, a^2 scale^2 + s^2) int N(v; m, w^2) prod_i N(x_i; 0, V(v)) dv

    where ``m, w^2`` are mean and variance of v given x_1, and ``v = m + w u`` in the integral.
    """

    def __init__(self, dimension: int = 10, scale: float = 3.0) -> None:
        super().__init__(dimension, minimum=2)
        check_positive("scale", scale)
        self.scale = scale

    def score(self, x: Tensor, t: float) -> Tensor:
        found, spread, slope = self._rest(x, t)
        a, s2 = self._coefficients(x, t)
        prior = self.scale**2
        total = a**2 * prior + s2
        first = -x[:, 0] / total + a * prior / total * found.mean(slope)
        return torch.cat((first[:, None], -x[:, 1:] * found.mean(1.0 / spread)[:, None]), 1)

    def log_prob(self, x: Tensor, t: float) -> Tensor:
        a, s2 = self._coefficients(x, t)
        total = a**2 * self.scale**2 + s2
        first = -0.5 * (x[:, 0].square() / total + LOG_TAU + math.log(total))
        return first + self._rest(x, t)[0].log_integral - 0.5 * self.dimension * LOG_TAU

    def sample(
        self,
        n: int,
        t: float = 0.0,
        generator: torch.Generator | None = None,
        dtype: torch.dtype | None = None,
    ) -> Tensor:
        x = normal((check_count("n", n), self.dimension), generator, dtype)
        v = self.scale * x[:, :1]
        return noised(torch.cat((v, (0.5 * v).exp() * x[:, 1:]), 1), t, generator)

    def _rest(self, x: Tensor, t: float) -> tuple[Rule, Tensor, Tensor]:
        """The rule in u; at its nodes ``V`` and ``d/dv`` of the log-density of x_2, x_3, ...

        Outside of the bracket: as v falls that log-density rises by at most ``(d - 1) / 2`` a unit,
        as v grows by at most ``|x_2..d|^2 / (2 V(m))`` in all.
        """
        a, s2 = self._coefficients(x, t)
        prior, rest = self.scale**2, self.dimension - 1
        total = a**2 * prior + s2
        centre, width = a * prior / total * x[:, :1], math.sqrt(prior * s2 / total)
        square = x[:, 1:].square().sum(1, keepdim=True)

        def log_density(u: Tensor) -> Tensor:
            spread = a**2 * (centre + width * u).exp() + s2
            return -0.5 * (u.square() + rest * spread.log() + square / spread)

        pull = 0.5 * rest * width
        low = torch.full_like(centre, -pull - math.sqrt(pull**2 + 2.0 * DROP))
        high = reach(0.5 * square / (a**2 * centre.exp() + s2))
        found = rule(log_density, low, high, FUNNEL_NODES)
        grown = a**2 * (centre + width * found.nodes).exp()
        spread = grown + s2
        return found, spread, 0.5 * grown / spread * (square / spread - rest)
