"""A multistep solver whose base, noise levels and coefficients are fitted to a model.

`rtk.calibration` fits it. In the coordinates ``y = x / a_t`` and ``sigma = s_t / a_t``, let
``r = D - m - C (C + sigma^2)^-1 (y - m)`` be what the base ``N(m, C)`` does not explain of the
denoised estimate ``D`` (`rtk.gaussian_base`). At a node the score is evaluated once, which gives
``r_0``; ``r_1, r_2 ...`` are those of the nodes before. First the node itself is corrected at no
cost. Then the solver predicts the probability flow to a level ``sigma_below``, and exact forward
noise leads from there up to the next node::

    corrector: y <- y + sum_j k_j r_j
    predictor: y_below = m + E (y - m) + sum_j p_j r_j
    noise:     y_next = y_below + (sigma_next^2 - sigma_below^2)^(1/2) xi

If all ``sigma_below`` are those of the next nodes, there is no noise and the solver is one of the
probability-flow ODE (method "calibrated"). If they are lower, a segment samples the reverse
transition kernel: flow and forward noise both carry ``p_t`` along, so the segment does it too, up
to the error of the prediction (method "rtk").

The path begins with an exact draw of the base at ``t_start`` and its flow to the first node, which
need no score, and ends at ``sigma = 0``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from rtk import process
from rtk.gaussian_base import GaussianBase
from rtk.noise import Noise
from rtk.samplers.base import Info, Problem, State, score_at
from rtk.segments import T_START, Times


@dataclass(frozen=True)
class Step:
    """One node, and the way from it to the next.

    Attributes:
        t_hi, t_lo: OU times of the node and of the next one.
        corrector: ``k_0, k_1, ...``, for the residual of the node and those before it.
        predictor: ``p_0, p_1, ...``, likewise.
        sigma_below: the noise level that is predicted, at most that of the next node.
    """

    t_hi: float
    t_lo: float
    corrector: tuple[float, ...]
    predictor: tuple[float, ...]
    sigma_below: float

    @classmethod
    def of(cls, values: Sequence[Any]) -> "Step":
        """The step whose fields are these, in order, with lists for tuples."""
        t_hi, t_lo, corrector, predictor, sigma_below = values
        return cls(t_hi, t_lo, tuple(corrector), tuple(predictor), sigma_below)


@dataclass(frozen=True, eq=False)
class Calibrated:
    """The fitted solver for one number of score evaluations; `rtk.Calibration.solver` makes it.

    Attributes:
        base: the Gaussian whose flow is exact.
        t_start: OU time at which the chains begin.
        steps: one for each score evaluation; the last one ends at 0.
    """

    base: GaussianBase
    t_start: float
    steps: tuple[Step, ...]

    def initial(self, normal: Tensor, t: float) -> Tensor:
        """Draws of the base at the start: ``a (m + (C + sigma^2)^(1/2) xi)``."""
        flat = normal.flatten(1)
        y = self.base.like(flat).draw(flat, process.noise_level(t))
        return (process.alpha(t) * y).reshape(normal.shape)

    def __call__(
        self, problem: Problem, state: State, t_lo: float, nfe: int, noise: Noise
    ) -> tuple[State, Info]:
        x = state.x.flatten(1)
        base, sigma = self.base.like(x), process.noise_level(state.t)
        y = x / process.alpha(state.t)
        history: tuple[tuple[float, Tensor], ...] = ()
        if state.t == self.t_start:
            y = base.flow(y, sigma, process.noise_level(t_lo))
        else:
            step = self._step(state.t, t_lo)
            score = score_at(problem, state).flatten(1)
            residual = base.residual(process.denoise(x, score, state.t), y, sigma)
            history = ((state.t, residual), *state.history)
            residuals = [value for _, value in history]
            y = _add(y, step.corrector, residuals)
            y = _add(base.flow(y, sigma, step.sigma_below), step.predictor, residuals)
            fresh = process.noise_level(t_lo) ** 2 - step.sigma_below**2
            if fresh > 0.0:
                y = y + math.sqrt(fresh) * noise.normal().flatten(1)
        x = (process.alpha(t_lo) * y).reshape(state.x.shape)
        return State(x, t_lo, history=history[: self._longest - 1]), Info()

    def default_times(self, nfe: int, problem: Problem, t_start: float = T_START) -> Times:
        if t_start != self.t_start and t_start != T_START:
            raise ValueError(
                f"this solver was calibrated to begin at t_start={self.t_start:g}, not {t_start:g}"
            )
        return (self.t_start, *(step.t_hi for step in self.steps), 0.0)

    def minimum_nfe(self, segments: int, problem: Problem) -> int:
        return segments - 1

    @property
    def _longest(self) -> int:
        """The largest number of residuals that a step uses."""
        return max(len(step.corrector) for step in self.steps)

    def _step(self, t_hi: float, t_lo: float) -> Step:
        for step in self.steps:
            if (step.t_hi, step.t_lo) == (t_hi, t_lo):
                return step
        raise ValueError(
            f"a calibrated solver has segments of its own, but none from t = {t_hi:g} to {t_lo:g}: "
            "leave out segments="
        )


def _add(y: Tensor, coefficients: tuple[float, ...], residuals: list[Tensor]) -> Tensor:
    for coefficient, residual in zip(coefficients, residuals, strict=False):
        y = y + coefficient * residual
    return y
