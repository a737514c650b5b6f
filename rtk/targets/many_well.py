"""A product of double wells, carried along the noising process."""

import math

import torch
from torch import Tensor

from rtk.checks import check_count
from rtk.targets.base import Target, noised, normal
from rtk.targets.quadrature import DROP, LOG_TAU, Rule, reach, rule

# Enough for the errors that `experiments/beyond_mixtures` finds: at most about 1e-8.
WELL_NODES = 48


class ManyWell(Target):
    """Product of double wells ``exp(-U(y)) / Z``, ``U(y) = y^4 - 6 y^2 - y/2``, and of normals.

    The first ``wells`` coordinates are wells, the others standard normal, which noise leaves as
    they are: 2^wells modes of unequal mass. The potential is that of Noé et al. 2019, Science 365,
    eaaw1147, and of Midgley et al. 2023, arXiv 2208.01893. With ``y = (x + s u) / a``::

        p_t(x) = int exp(-U(y)) N(u; 0, 1) du / (a Z)
        d/dx log p_t(x) = a E[y - U'(y) | x] - x

    a mean of Tweedie's formula and of ``E[-U'(y) | x] / a`` that cancels nowhere.
    """

    DEEPEST = 1.7525198623
    """Where U is least."""

    def __init__(self, dimension: int = 10, wells: int = 4) -> None:
        super().__init__(dimension, minimum=check_count("wells", wells))
        self.wells = wells
        self._highest = float(_log_well(torch.tensor(self.DEEPEST, dtype=torch.float64)))
        end = torch.full((1, 1), 4.0, dtype=torch.float64)
        self._log_mass = float(rule(_log_well, -end, end, 4 * WELL_NODES).log_integral)

    def score(self, x: Tensor, t: float) -> Tensor:
        a, _ = self._coefficients(x, t)
        found, y = self._origins(x, t)
        pull = a * found.mean(y * (13.0 - 4.0 * y.square()) + 0.5).reshape(-1, self.wells)
        return torch.nn.functional.pad(pull, (0, self.dimension - self.wells)) - x

    def log_prob(self, x: Tensor, t: float) -> Tensor:
        a, _ = self._coefficients(x, t)
        well = self._origins(x, t)[0].log_integral - 0.5 * LOG_TAU - self._log_mass - math.log(a)
        normal = -0.5 * (x[:, self.wells :].square() + LOG_TAU)
        return well.reshape(-1, self.wells).sum(1) + normal.sum(1)

    def sample(
        self,
        n: int,
        t: float = 0.0,
        generator: torch.Generator | None = None,
        dtype: torch.dtype | None = None,
    ) -> Tensor:
        x = normal((check_count("n", n), self.dimension), generator, dtype)
        x[:, : self.wells] = self._draw(n * self.wells, x, generator).reshape(n, self.wells)
        return noised(x, t, generator)

    def _draw(self, count: int, like: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draws of one well by rejection on [-3, 3]; the mass outside is 1e-16."""
        kept = like.new_empty(0)
        while len(kept) < count:
            y, level = torch.rand(
                2, 2 * count, generator=generator, device=like.device, dtype=like.dtype
            )
            y = 6.0 * y - 3.0
            kept = torch.cat((kept, y[level.log() < _log_well(y) - self._highest]))
        return kept[:count]

    def _origins(self, x: Tensor, t: float) -> tuple[Rule, Tensor]:
        """The rule in u for each well, n * wells rows, and ``y`` at its nodes.

        The bracket is the smaller of two: ``u^2 / 2`` may outweigh no more than the gain in U from
        ``u = 0``, and ``U(y)`` no more than the gain in ``u^2 / 2`` from the deepest well.
        """
        a, s2 = self._coefficients(x, t)
        s = max(math.sqrt(s2), 1e-30)
        x = x[:, : self.wells].reshape(-1, 1)

        def log_density(u: Tensor) -> Tensor:
            return torch.addcmul(_log_well(torch.add(x / a, u, alpha=s / a)), u, u, value=-0.5)

        widest = reach(self._highest - _log_well(x / a))
        rise = 0.5 * ((a * self.DEEPEST - x) / s).square()
        # U(y) - min U > DROP + rise for every larger |y|.
        farthest = a * (4.0 + (DROP + rise).sqrt()).sqrt()
        low = torch.maximum(-widest, (-farthest - x) / s)
        high = torch.minimum(widest, (farthest - x) / s)
        found = rule(log_density, low, high, WELL_NODES)
        return found, torch.add(x / a, found.nodes, alpha=s / a)


def _log_well(y: Tensor) -> Tensor:
    """``-U(y) = 6 y^2 - y^4 + y/2``, the logarithm of a double well."""
    square = y.square()
    return torch.add((6.0 - square) * square, y, alpha=0.5)
