"""The reverse transition kernel, the object that gives RTK its name (paper, RTK framework).

Given ``x`` at the noisier time ``t_hi``, the state ``z`` at the cleaner time ``t_lo = t_hi - eta``
has the law::

    p(z | x) ~ exp(-g(z)),   g(z) = -log p_lo(z) + |x - e^-eta z|^2 / (2 (1 - e^-2eta))
    grad g(z) = -s(z, t_lo) + (e^-2eta z - e^-eta x) / (1 - e^-2eta)
    hess g(z) = -hess log p_lo(z) + I / (e^2eta - 1)

The first term of ``g`` is the marginal's potential, the second is the quadratic tilt.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from rtk import process
from rtk.checks import check_floating
from rtk.compiled import compilable
from rtk.score import LogProb, Score, ScoreAndLogProb
from rtk.segments import check_ends


def dot(a: Tensor, b: Tensor) -> Tensor:
    """Inner product of each chain: (n, *shape) and (n, *shape) give shape (n,)."""
    return (a * b).flatten(1).sum(1)


def per_chain(values: Tensor, z: Tensor) -> Tensor:
    """One number for each chain, shape (n,), as (n, 1, ..., 1), to go with ``z`` (n, *shape)."""
    return values.reshape(-1, *(1,) * (z.ndim - 1))


@dataclass(frozen=True, eq=False)
class Point:
    """Positions ``z`` and what was evaluated there.

    Attributes:
        z: positions, shape (n, *shape).
        gradient: ``grad g(z)``, shape (n, *shape).
        log_prob: ``log p_lo(z)`` up to a constant, shape (n,), if it was evaluated.
    """

    z: Tensor
    gradient: Tensor
    log_prob: Tensor | None = None

    @compilable
    def replace_where(self, chosen: Tensor, other: "Point") -> "Point":
        """``other`` for the chains in the mask ``chosen`` of shape (n,), this point elsewhere."""
        mask = per_chain(chosen, self.z)
        return Point(
            torch.where(mask, other.z, self.z),
            torch.where(mask, other.gradient, self.gradient),
            None
            if self.log_prob is None or other.log_prob is None
            else torch.where(chosen, other.log_prob, self.log_prob),
        )


@compilable
def tilt_gradient(x: Tensor, z: Tensor, decay: float, pull: float) -> Tensor:
    """``(e^-2eta z - e^-eta x) / (1 - e^-2eta)``, shape (n, *shape), see `ReverseTransition.tilt`.

    Compiled code takes any numbers, but only as factors; of ``eta`` it would be made again.
    """
    return pull * (decay * z - x)


@compilable
def tilt_difference(x: Tensor, z: Tensor, z_new: Tensor, decay: float, pull: float) -> Tensor:
    """`tilt_gradient` at the midpoint times ``z_new - z``, shape (n,)."""
    return dot(z_new - z, tilt_gradient(x, 0.5 * (z + z_new), decay, pull))


@dataclass(frozen=True, eq=False)
class ReverseTransition:
    """The law ``p(z at t_lo | x at t_hi)``, one for each row of ``x``.

    Args:
        score: ``(x, t) -> grad log p_t(x)``.
        x: states at the noisy end, shape (n, *shape).
        t_hi, t_lo: OU times of the noisy and of the clean end, ``t_hi > t_lo >= 0``.
        log_prob: ``(x, t) -> log p_t(x)`` up to a constant, shape (n,), if it is known.
        score_and_log_prob: both from one pass, if there is such a function; used by `at`.

    Raises:
        ValueError: if the times are not ``0 <= t_lo < t_hi``, or ``x`` has fewer than two axes.
        TypeError: if the times are no numbers, ``x`` no floating-point tensor, or ``score`` cannot
            be called.
    """

    score: Score
    x: Tensor
    t_hi: float
    t_lo: float
    log_prob: LogProb | None = None
    score_and_log_prob: ScoreAndLogProb | None = None

    def __post_init__(self) -> None:
        check_ends(self.t_hi, self.t_lo)
        object.__setattr__(self, "t_hi", float(self.t_hi))
        object.__setattr__(self, "t_lo", float(self.t_lo))
        if not callable(self.score):
            raise TypeError(f"score must be a callable (x, t) -> tensor, got {self.score!r}")
        check_floating("x", self.x)
        if self.x.ndim < 2:
            raise ValueError(f"x must have shape (n, *shape), got {tuple(self.x.shape)}")

    @property
    def eta(self) -> float:
        """Length of the segment, ``t_hi - t_lo``."""
        return self.t_hi - self.t_lo

    @property
    def tilt_precision(self) -> float:
        """Curvature of the tilt, ``1 / h`` with ``h = e^2eta - 1``."""
        return 1.0 / math.expm1(2.0 * self.eta)

    @property
    def tilt(self) -> tuple[float, float]:
        """``e^-eta`` and ``e^-eta / (1 - e^-2eta)``."""
        decay = process.alpha(self.eta)
        return decay, decay / process.variance(self.eta)

    def tilt_gradient(self, z: Tensor) -> Tensor:
        """Gradient of the tilt, ``(e^-2eta z - e^-eta x) / (1 - e^-2eta)``, shape (n, *shape)."""
        return tilt_gradient(self.x, z, *self.tilt)

    def tilt_difference(self, z: Tensor, z_new: Tensor) -> Tensor:
        """The tilt at ``z_new`` less that at ``z``, shape (n,): exact, and without cancellation.

        The gradient is linear, so its value at the midpoint integrates it exactly.
        """
        return tilt_difference(self.x, z, z_new, *self.tilt)

    def grad(self, z: Tensor) -> Tensor:
        """``grad g(z)``, shape (n, *shape); one score evaluation."""
        self._check_z(z)
        return self._gradient(z, self.score(z, self.t_lo))

    def at(self, z: Tensor, with_log_prob: bool = True) -> Point:
        """Evaluate the kernel at ``z``: one score, and one log_prob if it is known and wanted."""
        if self.log_prob is None or not with_log_prob:
            return Point(z, self.grad(z))
        if self.score_and_log_prob is None:
            return Point(z, self.grad(z), self.log_prob(z, self.t_lo))
        self._check_z(z)
        score, log_prob = self.score_and_log_prob(z, self.t_lo)
        return Point(z, self._gradient(z, score), log_prob)

    def _gradient(self, z: Tensor, score: Tensor) -> Tensor:
        """``grad g(z)`` from the score at ``z``."""
        if score.shape != z.shape:
            raise ValueError(
                f"score returned shape {tuple(score.shape)} for x of shape {tuple(z.shape)}, "
                f"expected {tuple(z.shape)}"
            )
        return self.tilt_gradient(z) - score

    def _check_z(self, z: Tensor) -> None:
        if z.shape != self.x.shape:
            raise ValueError(
                f"z must have the shape of x, {tuple(self.x.shape)}, got {tuple(z.shape)}"
            )

    def score_at(self, point: Point) -> Tensor:
        """The score ``s(z, t_lo)`` that a point already contains, at no cost."""
        return self.tilt_gradient(point.z) - point.gradient
