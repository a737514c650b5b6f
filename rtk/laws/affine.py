"""The exact law of the samples when the target is Gaussian, read off the sampler's own code.

The score of ``N(m, diag v)`` is affine and keeps coordinates apart. Every unadjusted sampler is
then an affine map of the standard normals that it draws, in each coordinate by itself::

    z = b + sum_j c_j xi_j,    so    z ~ N(b, sum_j c_j^2).

The coefficients are read off the sampler itself (`affine_law`), so what is propagated is the code
that draws samples, not a second derivation of it. A covariance that is not diagonal is treated in
its eigenbasis, in which all samplers here commute with the rotation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rtk.laws.gaussian import Array, Gaussian
from rtk.noise import Noise
from rtk.plan import Crossing, make_plan
from rtk.samplers.base import Problem, Sampler, State, initial
from rtk.score import Score


class UnitNoise:
    """Deterministic noise: draw ``j`` is one in chain ``j + 2`` and zero in every other chain.

    Chain 0 gets zeros only, and chain 1, the control, gets numbers without structure, which are
    kept: ``control`` has one tensor of shape (dimension,) per draw.
    """

    def __init__(self, draws: int, dimension: int) -> None:
        self.n, self.control = draws + 2, list[Tensor]()
        self._dimension = dimension
        self._generator = torch.Generator().manual_seed(0)

    def normal(self) -> Tensor:
        draw = torch.zeros(self.n, self._dimension, dtype=torch.float64)
        draw[2 + len(self.control) : 3 + len(self.control)] = 1.0
        draw[1] = torch.randn(self._dimension, generator=self._generator, dtype=torch.float64)
        self.control.append(draw[1])
        return draw

    def uniform(self) -> Tensor:
        raise TypeError("a sampler that draws uniform numbers is not an affine map of its noise")


def affine_law(draw: Callable[[Noise], Tensor], dimension: int) -> Gaussian:
    """Law of the chains ``draw(noise)``, shape (noise.n, dimension), for standard normal noise.

    This is for a sampler on its own, such as `rtk.mcmc.uld.uld` on one kernel. Time grows as the
    square of the number of its draws.

    Raises:
        ValueError: if ``draw`` is not affine in the noise of each coordinate.
        TypeError: if ``draw`` asks for uniform numbers.
        FloatingPointError: if the chains overflow, as with too large a step.
    """
    base, coefficients = _affine_map(lambda noise: draw(noise).unsqueeze(1), dimension)
    return Gaussian(base[0], (coefficients[:, 0] ** 2).sum(0))


def sample_law(
    score: Score,
    dimension: int,
    sampler: Sampler,
    nfe: int = 100,
    *,
    segments: int | Sequence[float] | None = None,
    denoise: bool | None = None,
) -> tuple[Gaussian, int]:
    """Law of the samples of `rtk.sample`, and the score evaluations made per chain.

    The arguments are those of `rtk.sample`, with the sampler as an object such as
    `rtk.samplers.DDPM()`. The score must be affine in each coordinate by itself: that of a Gaussian
    (an `rtk.GaussianMixture` of one component), perhaps scaled or shifted. Time is linear in the
    number of segments, as each begins from the Gaussian law of its start.

    Raises:
        ValueError, TypeError, FloatingPointError: as `rtk.sample` and `affine_law`.
    """
    plan = make_plan(score, sampler, nfe, None, segments, denoise)
    first = plan.crossings[0]
    base, factor = _affine_map(
        lambda noise: initial(first.sampler, noise.normal(), first.t_hi).unsqueeze(1), dimension
    )
    law = _StateLaw(State(torch.empty(0), first.t_hi), base, factor)
    spent = 0
    for crossing in plan.crossings:
        law, scores = _cross(plan.problem, crossing, law, crossing.allowance - spent)
        spent += scores
    return Gaussian(law.base[0], (law.factor[:, 0] ** 2).sum(0)), spent


@dataclass(frozen=True)
class _StateLaw:
    """Joint law of the tensors of a state between two segments, ``base + sum_k factor_k xi_k``.

    The tensors are x, the score if the state contains one, and the denoised estimates of its
    history. ``template`` is a state that has the same ones; base has shape (tensors, d), factor
    (draws, tensors, d).
    """

    template: State
    base: Array
    factor: Array

    def draw(self, noise: Noise) -> State:
        tensors = torch.from_numpy(self.base).expand(noise.n, -1, -1)
        for row in torch.from_numpy(self.factor):
            tensors = tensors + noise.normal().unsqueeze(1) * row
        x, *others = tensors.unbind(1)
        score = None if self.template.score is None else others.pop(0)
        times = [t for t, _ in self.template.history]
        return State(x, self.template.t, score, tuple(zip(times, others, strict=True)))


def _cross(
    problem: Problem, crossing: Crossing, start: _StateLaw, allowed: int
) -> tuple[_StateLaw, int]:
    """Law of the state at the end of a segment, and the scores spent per chain."""
    ends: list[tuple[State, int]] = []

    def draw(noise: Noise) -> Tensor:
        before = problem.score.evaluations
        state, _ = crossing.sampler(problem, start.draw(noise), crossing.t_lo, allowed, noise)
        ends.append((state, (problem.score.evaluations - before) // noise.n))
        scores = [] if state.score is None else [state.score]
        return torch.stack([state.x, *scores, *(denoised for _, denoised in state.history)], 1)

    base, coefficients = _affine_map(draw, start.base.shape[1])
    # Any root of the covariance will do; a triangular one needs at most one draw per tensor.
    factor = np.linalg.qr(coefficients.transpose(2, 0, 1)).R.transpose(1, 2, 0)
    state, scores = ends[-1]
    return _StateLaw(state, base, np.ascontiguousarray(factor)), scores


def _affine_map(draw: Callable[[Noise], Tensor], dimension: int) -> tuple[Array, Array]:
    """``b`` (tensors, d) and ``c_j`` (J, tensors, d) of ``draw(noise)``, (noise.n, tensors, d).

    ``draw`` runs twice, to count its J draws and on the chains of `UnitNoise`.
    """
    trial = UnitNoise(0, dimension)
    with torch.no_grad():
        draw(trial)
        noise = UnitNoise(len(trial.control), dimension)
        ends = draw(noise).numpy()
    if not np.isfinite(ends).all():
        raise FloatingPointError("the chains are not finite; the step size may be too large")
    base, control, coefficients = ends[0], ends[1] - ends[0], ends[2:] - ends[0]
    terms = coefficients * torch.stack(noise.control).unsqueeze(1).numpy()
    size = 1.0 + np.abs(base) + np.abs(terms).sum(0)
    if not (np.abs(control - terms.sum(0)) <= 1e-8 * size).all():
        raise ValueError(
            "the sampler is not affine in the noise of each coordinate, expected an unadjusted "
            "sampler and the score of a Gaussian with a diagonal covariance"
        )
    return base, coefficients
