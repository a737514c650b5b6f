"""The RTK samplers: a warm start, then an inner chain on the kernel of the segment.

This is the body of the loop in the paper's Algorithm 1. Inner steps are measured against the
kernel's curvature. If the data are ``N(0, v I)`` convolved with anything, then ``-hess log p_t <=
Gamma(t) I`` with ``Gamma(t) = 1 / (a_t^2 v + s_t^2)``, so ``c = Gamma(t_lo) + 1/h`` bounds ``hess
g`` from above. ``v`` is the option `data_variance`; 0 is safe for any data.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from rtk import segments
from rtk.checks import check_count, check_nonnegative, check_number, check_positive
from rtk.energy import EnergyDifference, estimator
from rtk.kernel import Point, ReverseTransition
from rtk.mcmc.ghmc import ghmc
from rtk.mcmc.hmc import hmc
from rtk.mcmc.leimkuhler_matthews import leimkuhler_matthews
from rtk.mcmc.mala import mala
from rtk.mcmc.randomized_midpoint import randomized_midpoint
from rtk.mcmc.splitting import WORDS, extra_score, splitting
from rtk.mcmc.ula import ula
from rtk.mcmc.uld import uld
from rtk.noise import Noise
from rtk.samplers.base import Info, Problem, State, score_at, smoothness
from rtk.segments import T_START, Times
from rtk.warm_start import WARM_STARTS

# Inner steps per segment when the caller sets no segments.
STEPS_PER_SEGMENT = 4

# Integrators of RTK-ULD.
INTEGRATORS = ("exponential", *WORDS, "randomized-midpoint")


@dataclass(frozen=True, kw_only=True)
class ReverseTransitionSampler(ABC):
    """The part that all RTK samplers share.

    Args:
        step_size: inner step relative to the curvature ``c`` above; each sampler has a default.
        inner_steps: inner steps per segment; by default as many as the score budget allows.
        warm_start: where the inner chain begins: "ddpm", "x", or the paper's "gaussian" (see
            `rtk.warm_start`).
        data_variance: ``v`` above, the variance of the narrowest Gaussian in the data.
    """

    step_size: float | None = None
    inner_steps: int | None = None
    warm_start: str = "ddpm"
    data_variance: float = 0.0

    def __post_init__(self) -> None:
        if self.warm_start not in [*WARM_STARTS]:
            raise ValueError(
                f"unknown warm_start {self.warm_start!r}, expected one of {[*WARM_STARTS]}"
            )
        if self.step_size is not None:
            check_positive("step_size", self.step_size)
        if self.inner_steps is not None:
            check_count("inner_steps", self.inner_steps)
        check_nonnegative("data_variance", self.data_variance)

    def cost(self, problem: Problem) -> tuple[int, int]:
        """Scores that an inner chain costs at any length, and scores for each inner step."""
        return 0, 1

    @abstractmethod
    def run(
        self, kernel: ReverseTransition, z: Tensor, steps: int, curvature: float, noise: Noise
    ) -> tuple[State, Info]:
        """The inner chain of ``steps`` steps from ``z``."""

    def __call__(
        self, problem: Problem, state: State, t_lo: float, nfe: int, noise: Noise
    ) -> tuple[State, Info]:
        densities = problem.log_prob, problem.score_and_log_prob
        kernel = ReverseTransition(problem.score, state.x, state.t, t_lo, *densities)
        gamma = smoothness(t_lo, self.data_variance)
        start = WARM_STARTS[self.warm_start]
        left = nfe - (start.needs_score and state.score is None)
        score_x = score_at(problem, state) if start.needs_score else None
        z = start.draw(kernel, score_x, noise, gamma)
        fixed, per_step = self.cost(problem)
        steps = max(0, (left - fixed) // per_step)
        if self.inner_steps is not None:
            steps = min(steps, self.inner_steps)
        if steps == 0:
            return State(z, t_lo), Info()
        return self.run(kernel, z, steps, gamma + kernel.tilt_precision, noise)

    def default_times(self, nfe: int, problem: Problem, t_start: float = T_START) -> Times:
        # One score is for the denoising step at the end.
        count = max(1, (nfe - 1) // self._segment_nfe(problem, STEPS_PER_SEGMENT))
        return segments.log_snr(count, t_start)

    def minimum_nfe(self, segments: int, problem: Problem) -> int:
        return segments * self._segment_nfe(problem, 1)

    def _segment_nfe(self, problem: Problem, steps: int) -> int:
        """Scores for a segment that reuses none, with ``inner_steps`` or, by default, ``steps``."""
        fixed, per_step = self.cost(problem)
        steps = self.inner_steps or steps
        return WARM_STARTS[self.warm_start].needs_score + fixed + steps * per_step


@dataclass(frozen=True, kw_only=True)
class RTKULA(ReverseTransitionSampler):
    """Inner chain: unadjusted Langevin, ``tau = step_size / c``."""

    def run(
        self, kernel: ReverseTransition, z: Tensor, steps: int, curvature: float, noise: Noise
    ) -> tuple[State, Info]:
        step_size = (self.step_size or 0.2) / curvature
        z = ula(kernel.grad, z, steps, step_size, noise)
        return State(z, kernel.t_lo), Info(steps, step_size)


@dataclass(frozen=True, kw_only=True)
class RTKLM(ReverseTransitionSampler):
    """Inner chain: the Leimkuhler-Matthews method, ``tau = step_size / c``.

    It has less bias than RTK-ULA, so its default step is longer.
    """

    def run(
        self, kernel: ReverseTransition, z: Tensor, steps: int, curvature: float, noise: Noise
    ) -> tuple[State, Info]:
        step_size = (self.step_size or 0.8) / curvature
        z = leimkuhler_matthews(kernel, z, steps, step_size, noise)
        return State(z, kernel.t_lo), Info(steps, step_size)


@dataclass(frozen=True, kw_only=True)
class RTKMALA(ReverseTransitionSampler):
    """Inner chain: Metropolis-adjusted Langevin, ``tau = step_size / c`` (paper, RTK-MALA).

    Args:
        step_size: default ``1.1 d^(-1/3)``, at most 1, the scaling of optimal acceptance.
        energy: energy-difference estimator, a name or an object (see `rtk.energy`); default exact
            if ``log_prob`` is known, else the trapezoid rule, which costs no score.
        proposal_radius, domain_radius: ``r`` and ``R`` of the projected variant.
    """

    energy: str | EnergyDifference | None = None
    proposal_radius: float = math.inf
    domain_radius: float = math.inf

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("proposal_radius", "domain_radius"):
            if not check_number(name, getattr(self, name)) > 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")

    def cost(self, problem: Problem) -> tuple[int, int]:
        return 1, 1 + estimator(self.energy, problem.log_prob).extra_nfe

    def run(
        self, kernel: ReverseTransition, z: Tensor, steps: int, curvature: float, noise: Noise
    ) -> tuple[State, Info]:
        relative = self.step_size or min(1.0, 1.1 * z[0].numel() ** (-1 / 3))
        step_size = relative / curvature
        radii = self.proposal_radius, self.domain_radius
        last, accepted = mala(kernel, z, steps, step_size, noise, self.energy, *radii)
        return _adjusted(kernel, last, accepted, steps, step_size)


@dataclass(frozen=True, kw_only=True)
class RTKHMC(ReverseTransitionSampler):
    """Inner chain: Hamiltonian Monte Carlo, leapfrog steps of length ``step_size / sqrt(c)``.

    Args:
        step_size: default ``1.2 d^(-1/4)``, at most 1, the scaling of optimal acceptance.
        leapfrog_steps: leapfrog steps of a proposal, which is one inner step.
        energy: as in `RTKMALA`.
    """

    leapfrog_steps: int = 2
    energy: str | EnergyDifference | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_count("leapfrog_steps", self.leapfrog_steps)

    def cost(self, problem: Problem) -> tuple[int, int]:
        return 1, self.leapfrog_steps * (1 + estimator(self.energy, problem.log_prob).extra_nfe)

    def run(
        self, kernel: ReverseTransition, z: Tensor, steps: int, curvature: float, noise: Noise
    ) -> tuple[State, Info]:
        relative = self.step_size or min(1.0, 1.2 * z[0].numel() ** (-1 / 4))
        step_size = relative / math.sqrt(curvature)
        length = self.leapfrog_steps
        last, accepted = hmc(kernel, z, steps, step_size, length, noise, self.energy)
        return _adjusted(kernel, last, accepted, steps, step_size)


@dataclass(frozen=True, kw_only=True)
class RTKGHMC(ReverseTransitionSampler):
    """Inner chain: Metropolised underdamped Langevin, ``tau = step_size / sqrt(c)``.

    Args:
        step_size: default ``d^(-1/4)``.
        friction: ``gamma / sqrt(c)``.
        energy: as in `RTKMALA`.
    """

    friction: float = 1.0
    energy: str | EnergyDifference | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("friction", self.friction)

    def cost(self, problem: Problem) -> tuple[int, int]:
        return 1, 1 + estimator(self.energy, problem.log_prob).extra_nfe

    def run(
        self, kernel: ReverseTransition, z: Tensor, steps: int, curvature: float, noise: Noise
    ) -> tuple[State, Info]:
        root = math.sqrt(curvature)
        step_size = (self.step_size or z[0].numel() ** (-1 / 4)) / root
        friction = self.friction * root
        last, accepted = ghmc(kernel, z, steps, step_size, friction, noise, self.energy)
        return _adjusted(kernel, last, accepted, steps, step_size)


@dataclass(frozen=True, kw_only=True)
class RTKULD(ReverseTransitionSampler):
    """Inner chain: underdamped Langevin, ``tau = step_size / sqrt(c)`` (paper, RTK-ULD).

    Args:
        friction: ``gamma / sqrt(c)``; the theory asks for gamma of order ``sqrt(L)``.
        integrator: "exponential", the paper's (see `rtk.mcmc.uld`); a splitting, "OBABO", "BAOAB"
            or "UBU" (see `rtk.mcmc.splitting`); or "randomized-midpoint". OBABO and BAOAB cost one
            more score per segment, the randomized midpoint two scores per step.
    """

    friction: float = 2.0
    integrator: str = "exponential"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("friction", self.friction)
        if self.integrator not in INTEGRATORS:
            raise ValueError(
                f"unknown integrator {self.integrator!r}, expected one of {INTEGRATORS}"
            )

    def cost(self, problem: Problem) -> tuple[int, int]:
        if self.integrator in WORDS:
            return extra_score(self.integrator), 1
        return 0, 2 if self.integrator == "randomized-midpoint" else 1

    def run(
        self, kernel: ReverseTransition, z: Tensor, steps: int, curvature: float, noise: Noise
    ) -> tuple[State, Info]:
        root = math.sqrt(curvature)
        step_size = (self.step_size or 0.5) / root
        friction = self.friction * root
        if self.integrator in WORDS:
            z = splitting(kernel, z, self.integrator, steps, step_size, friction, noise)
        elif self.integrator == "randomized-midpoint":
            z = randomized_midpoint(kernel, z, steps, step_size, friction, noise)
        else:
            z = uld(kernel, z, steps, step_size, friction, noise)
        return State(z, kernel.t_lo), Info(steps, step_size)


def _adjusted(
    kernel: ReverseTransition, last: Point, accepted: Tensor, steps: int, step_size: float
) -> tuple[State, Info]:
    """What a chain with a Metropolis test leaves; the score at its last point is known."""
    # From such a point every proposal is rejected: the chain could never leave.
    stuck = ~torch.isfinite(last.gradient.flatten(1)).all(1)
    if last.log_prob is not None:
        stuck |= ~torch.isfinite(last.log_prob)
    state = State(last.z, kernel.t_lo, kernel.score_at(last))
    return state, Info(steps, step_size, accepted / steps, stuck)
