"""Neal's funnel, carried along the noising process."""

import math

import torch
from torch import Tensor

from rtk.checks import check_positive
from rtk.targets.base import DType, Generator, Target, noised, normal
from rtk.targets.quadrature import DROP, LOG_TAU, Rule, reach, rule

# With so many nodes the errors are at most about 1e-8, as `experiments/beyond_mixtures` measures.
FUNNEL_NODES = 128


class Funnel(Target):
    """Neal's funnel: ``x_1 = v ~ N(0, scale^2)`` and ``x_i | v ~ N(0, e^v)`` for i > 1.

    With ``V(v) = a^2 e^v + s^2``, and ``m, w^2`` the mean and variance of v given x_1::

        p_t(x) = N(x_1; 0, a^2 scale^2 + s^2) int N(v; m, w^2) prod_i N(x_i; 0, V(v)) dv

    The integral is computed by quadrature in u, where ``v = m + w u``. Source: Neal 2003, Ann.
    Stat. 31, 705, with dimension 10 and scale 3.

    Args:
        dimension: the number d of coordinates, at least 2.
        scale: the standard deviation of the first coordinate.

    Raises:
        ValueError, TypeError: as for every `Target`, and for a scale that is not positive.
    """

    def __init__(self, dimension: int = 10, scale: float = 3.0) -> None:
        super().__init__(dimension, minimum=2)
        check_positive("scale", scale)
        self.scale = scale

    def score(self, x: Tensor, t: float) -> Tensor:
        """The score ``grad log p_t(x)``, shape (n, d), in the dtype of ``x``."""
        wide, a, s2 = self._prepare(x, t)
        quadrature, variance, slope = self._integrate(wide, a, s2)
        prior = self.scale**2
        total = a**2 * prior + s2
        first = -wide[:, 0] / total + a * prior / total * quadrature.mean(slope)
        others = -wide[:, 1:] * quadrature.mean(1.0 / variance)[:, None]
        return torch.cat((first[:, None], others), 1).to(x.dtype)

    def log_prob(self, x: Tensor, t: float) -> Tensor:
        """The normalised log-density ``log p_t(x)``, shape (n,), in the dtype of ``x``."""
        wide, a, s2 = self._prepare(x, t)
        total = a**2 * self.scale**2 + s2
        first = -0.5 * (wide[:, 0].square() / total + LOG_TAU + math.log(total))
        others = self._integrate(wide, a, s2)[0].log_integral - 0.5 * self.dimension * LOG_TAU
        return (first + others).to(x.dtype)

    def _draw(self, n: int, t: float, generator: Generator, dtype: DType) -> Tensor:
        x = normal((n, self.dimension), generator, dtype)
        v = self.scale * x[:, :1]
        return noised(torch.cat((v, (0.5 * v).exp() * x[:, 1:]), 1), t, generator)

    def _integrate(self, x: Tensor, a: float, s2: float) -> tuple[Rule, Tensor, Tensor]:
        """The quadrature in u; at its nodes ``V`` and ``d/dv`` of the log-density of x_2, x_3, ...

        The bracket of the integral leaves out nothing that counts: as v falls, that log-density
        rises by at most ``(d - 1) / 2`` for each unit of v; as v grows, it rises by at most
        ``|(x_2, ..., x_d)|^2 / (2 V(m))`` in all.
        """
        prior, others = self.scale**2, self.dimension - 1
        total = a**2 * prior + s2
        centre, width = a * prior / total * x[:, :1], math.sqrt(prior * s2 / total)
        square = x[:, 1:].square().sum(1, keepdim=True)

        def log_density(u: Tensor) -> Tensor:
            variance = a**2 * (centre + width * u).exp() + s2
            return -0.5 * (u.square() + others * variance.log() + square / variance)

        pull = 0.5 * others * width
        low = torch.full_like(centre, -pull - math.sqrt(pull**2 + 2.0 * DROP))
        high = reach(0.5 * square / (a**2 * centre.exp() + s2))
        quadrature = rule(log_density, low, high, FUNNEL_NODES)
        grown = a**2 * (centre + width * quadrature.nodes).exp()
        variance = grown + s2
        return quadrature, variance, 0.5 * grown / variance * (square / variance - others)
