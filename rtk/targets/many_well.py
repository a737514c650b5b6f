"""A product of double wells, carried along the noising process."""

import math

import torch
from torch import Tensor

from rtk.checks import check_count
from rtk.targets.base import DType, Generator, Target, noised, normal
from rtk.targets.quadrature import DROP, LOG_TAU, Rule, reach, rule

# With so many nodes the errors are at most about 1e-8, as `experiments/beyond_mixtures` measures.
WELL_NODES = 48


class ManyWell(Target):
    """A product of double wells ``exp(-U(y)) / Z``, ``U(y) = y^4 - 6 y^2 - y/2``, and of normals.

    The first ``wells`` coordinates are wells, the others are standard normal, which noise leaves as
    they are. The law has 2^wells modes of unequal mass. With ``y = (x + s u) / a`` in each well::

        p_t(x) = int exp(-U(y)) N(u; 0, 1) du / (a Z)
        d/dx log p_t(x) = a E[y - U'(y) | x] - x

    The score is an average of Tweedie's formula and of ``E[-U'(y) | x] / a`` in which no large
    terms cancel. The integrals are computed by quadrature. Source of the potential: Noé et al.
    2019, Science 365, eaaw1147; Midgley et al. 2023, arXiv 2208.01893.

    Args:
        dimension: the number d of coordinates, at least ``wells``.
        wells: the number of double wells, at least 1.

    Raises:
        ValueError, TypeError: as for every `Target`.
    """

    DEEPEST = 1.7525198623
    """The y at which U is least."""

    def __init__(self, dimension: int = 10, wells: int = 4) -> None:
        super().__init__(dimension, minimum=check_count("wells", wells))
        self.wells = wells
        self._highest = float(_log_well(torch.tensor(self.DEEPEST, dtype=torch.float64)))
        end = torch.full((1, 1), 4.0, dtype=torch.float64)
        self._log_mass = float(rule(_log_well, -end, end, 4 * WELL_NODES).log_integral)

    def score(self, x: Tensor, t: float) -> Tensor:
        """The score ``grad log p_t(x)``, shape (n, d), in the dtype of ``x``."""
        wide, a, s2 = self._prepare(x, t)
        quadrature, y = self._integrate(wide, a, s2)
        pull = a * quadrature.mean(y * (13.0 - 4.0 * y.square()) + 0.5).reshape(-1, self.wells)
        pull = torch.nn.functional.pad(pull, (0, self.dimension - self.wells))
        return (pull - wide).to(x.dtype)

    def log_prob(self, x: Tensor, t: float) -> Tensor:
        """The normalised log-density ``log p_t(x)``, shape (n,), in the dtype of ``x``."""
        wide, a, s2 = self._prepare(x, t)
        quadrature, _ = self._integrate(wide, a, s2)
        well = quadrature.log_integral - 0.5 * LOG_TAU - self._log_mass - math.log(a)
        normals = -0.5 * (wide[:, self.wells :].square() + LOG_TAU)
        return (well.reshape(-1, self.wells).sum(1) + normals.sum(1)).to(x.dtype)

    def _draw(self, n: int, t: float, generator: Generator, dtype: DType) -> Tensor:
        x = normal((n, self.dimension), generator, dtype)
        wells = self._draw_wells(n * self.wells, generator, x)
        x[:, : self.wells] = wells.reshape(n, self.wells)
        return noised(x, t, generator)

    def _draw_wells(
        self, count: int, generator: torch.Generator | None, template: Tensor
    ) -> Tensor:
        """Draws of one well by rejection on [-3, 3], shape (count,); the mass outside is 1e-16.

        Their device is that of ``template``; their dtype too, but at least float32, as uniforms in
        half precision have too few values.
        """
        dtype = torch.promote_types(template.dtype, torch.float32)
        accepted = template.new_empty(0, dtype=dtype)
        while len(accepted) < count:
            y, level = torch.rand(
                2, 2 * count, generator=generator, device=template.device, dtype=dtype
            )
            y = 6.0 * y - 3.0
            accepted = torch.cat((accepted, y[level.log() < _log_well(y) - self._highest]))
        return accepted[:count]

    def _integrate(self, x: Tensor, a: float, s2: float) -> tuple[Rule, Tensor]:
        """The quadrature in u for each well, n * wells rows, and ``y`` at its nodes.

        The bracket of the integral is the smaller of two: one where ``u^2 / 2`` exceeds all that
        ``-U`` can gain over its value at ``u = 0``, and one where ``U(y)`` exceeds all that
        ``u^2 / 2`` loses from there to the deepest well.
        """
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
        quadrature = rule(log_density, low, high, WELL_NODES)
        return quadrature, torch.add(x / a, quadrature.nodes, alpha=s / a)


def _log_well(y: Tensor) -> Tensor:
    """``-U(y) = 6 y^2 - y^4 + y/2``, the unnormalised log-density of a double well."""
    square = y.square()
    return torch.add((6.0 - square) * square, y, alpha=0.5)
