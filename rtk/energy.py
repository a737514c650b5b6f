"""Energy-difference estimators: ``g(z') - g(z)`` for the Metropolis ratio of a kernel.

RTK-MALA needs potential differences, a diffusion model knows only the gradient. Along the segment
``z + u d``, ``d = z' - z``, the difference is a line integral of the gradient::

    g(z') - g(z) = int_0^1 <grad g(z + u d), d> du ~ sum_j w_j <grad g(z + u_j d), d>

A rule with symmetric nodes and weights changes sign with the ends, which removes the error terms
of even order, and integrates the quadratic part of ``g`` exactly. Detailed balance then holds up
to the rule's error: pairwise differences need not be those of any one potential. Nodes at 0 and 1
are known from the chain and cost nothing; any other costs one score. The trapezoid, the score-only
default, is free but leaves a bias of the order of the step; Simpson's rule, at one score, hardly.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from torch import Tensor

if TYPE_CHECKING:
    from rtk.kernel import Point, ReverseTransition
    from rtk.score import LogProb


def dot(a: Tensor, b: Tensor) -> Tensor:
    """Inner product of each chain, shape (n,)."""
    return (a * b).flatten(1).sum(1)


class EnergyDifference(Protocol):
    """``(kernel, here, there) -> g(there) - g(here)``, shape (n,)."""

    @property
    def extra_nfe(self) -> int:
        """Score evaluations beyond those at the two ends."""

    @property
    def needs_log_prob(self) -> bool:
        """Whether the points must carry log p_lo."""

    def __call__(self, kernel: "ReverseTransition", here: "Point", there: "Point") -> Tensor: ...


@dataclass(frozen=True)
class Exact:
    """``g`` from ``log p_lo`` itself; no extra score, one log_prob per new point."""

    extra_nfe: int = 0
    needs_log_prob: bool = True

    def __call__(self, kernel: "ReverseTransition", here: "Point", there: "Point") -> Tensor:
        if here.log_prob is None or there.log_prob is None:
            raise ValueError('energy="exact" needs points evaluated with log_prob')
        return kernel.tilt_difference(here.z, there.z) - (there.log_prob - here.log_prob)


@dataclass(frozen=True)
class LineIntegral:
    """Quadrature of the gradient along the segment, ``nodes`` in [0, 1], ``weights`` summing to 1.

    Raises:
        ValueError: if the rule is not antisymmetric under a swap of the ends.
    """

    nodes: tuple[float, ...]
    weights: tuple[float, ...]
    needs_log_prob: bool = False

    def __post_init__(self) -> None:
        nodes, weights = np.array(self.nodes), np.array(self.weights)
        symmetric = (
            nodes.shape == weights.shape
            and np.allclose(nodes + nodes[::-1], 1)
            and np.allclose(weights, weights[::-1])
        )
        inside = nodes.size > 0 and bool(((nodes >= 0) & (nodes <= 1)).all())
        if not (inside and symmetric and np.isclose(weights.sum(), 1)):
            raise ValueError(
                "a line-integral rule needs nodes in [0, 1] symmetric about 1/2 and symmetric "
                f"weights that sum to 1, got nodes {self.nodes} and weights {self.weights}"
            )

    @property
    def extra_nfe(self) -> int:
        return sum(node not in (0.0, 1.0) for node in self.nodes)

    def __call__(self, kernel: "ReverseTransition", here: "Point", there: "Point") -> Tensor:
        step = there.z - here.z
        known = {0.0: here.gradient, 1.0: there.gradient}
        slope = here.gradient.new_zeros(())
        for node, weight in zip(self.nodes, self.weights, strict=True):
            slope = slope + weight * (
                known[node] if node in known else kernel.grad(here.z + node * step)
            )
        return dot(step, slope)


@dataclass(frozen=True)
class Taylor:
    """Second-order expansion at the old end, the paper's score-only energies ("MALA_ES").

    ``<grad g(z), d> + <grad g(z + f d) - grad g(z), d> / (2 f)``: the curvature along the step by a
    finite difference over the fraction ``f`` of it (not given by the paper). One extra score. Not
    antisymmetric, so detailed balance holds to third order in the step only.
    """

    fraction: float = 0.01
    extra_nfe: int = 1
    needs_log_prob: bool = False

    def __post_init__(self) -> None:
        if not 0.0 < self.fraction <= 1.0:
            raise ValueError(f"fraction must lie in (0, 1], got {self.fraction}")

    def __call__(self, kernel: "ReverseTransition", here: "Point", there: "Point") -> Tensor:
        step = there.z - here.z
        change = kernel.grad(here.z + self.fraction * step) - here.gradient
        return dot(step, here.gradient + change / (2.0 * self.fraction))


def gauss_legendre(count: int) -> LineIntegral:
    """Gauss-Legendre rule with ``count`` interior nodes: ``count`` extra scores."""
    if count < 1:
        raise ValueError(f"a Gauss-Legendre rule needs at least 1 node, got {count}")
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return LineIntegral(tuple((0.5 * (nodes + 1)).tolist()), tuple((0.5 * weights).tolist()))


TRAPEZOID = LineIntegral((0.0, 1.0), (0.5, 0.5))
SIMPSON = LineIntegral((0.0, 0.5, 1.0), (1 / 6, 4 / 6, 1 / 6))

ESTIMATORS: dict[str, Callable[[], EnergyDifference]] = {
    "exact": Exact,
    "trapezoid": lambda: TRAPEZOID,
    "simpson": lambda: SIMPSON,
    "taylor": Taylor,
}


def estimator(
    energy: "str | EnergyDifference | None", log_prob: "LogProb | None"
) -> EnergyDifference:
    """The estimator of that name; default exact if ``log_prob`` is known, else the trapezoid."""
    if energy is None:
        energy = "trapezoid" if log_prob is None else "exact"
    if isinstance(energy, str):
        if energy not in ESTIMATORS:
            raise ValueError(
                f"unknown energy estimator {energy!r}, expected one of {[*ESTIMATORS]}"
            )
        energy = ESTIMATORS[energy]()
    if not callable(energy):
        raise TypeError(f"energy must be a name or an EnergyDifference object, got {energy!r}")
    if energy.needs_log_prob and log_prob is None:
        raise ValueError('energy="exact" needs log_prob=, the log-density of the target')
    return energy
