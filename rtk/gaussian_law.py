"""The exact law of the samples when the target is Gaussian: no Monte Carlo noise.

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
from numpy.typing import ArrayLike, NDArray
from scipy.special import log1p
from torch import Tensor

from rtk.noise import Noise
from rtk.sampler import Crossing, make_plan
from rtk.score import Score
from rtk.step import Problem, State, Step

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Gaussian:
    """``N(mean, diag variance)``, both of shape (d,) and float64.

    Raises:
        ValueError: for other shapes, values that are not finite, negative variances.
    """

    mean: Array
    variance: Array

    def __init__(self, mean: ArrayLike, variance: ArrayLike) -> None:
        mean, variance = np.array(mean, dtype=float), np.array(variance, dtype=float)
        if mean.ndim != 1 or mean.shape != variance.shape:
            raise ValueError(
                "mean and variance must be vectors of one length, got shapes "
                f"{mean.shape} and {variance.shape}"
            )
        if not (np.isfinite(mean).all() and np.isfinite(variance).all() and variance.min() >= 0):
            raise ValueError("mean must be finite, and variance finite and non-negative")
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "variance", variance)

    def power(self, copies: int) -> "Gaussian":
        """The law of ``copies`` independent draws, one after the other."""
        return Gaussian(np.tile(self.mean, copies), np.tile(self.variance, copies))


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

    For a sampler on its own, such as `rtk.uld.uld` on one kernel; time grows as the square of the
    number of its draws.

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
    method: str | Step = "rtk-uld",
    nfe: int = 100,
    *,
    segments: int | Sequence[float] | None = None,
    denoise: bool | None = None,
    **options: object,
) -> tuple[Gaussian, int]:
    """Law of the samples of `rtk.sample`, and the score evaluations made per chain.

    The arguments are those of `rtk.sample`. The score must be affine in each coordinate by itself:
    that of a Gaussian (an `rtk.GaussianMixture` of one component), perhaps scaled or shifted. Time
    is linear in the number of segments, as each begins from the Gaussian law of its start.

    Raises:
        ValueError, TypeError, FloatingPointError: as `rtk.sample` and `affine_law`.
    """
    plan = make_plan(score, method, nfe, None, segments, denoise, **options)
    start = State(torch.empty(0), plan.crossings[0].t_hi)
    law = _StateLaw(start, np.zeros((1, dimension)), np.ones((1, 1, dimension)))
    spent = 0
    for crossing in plan.crossings:
        law, scores = _cross(plan.problem, crossing, law, crossing.allowance - spent)
        spent += scores
    return Gaussian(law.base[0], (law.factor[:, 0] ** 2).sum(0)), spent


@dataclass(frozen=True)
class _StateLaw:
    """Joint law of the tensors of a state between two segments, ``base + sum_k factor_k xi_k``.

    ``like`` tells which tensors there are; base (tensors, d), factor (draws, tensors, d).
    """

    like: State
    base: Array
    factor: Array

    def draw(self, noise: Noise) -> State:
        tensors = torch.from_numpy(self.base).expand(noise.n, -1, -1)
        for row in torch.from_numpy(self.factor):
            tensors = tensors + noise.normal().unsqueeze(1) * row
        x, *others = tensors.unbind(1)
        score = None if self.like.score is None else others.pop(0)
        previous = None if self.like.previous is None else (self.like.previous[0], others.pop(0))
        return State(x, self.like.t, score, previous)


def _cross(
    problem: Problem, crossing: Crossing, start: _StateLaw, allowed: int
) -> tuple[_StateLaw, int]:
    """Law of the state at the end of a segment, and the scores spent per chain."""
    ends: list[tuple[State, int]] = []

    def draw(noise: Noise) -> Tensor:
        before = problem.score.evaluations
        state, _ = crossing.step(problem, start.draw(noise), crossing.t_lo, allowed, noise)
        ends.append((state, (problem.score.evaluations - before) // noise.n))
        known = (state.x, state.score, None if state.previous is None else state.previous[1])
        return torch.stack([tensor for tensor in known if tensor is not None], 1)

    base, coefficients = _affine_map(draw, start.base.shape[1])
    # Any root of the covariance will do: a triangular one needs a draw per tensor at most.
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


def kl(p: Gaussian, q: Gaussian) -> float:
    """``KL(p | q) = sum_i [u_i - log(1 + u_i) + (m_i - n_i)^2 / w_i] / 2``.

    ``p = N(m, v)``, ``q = N(n, w)``, ``u_i = v_i / w_i - 1``; nats.
    """
    _check_densities(p, q)
    u = (p.variance - q.variance) / q.variance
    shift = (p.mean - q.mean) ** 2 / q.variance
    return float(0.5 * (u - np.log1p(u) + shift).sum())


def w2(p: Gaussian, q: Gaussian) -> float:
    """``W_2(p, q) = (sum_i (m_i - n_i)^2 + (v_i^(1/2) - w_i^(1/2))^2)^(1/2)``."""
    _check_dimensions(p, q)
    shift = (p.mean - q.mean) ** 2
    return float(np.sqrt((shift + (np.sqrt(p.variance) - np.sqrt(q.variance)) ** 2).sum()))


def tv(p: Gaussian, q: Gaussian, tolerance: float = 1e-10) -> float:
    """Total variation ``int |p - q| / 2`` to the relative ``tolerance``, in any dimension.

    From ``min(1, e^-l) = int e^{(i y - 1/2) l} / (y^2 + 1/4) dy / (2 pi)`` at ``l = log(p / q)``::

        TV = (1/pi) int_0^oo Re[1 - psi(y)] / (y^2 + 1/4) dy,
        psi(y) = int p^{1/2 + i y} q^{1/2 - i y} dx,

    where for product Gaussians, with ``a_i = (v_i + w_i) / 2``, ``r_i = (w_i - v_i) / (2 a_i)``,
    ``d_i = (m_i - n_i)^2 / a_i`` and ``f_i = 1 + 2 i y r_i``::

        log psi = sum_i [log(1 - r_i^2) / 4 + i y artanh r_i - log(f_i) / 2
                         - (y^2 + 1/4) d_i / (2 f_i)].

    Nothing cancels when p and q are close, so a tiny distance keeps its digits. The integral is
    taken by the trapezoid rule in ``log y`` along a ray on which psi decays; the singularities lie
    on the imaginary axis, so the ray may be turned by less than a right angle.

    Raises:
        ArithmeticError: if halving the step does not settle to the tolerance.
    """
    _check_densities(p, q)
    average = 0.5 * (p.variance + q.variance)
    pairs = np.stack(((q.variance - p.variance) / (2 * average), (p.mean - q.mean) ** 2 / average))
    (ratio, shift), copies = np.unique(pairs, axis=1, return_counts=True)
    scale = np.sqrt((copies * (2 * ratio**2 + shift)).sum())
    if scale == 0.0:
        return 0.0

    def log_psi(y: NDArray[np.complex128]) -> NDArray[np.complex128]:
        y = y[:, np.newaxis]
        tilt = 2j * y * ratio
        terms = 0.25 * np.log1p(-(ratio**2)) + 1j * y * np.arctanh(ratio) - 0.5 * log1p(tilt)
        total: NDArray[np.complex128] = (
            terms - 0.5 * (y**2 + 0.25) * shift / (1 + tilt)
        ) @ copies.astype(float)
        return total

    def ray(step: float, angle: float) -> NDArray[np.complex128]:
        return np.exp(np.arange(-36.0, 36.0, step) + 1j * angle) / scale

    def trapezoid(step: float) -> float:
        y = ray(step, angle)
        integrand = -np.expm1(log_psi(y)) * y / (y**2 + 0.25)
        return float(integrand.real.sum() * step / np.pi)

    # A turned ray must not meet large values of psi; the real axis, the last resort, has |psi| < 1.
    # Finer rays end further out than the coarsest, so it is looked at up to twice as far.
    angles = (0.4, -0.4, 0.2, -0.2, 0.1, -0.1, 0.0)
    angle = next(a for a in angles if log_psi(2.0 * ray(0.25, a)).real.max() <= 1.0)
    coarse = trapezoid(0.25)
    for halvings in range(1, 9):
        fine = trapezoid(0.25 * 0.5**halvings)
        if abs(fine - coarse) <= tolerance * fine:
            return fine
        coarse = fine
    raise ArithmeticError(f"total variation is not settled to {tolerance}: {coarse}, then {fine}")


def _check_dimensions(p: Gaussian, q: Gaussian) -> None:
    if p.mean.shape != q.mean.shape:
        raise ValueError(
            f"expected laws of one dimension, got {len(p.mean)} and {len(q.mean)} coordinates"
        )


def _check_densities(p: Gaussian, q: Gaussian) -> None:
    _check_dimensions(p, q)
    if p.variance.min() == 0.0 or q.variance.min() == 0.0:
        raise ValueError("expected laws with densities, got a variance of zero")
