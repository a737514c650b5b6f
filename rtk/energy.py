"""Energy-difference estimators: ``g(z') - g(z)`` for the Metropolis ratio of a kernel.

RTK-MALA needs differences of the potential ``g``, but a diffusion model knows only its gradient.
Along the line from ``z`` to ``z'``, with ``d = z' - z``, the difference is a line integral::

    g(z') - g(z) = int_0^1 <grad g(z + u d), d> du ~ sum_j w_j <grad g(z + u_j d), d>

A rule with symmetric nodes and weights changes its sign when the two ends are swapped. That removes
the error terms of even order, and it integrates the quadratic part of ``g`` exactly. Detailed
balance then holds up to the error of the rule, because the estimated differences of pairs need not
come from any one potential. The gradients at nodes 0 and 1 are known from the chain and cost
nothing; every other node costs one score evaluation. The trapezoid rule, the default where only
the score is known, is free and leaves a bias of the order of the step. Simpson's rule costs one
more score evaluation and leaves almost no bias.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from torch import Tensor

from rtk.checks import check_count, check_number
from rtk.kernel import Point, ReverseTransition, dot
from rtk.score import LogProb


@runtime_checkable
class EnergyDifference(Protocol):
    """An estimator ``(kernel, here, there) -> g(there) - g(here)``, shape (n,)."""

    @property
    def extra_nfe(self) -> int:
        """Score evaluations beyond those at the two ends."""

    @property
    def needs_log_prob(self) -> bool:
        """Whether the points must contain ``log p_lo``."""

    def __call__(self, kernel: ReverseTransition, here: Point, there: Point) -> Tensor: ...


@dataclass(frozen=True)
class Exact:
    """The difference from ``log p_lo`` itself: no extra score, one log_prob for each new point."""

    extra_nfe: int = 0
    needs_log_prob: bool = True

    def __call__(self, kernel: ReverseTransition, here: Point, there: Point) -> Tensor:
        if here.log_prob is None or there.log_prob is None:
            raise ValueError('energy="exact" needs points evaluated with log_prob')
        return kernel.tilt_difference(here.z, there.z) - (there.log_prob - here.log_prob)


@dataclass(frozen=True)
class LineIntegral:
    """Quadrature of the gradient along the line between the two points.

    Args:
        nodes: positions ``u_j`` on the line, in [0, 1].
        weights: weights ``w_j``, which sum to 1.

    Raises:
        ValueError: if the rule does not change its sign when the two ends are swapped.
    """

    nodes: tuple[float, ...]
    weights: tuple[float, ...]
    needs_log_prob: bool = False

    def __post_init__(self) -> None:
        nodes, weights = (
            np.array([check_number(f"each of the {name}", value) for value in values])
            for name, values in (("nodes", self.nodes), ("weights", self.weights))
        )
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

    def __call__(self, kernel: ReverseTransition, here: Point, there: Point) -> Tensor:
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
    """Second-order expansion at the old point: the paper's score-only energies ("MALA_ES").

    The estimate is ``<grad g(z), d> + <grad g(z + f d) - grad g(z), d> / (2 f)``, where the second
    term takes the curvature along the step from a finite difference over the fraction ``f`` of the
    step. It costs one extra score. It does not change its sign when the ends are swapped, so
    detailed balance holds only up to terms of third order in the step.

    Args:
        fraction: ``f`` in (0, 1]; the paper does not give its value.
    """

    fraction: float = 0.01
    extra_nfe: int = 1
    needs_log_prob: bool = False

    def __post_init__(self) -> None:
        if not 0.0 < check_number("fraction", self.fraction) <= 1.0:
            raise ValueError(f"fraction must lie in (0, 1], got {self.fraction}")

    def __call__(self, kernel: ReverseTransition, here: Point, there: Point) -> Tensor:
        step = there.z - here.z
        change = kernel.grad(here.z + self.fraction * step) - here.gradient
        return dot(step, here.gradient + change / (2.0 * self.fraction))


def gauss_legendre(count: int) -> LineIntegral:
    """The Gauss-Legendre rule with ``count`` interior nodes, which costs ``count`` extra scores."""
    nodes, weights = np.polynomial.legendre.leggauss(check_count("count", count))
    return LineIntegral(tuple((0.5 * (nodes + 1)).tolist()), tuple((0.5 * weights).tolist()))


TRAPEZOID = LineIntegral((0.0, 1.0), (0.5, 0.5))
SIMPSON = LineIntegral((0.0, 0.5, 1.0), (1 / 6, 4 / 6, 1 / 6))

ESTIMATORS: dict[str, Callable[[], EnergyDifference]] = {
    "exact": Exact,
    "trapezoid": lambda: TRAPEZOID,
    "simpson": lambda: SIMPSON,
    "taylor": Taylor,
}


def estimator(energy: str | EnergyDifference | None, log_prob: LogProb | None) -> EnergyDifference:
    """The estimator that is asked for by name or given as an object.

    Args:
        energy: a name of `ESTIMATORS`, an estimator, or None for the default: exact energies if
            ``log_prob`` is known, else the trapezoid rule.
        log_prob: the log-density of the target, if it is known.

    Raises:
        ValueError: for an unknown name, or if the estimator needs a ``log_prob`` that is missing.
        TypeError: if ``energy`` is neither a name nor an estimator.
    """
    if energy is None:
        energy = "trapezoid" if log_prob is None else "exact"
    if isinstance(energy, str):
        if energy not in ESTIMATORS:
            raise ValueError(
                f"unknown energy estimator {energy!r}, expected one of {[*ESTIMATORS]}"
            )
        energy = ESTIMATORS[energy]()
    if isinstance(energy, type) or not isinstance(energy, EnergyDifference):
        raise TypeError(f"energy must be a name or an EnergyDifference object, got {energy!r}")
    if energy.needs_log_prob and log_prob is None:
        raise ValueError('energy="exact" needs log_prob=, the log-density of the target')
    return energy


def potential_difference(
    kernel: ReverseTransition,
    z: Tensor,
    z_new: Tensor,
    energy: str | EnergyDifference | None = None,
) -> Tensor:
    """``g(z_new) - g(z)`` of a kernel, shape (n,), by an estimator as `estimator` takes it."""
    chosen = estimator(energy, kernel.log_prob)
    here, there = (kernel.at(point, chosen.needs_log_prob) for point in (z, z_new))
    return chosen(kernel, here, there)
