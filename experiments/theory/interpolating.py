"""The calibrated solver with coefficients of an interpolation in place of fitted ones.

The residual ``r`` of `rtk.samplers.calibrated` is interpolated by the polynomial in ``ln(sigma)``
through the last nodes. Its integral against the flow of the base (`rtk.calibration.exponential`)
gives a weight for each node and each direction of the base. This is how exponential integrators
find their coefficients. Nodes, base, start and the scores that are spent are those of a fitted
solver.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from rtk import process
from rtk.calibration import exponential
from rtk.gaussian_base import GaussianBase
from rtk.noise import Noise
from rtk.samplers.base import Info, Problem, State, score_at
from rtk.samplers.calibrated import Calibrated
from rtk.segments import T_START, Times


@dataclass(frozen=True, eq=False)
class Interpolating:
    """A predictor-corrector with polynomial coefficients.

    Attributes:
        fitted: the solver whose base, nodes and correction of the first node it takes. The first
            node is so far from the start that no polynomial describes the residual up to there.
        history: the number of residuals that a prediction uses; a correction uses one more.
    """

    fitted: Calibrated
    history: int

    def initial(self, normal: Tensor, t: float) -> Tensor:
        return self.fitted.initial(normal, t)

    def default_times(self, nfe: int, problem: Problem, t_start: float = T_START) -> Times:
        return self.fitted.default_times(nfe, problem, t_start)

    def minimum_nfe(self, segments: int, problem: Problem) -> int:
        return self.fitted.minimum_nfe(segments, problem)

    def __call__(
        self, problem: Problem, state: State, t_lo: float, nfe: int, noise: Noise
    ) -> tuple[State, Info]:
        if state.t == self.fitted.t_start:
            return self.fitted(problem, state, t_lo, nfe, noise)
        base, sigma = self.fitted.base.like(state.x), process.noise_level(state.t)
        y = state.x / process.alpha(state.t)
        denoised = process.denoise(state.x, score_at(problem, state), state.t)
        history = ((state.t, base.residual(denoised, y, sigma)), *state.history)
        u = [math.log(process.noise_level(t)) for t, _ in history]
        residuals = [base.coordinates(residual) for _, residual in history]
        if len(u) == 1:
            y = y + self.fitted.steps[0].corrector[0] * base.point(residuals[0])
        else:
            known = self.history + 1
            corrected = integral(base, u[1], u[0], u[:known], residuals[:known])
            predicted = integral(base, u[1], u[0], u[1:known], residuals[1:known])
            y = y + base.point(base.spread(sigma) * (corrected - predicted))
        sigma_lo = process.noise_level(t_lo)
        u_lo = math.log(sigma_lo) if sigma_lo > 0.0 else -math.inf
        known = self.history
        change = base.spread(sigma_lo) * integral(base, u[0], u_lo, u[:known], residuals[:known])
        y = base.flow(y, sigma, sigma_lo) + base.point(change)
        return State(process.alpha(t_lo) * y, t_lo, history=history[: self.history]), Info()


def integral(
    base: GaussianBase, u_from: float, u_to: float, u: list[float], residuals: list[Tensor]
) -> Tensor:
    """``-int r / (C + sigma^2)^(1/2) d ln(sigma)`` in the coordinates of the base, shape (n, m).

    Down to ``sigma = 0`` the residual falls like ``sigma^2``, and only that at ``u_from`` counts.
    """
    if u_to == -math.inf:
        sigma = math.exp(u_from)
        return (base.spread(sigma) - base.spread(0.0)) / sigma**2 * residuals[0]
    weights = exponential.weights(u_from, u_to, u, base.variances)
    return torch.einsum("jm,jnm->nm", weights, torch.stack(residuals))
