"""Targets that are no Gaussian mixtures, with scores that are exact up to a stated rounding.

Given one latent number each is Gaussian, or a product of laws of one number, so that ``p_t`` is an
integral over the line (`rtk.quadrature`), smooth down to t = 0, or a Bessel function. Errors of the
scores, against far finer rules: `experiments/beyond_mixtures.py`.

Functions of ``(x, t)`` take ``x`` of shape (n, dimension) in any floating dtype and device and a
time ``t >= 0``; `score` returns (n, dimension), `log_prob`, normalised, (n,). `sample` draws from
``p_0`` on the generator's device. ``a, s^2`` below are those of `rtk.process`.

Raises, everywhere:
    ValueError: for ``x`` of another shape, ``t < 0``, or parameters out of range.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from rtk import process
from rtk.checks import check_count, check_positive
from rtk.quadrature import DROP, LOG_TAU, Rule, reach, rule

# Enough for the errors that `experiments/beyond_mixtures.py` finds: at most about 1e-8.
FUNNEL_NODES, STUDENT_NODES, WELL_NODES = 128, 64, 48


class LatentTarget(ABC):
    """A law on R^dimension carried along the noising process."""

    def __init__(self, dimension: int, minimum: int) -> None:
        self.dimension = check_count("dimension", dimension, minimum)

    @abstractmethod
    def score(self, x: Tensor, t: float) -> Tensor:
        """``grad log p_t(x)``."""

    @abstractmethod
    def log_prob(self, x: Tensor, t: float) -> Tensor:
        """``log p_t(x)``."""

    @abstractmethod
    def sample(
        self, n: int, generator: torch.Generator | None = None, dtype: torch.dtype | None = None
    ) -> Tensor:
        """``n`` exact draws of ``p_0``, shape (n, dimension)."""

    def _coefficients(self, x: Tensor, t: float) -> tuple[float, float]:
        """``a_t`` and ``s_t^2``, once the arguments are checked."""
        if x.ndim != 2 or x.shape[1] != self.dimension:
            raise ValueError(f"x must have shape (n, {self.dimension}), got {tuple(x.shape)}")
        if not t >= 0.0:
            raise ValueError(f"t must be a time >= 0, got {t}")
        return process.alpha(t), process.variance(t)


class Funnel(LatentTarget):
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
        self, n: int, generator: torch.Generator | None = None, dtype: torch.dtype | None = None
    ) -> Tensor:
        x = _normal((check_count("n", n), self.dimension), generator, dtype)
        v = self.scale * x[:, :1]
        return torch.cat((v, (0.5 * v).exp() * x[:, 1:]), 1)

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


class StudentT(LatentTarget):
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
        self, n: int, generator: torch.Generator | None = None, dtype: torch.dtype | None = None
    ) -> Tensor:
        z = _normal((check_count("n", n), self.dimension + self.nu), generator, dtype)
        chi_square = z[:, self.dimension :].square().sum(1, keepdim=True)
        return z[:, : self.dimension] * (self.nu / chi_square).sqrt()

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


class ManyWell(LatentTarget):
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
        self, n: int, generator: torch.Generator | None = None, dtype: torch.dtype | None = None
    ) -> Tensor:
        x = _normal((check_count("n", n), self.dimension), generator, dtype)
        x[:, : self.wells] = self._draw(n * self.wells, x, generator).reshape(n, self.wells)
        return x

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


class Rings(LatentTarget):
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
        self, n: int, generator: torch.Generator | None = None, dtype: torch.dtype | None = None
    ) -> Tensor:
        x = self.width * _normal((check_count("n", n), self.dimension), generator, dtype)
        weights, radii = x.new_tensor(self.weights), x.new_tensor(self.radii)
        ring = torch.multinomial(weights, n, replacement=True, generator=generator)
        angle = torch.rand(n, generator=generator, device=x.device, dtype=x.dtype).mul(math.tau)
        x[:, :2] += radii[ring, None] * torch.stack((angle.cos(), angle.sin()), 1)
        return x

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


def _log_well(y: Tensor) -> Tensor:
    """``-U(y) = 6 y^2 - y^4 + y/2``, the logarithm of a double well."""
    square = y.square()
    return torch.add((6.0 - square) * square, y, alpha=0.5)


def _normal(
    shape: tuple[int, ...], generator: torch.Generator | None, dtype: torch.dtype | None
) -> Tensor:
    device = None if generator is None else generator.device
    return torch.randn(shape, generator=generator, device=device, dtype=dtype)


TARGETS: dict[str, Callable[[], LatentTarget]] = {
    "funnel": Funnel,
    "many_well": ManyWell,
    "rings": Rings,
    "student": StudentT,
}
