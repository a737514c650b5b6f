"""The reverse transition kernel, the object that gives RTK its name (paper, RTK framework).

Given ``x`` at the noisier time ``t_hi``, the trajectory at ``t_lo = t_hi - eta`` has the law::

    p(z | x) ~ exp(-g(z)),   g(z) = -log p_lo(z) + |x - e^-eta z|^2 / (2 (1 - e^-2eta))
    grad g(z) = -s(z, t_lo) + (e^-2eta z - e^-eta x) / (1 - e^-2eta)
    hess g(z) = -hess log p_lo(z) + I / (e^2eta - 1)
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from rtk import process
from rtk.energy import EnergyDifference, dot, estimator
from rtk.score import LogProb, Score


@dataclass(frozen=True)
class Point:
    """What is known of the potential at ``z``: its gradient and, with exact energies, log p_lo."""

    z: Tensor
    gradient: Tensor
    log_prob: Tensor | None = None

    def replace_where(self, chosen: Tensor, other: "Point") -> "Point":
        """``other`` for the chains in the mask ``chosen`` of shape (n,), this point elsewhere."""
        mask = chosen.reshape(-1, *(1,) * (self.z.ndim - 1))
        return Point(
            torch.where(mask, other.z, self.z),
            torch.where(mask, other.gradient, self.gradient),
            None
            if self.log_prob is None or other.log_prob is None
            else torch.where(chosen, other.log_prob, self.log_prob),
        )


class ReverseTransition:
    """``p(z at t_lo | x at t_hi)`` for each row of ``x``.

    Args:
        score: ``(x, t) -> grad log p_t(x)``.
        x: noisier end, shape (n, *shape).
        t_hi, t_lo: OU times with ``t_hi > t_lo >= 0``.
        log_prob: ``(x, t) -> log p_t(x)`` up to a constant, shape (n,), if it is known.
        energy: estimator of potential differences, a name (see `rtk.energy`) or an object; default
            "exact" with ``log_prob``, "trapezoid" without.

    Raises:
        ValueError: if ``t_lo >= t_hi``, ``t_lo < 0``, or "exact" is asked without ``log_prob``.
    """

    def __init__(
        self,
        score: Score,
        x: Tensor,
        t_hi: float,
        t_lo: float,
        log_prob: LogProb | None = None,
        energy: str | EnergyDifference | None = None,
    ) -> None:
        t_hi, t_lo = float(t_hi), float(t_lo)
        if not (0.0 <= t_lo < t_hi < math.inf):
            raise ValueError(f"need 0 <= t_lo < t_hi, got t_lo={t_lo} and t_hi={t_hi}")
        if x.ndim < 2:
            raise ValueError(f"x must have shape (n, *shape), got {tuple(x.shape)}")
        self.score, self.x, self.t_hi, self.t_lo, self.log_prob = score, x, t_hi, t_lo, log_prob
        self.energy = estimator(energy, log_prob)
        self.eta = t_hi - t_lo
        self._decay = process.alpha(self.eta)
        self._variance = process.variance(self.eta)

    @property
    def tilt_precision(self) -> float:
        """Curvature of the quadratic part, ``1 / h`` with ``h = e^2eta - 1``."""
        return 1.0 / math.expm1(2.0 * self.eta)

    def tilt_gradient(self, z: Tensor) -> Tensor:
        """Gradient of the quadratic part, ``(e^-2eta z - e^-eta x) / (1 - e^-2eta)``."""
        return (self._decay / self._variance) * (self._decay * z - self.x)

    def tilt_difference(self, z: Tensor, z_new: Tensor) -> Tensor:
        """Quadratic part at ``z_new`` less that at ``z``, shape (n,): exact, without cancellation.

        The trapezoid rule integrates a linear gradient exactly.
        """
        return dot(z_new - z, self.tilt_gradient(0.5 * (z + z_new)))

    def grad(self, z: Tensor) -> Tensor:
        """``grad g(z)``, shape (n, *shape); one score evaluation."""
        if z.shape != self.x.shape:
            raise ValueError(
                f"z must have the shape of x, {tuple(self.x.shape)}, got {tuple(z.shape)}"
            )
        return self.tilt_gradient(z) - self.score(z, self.t_lo)

    def at(self, z: Tensor) -> Point:
        """Evaluate the kernel at ``z``: one score, and one log_prob if energies are exact."""
        exact = self.log_prob is not None and self.energy.needs_log_prob
        log_prob = self.log_prob(z, self.t_lo) if exact and self.log_prob is not None else None
        return Point(z, self.grad(z), log_prob)

    def score_at(self, point: Point) -> Tensor:
        """Score ``s(z, t_lo)`` that a point already knows, at no cost."""
        return self.tilt_gradient(point.z) - point.gradient

    def potential_difference(self, z: Tensor, z_new: Tensor) -> Tensor:
        """``g(z_new) - g(z)``, shape (n,), by the kernel's energy-difference estimator."""
        return self.energy(self, self.at(z), self.at(z_new))
