"""The faults that are planted in the samplers, in the laws of samplers, and in their settings.

Some laws are a second derivation of a sampler (`rtk.laws.closed_form`, `rtk.laws.radial`, and the
proposals of `rtk.laws.grid`). A fault in the sampler alone would not reach them, so that each fault
is planted there in the same form.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from experiments.mutants.plant import Fault, Function, Place
from experiments.theory import dimension, robustness, segment_count
from rtk import kernel, process, segments
from rtk.energy import SIMPSON, EnergyDifference, LineIntegral, Taylor
from rtk.kernel import Point, ReverseTransition, dot
from rtk.laws import acceptance, closed_form, grid, radial
from rtk.laws import reverse_transition as transition_laws
from rtk.mcmc import mala, uld
from rtk.noise import Noise
from rtk.samplers import ddpm, reverse_transition
from rtk.samplers.base import Info, State
from rtk.samplers.reverse_transition import RTKULA, RTKULD, ReverseTransitionSampler
from rtk.targets.gaussian_mixture import GaussianMixture

SHIFT = 0.3
"""What the shifted score has in excess, in every coordinate."""
SHORT = 0.25
"""Length of the short segments over that of the theory."""
LONG = 2.0
"""Length of the long segments over that of the theory."""
STEP = 0.6
"""Length of the short inner steps over the right one."""


# --- the kernel -----------------------------------------------------------------------------------


def wide_tilt(right: Function, *arguments: Any) -> Tensor:
    """The gradient of a tilt of half the precision."""
    gradient: Tensor = 0.5 * right(*arguments)
    return gradient


def wide_kernel(right: Function, target: Any, ends: Any) -> tuple[Any, Any]:
    """The same kernel on a Gaussian, in closed form: its precision and its slope in x."""
    precision, slope = right(target, ends)
    tilt = ends.decay**2 / ends.fresh
    wide = precision - 0.5 * tilt
    return wide, 0.5 * slope * precision / wide


def wide_curvatures(right: Function, target: Any, times: Any) -> tuple[Any, Any]:
    """The bound on the curvature to which steps are relative is that of the right kernel."""
    precision, curvature = right(target, times)
    lengths = -np.diff(np.asarray(times, dtype=float))[:, np.newaxis]
    return precision, curvature + 0.5 / np.expm1(2.0 * lengths)


def uphill(right: Function, *arguments: Any) -> Tensor:
    """The gradient of the potential with the wrong sign."""
    gradient: Tensor = -right(*arguments)
    return gradient


def uphill_precision(right: Function, target: Any, times: Any) -> tuple[Any, Any]:
    """The same in closed form: each step moves away from the mean of the kernel."""
    precision, curvature = right(target, times)
    return -precision, curvature


# --- the Metropolis test --------------------------------------------------------------------------


@dataclass(frozen=True)
class Negated:
    """An estimator of energy differences with the wrong sign."""

    energy: EnergyDifference

    @property
    def extra_nfe(self) -> int:
        return self.energy.extra_nfe

    @property
    def needs_log_prob(self) -> bool:
        return self.energy.needs_log_prob

    def __call__(self, kernel: ReverseTransition, here: Point, there: Point) -> Tensor:
        return -self.energy(kernel, here, there)


def negated(right: Function, *arguments: Any) -> Negated:
    return Negated(right(*arguments))


def negative(right: Function, *arguments: Any) -> Any:
    return -right(*arguments)


def always(right: Function, *arguments: Any) -> Tensor:
    """The ratio of proposal densities with which every proposal is accepted."""
    return torch.full_like(right(*arguments), -math.inf)


# --- the noise and the step -----------------------------------------------------------------------


@dataclass(frozen=True)
class Loud:
    """Normal draws of a larger variance, twice that if no other factor is given."""

    noise: Noise
    factor: float = 2.0

    @property
    def n(self) -> int:
        return self.noise.n

    def normal(self) -> Tensor:
        return self.factor**0.5 * self.noise.normal()

    def uniform(self) -> Tensor:
        return self.noise.uniform()


def loud(right: Function, *arguments: Any) -> Any:
    """A sampler whose noise, the last argument, is too large."""
    *others, noise = arguments
    return right(*others, Loud(noise))


def loud_chain(right: Function, target: Any, times: Any, kept: Any, noise: Any, start: Any) -> Any:
    """An inner chain in closed form whose start is as loud as its steps."""
    if start is closed_form.ddpm:  # which has the fault itself
        return right(target, times, kept, 2.0 * noise, start)
    return loud_step(right, target, times, kept, noise, start)


def loud_coefficients(right: Function, step_size: float, friction: float) -> uld.Coefficients:
    """Coefficients of ULD with twice the variance of all noise."""
    c: uld.Coefficients = right(step_size, friction)
    doubled = {"variance_v": 2 * c.variance_v, "variance_z": 2 * c.variance_z}
    return replace(c, **doubled, covariance=2 * c.covariance)


def loud_step(right: Function, *arguments: Any) -> Any:
    steps = right(*arguments)
    return steps._replace(variance=2.0 * steps.variance)


def loud_proposals(right: Function, points: Point, cells: grid.Grid, step_size: float) -> Any:
    """Proposals that move by ``step_size`` along the gradient, with the noise of twice that."""
    behind = Point(points.z + step_size * points.gradient, points.gradient)
    return right(behind, cells, 2.0 * step_size)


def short_step(position: int) -> Function:
    """A shorter step size; it is the argument at this position."""

    def wrong(right: Function, *arguments: Any, **options: Any) -> Any:
        if "step_size" in options:
            return right(*arguments, **options | {"step_size": STEP * options["step_size"]})
        changed = [*arguments]
        changed[position] *= STEP
        return right(*changed, **options)

    return wrong


# --- RTK-ULD --------------------------------------------------------------------------------------


def independent_noise(right: Function, step_size: float, friction: float) -> uld.Coefficients:
    """Coefficients without the covariance of the noise of positions and velocities."""
    c: uld.Coefficients = right(step_size, friction)
    return replace(c, covariance=0.0)


def overdamped(right: Function, sampler: RTKULD, *arguments: Any) -> tuple[State, Info]:
    """RTK-ULA in the place of RTK-ULD, whose step size is a squared one."""
    return RTKULA(step_size=(sampler.step_size or 0.5) ** 2).run(*arguments)


def overdamped_law(
    right: Function, segment: Any, rows: Any, steps: int, step_size: float, friction: float
) -> Any:
    return transition_laws._ula(segment, rows, steps, step_size**2)


def overdamped_steps(
    right: Function, target: Any, times: Any, step_size: float, steps: Any, start: Any = None
) -> Any:
    start = start or closed_form.gaussian_start
    return closed_form.rtk_ula(target, times, step_size**2, steps, start)


# --- DDPM -----------------------------------------------------------------------------------------


def squared_variance(right: Function, *arguments: Any) -> tuple[Tensor, float]:
    """The variance of DDPM's step squared, so that its root is the variance."""
    mean, variance = right(*arguments)
    return mean, variance**2


def squared_deviation_step(right: Function, target: Any, times: Any) -> Any:
    steps = right(target, times)
    return steps._replace(variance=steps.variance**2)


def excess_noise(right: Function, target: Any, times: Any) -> Any:
    """DDPM's step with a variance whose relative excess is the fourth root of its length."""
    steps = right(target, times)
    lengths = -np.diff(np.asarray(times, dtype=float))[:, np.newaxis]
    return steps._replace(variance=steps.variance * (1.0 + lengths**0.25))


def loud_ddpm(
    right: Function, sampler: Any, problem: Any, state: State, t_lo: float, nfe: int, noise: Noise
) -> Any:
    """The same in the sampler, where a step is as long as it is in log-SNR; the last has no noise."""
    length = process.log_snr(t_lo) - process.log_snr(state.t) if t_lo > 0.0 else 0.0
    return right(sampler, problem, state, t_lo, nfe, Loud(noise, 1.0 + length**0.25))


def exact_step(right: Function, target: Any, times: Any) -> Any:
    """The kernel itself in the place of DDPM's Gaussian."""
    return closed_form.exact_kernel(target, times)


# --- the score and energies from it ---------------------------------------------------------------


def shifted(right: Function, *arguments: Any) -> Tensor:
    score: Tensor = right(*arguments) + SHIFT
    return score


def shifted_with_density(right: Function, *arguments: Any) -> tuple[Tensor, Tensor]:
    """The score has the shift, the density is right."""
    score, log_prob = right(*arguments)
    return score + SHIFT, log_prob


def shifted_ends(right: Function, target: Any, times: Any) -> Any:
    """Tweedie's formula with the shifted score."""
    ends = right(target, times)
    return ends._replace(shift=ends.shift + SHIFT * ends.s2_hi / ends.a_hi)


def shifted_kernel(right: Function, target: Any, times: Any) -> Any:
    """The kernel that has the shifted score."""
    steps = right(target, times)
    return steps._replace(offset=steps.offset + SHIFT * steps.variance)


def two_ends(right: Function, rule: Any, kernel: Any, here: Point, there: Point) -> Tensor:
    """Energy differences from the scores at both ends alone."""
    return dot(there.z - here.z, 0.5 * (here.gradient + there.gradient))


def first_order(right: Function, rule: Any, kernel: Any, here: Point, there: Point) -> Tensor:
    """A Taylor expansion that ends after its first term."""
    return dot(there.z - here.z, here.gradient)


def unscaled(right: Function, rule: Taylor, kernel: Any, here: Point, there: Point) -> Tensor:
    """A Taylor expansion whose finite difference is divided by its fraction once too often."""
    step = there.z - here.z
    change = kernel.grad(here.z + rule.fraction * step) - here.gradient
    return dot(step, here.gradient + change / (2.0 * rule.fraction**2))


def symmetric(right: Function, rule: Any, kernel: Any, here: Point, there: Point) -> Tensor:
    return SIMPSON(kernel, here, there)


def squared_energy(right: Function, cases: Any, cells: grid.Grid) -> Any:
    """Errors of the energy difference whose size is squared."""
    changed = [(place, kind, eps**2 if place == "energy" else eps) for place, kind, eps in cases]
    return right(changed, cells)


# --- segments and times ---------------------------------------------------------------------------


def scaled(factor: float) -> Function:
    def wrong(right: Function, *arguments: Any) -> float:
        length: float = factor * right(*arguments)
        return length

    return wrong


def late(right: Function, second_moment: float, eps: float) -> float:
    """The second moment stands before the logarithm."""
    time: float = second_moment * right(second_moment, eps)
    return time


def powers(right: Function, eps: float, dim: int) -> int:
    """Segments up to the exponential of the start time, ``e^T = O(1 / eps)``."""
    length = segments.critical_length(segment_count.LIPSCHITZ)
    return math.ceil(math.exp(right(eps, dim) * length) / length)


FAULTS = {
    "kernel width": Fault(
        "The Gaussian factor of the kernel has twice its variance.",
        (
            Place(kernel, "tilt_gradient", wide_tilt),
            Place(closed_form, "_kernel", wide_kernel),
            Place(closed_form, "_curvatures", wide_curvatures),
        ),
    ),
    "gradient's sign": Fault(
        "Inner chains follow the gradient of the potential upwards.",
        (
            Place(ReverseTransition, "_gradient", uphill),
            Place(closed_form, "_curvatures", uphill_precision),
        ),
    ),
    "inverted ratio": Fault(
        "The Metropolis test has the inverse of its ratio.",
        (
            Place(mala, "estimator", negated),
            Place(mala, "proposal_ratio", negative),
            Place(grid, "estimator", negated),
            Place(grid, "proposal_ratio", negative),
            Place(radial, "Exact", negated),
            Place(acceptance, "Exact", negated),
            Place(acceptance, "proposal_ratio", negative),
        ),
    ),
    "no test": Fault(
        "The Metropolis test accepts everything: ULA in the place of MALA.",
        (
            Place(mala, "proposal_ratio", always),
            Place(grid, "proposal_ratio", always),
            Place(acceptance, "proposal_ratio", always),
        ),
    ),
    "double noise": Fault(
        "The noise of inner chains and of DDPM has twice its variance.",
        (
            Place(ReverseTransitionSampler, "__call__", loud),
            Place(ddpm.DDPM, "__call__", loud),
            Place(closed_form, "_inner_chain", loud_chain),
            Place(closed_form, "ddpm", loud_step),
            Place(closed_form.PLAIN_STEPS, "ddpm", loud_step),
            Place(grid, "_proposals", loud_proposals),
            Place(transition_laws, "coefficients", loud_coefficients),
        ),
    ),
    "short step": Fault(
        "Inner steps are shorter, 0.6 of their length. The samplers remain right.",
        (
            Place(reverse_transition, "ula", short_step(3)),
            Place(reverse_transition, "uld", short_step(3)),
            Place(reverse_transition, "mala", short_step(3)),
            Place(closed_form.RTK_STEPS, "rtk-ula", short_step(2)),
            Place(closed_form.RTK_STEPS, "rtk-uld", short_step(2)),
            Place(grid, "ula_matrix", short_step(2)),
            Place(grid, "mala_matrix", short_step(2)),
            Place(grid, "segment_laws", short_step(3)),
            Place(radial, "mala_matrix", short_step(2)),
            Place(transition_laws, "_uld", short_step(3)),
        ),
    ),
    "ULD's covariance": Fault(
        "The noises of ULD's positions and velocities are independent.",
        (
            Place(uld, "coefficients", independent_noise),
            Place(closed_form, "coefficients", independent_noise),
            Place(transition_laws, "coefficients", independent_noise),
        ),
    ),
    "ULA for ULD": Fault(
        "ULA in the place of ULD, its step the square of ULD's.",
        (
            Place(RTKULD, "run", overdamped),
            Place(closed_form.RTK_STEPS, "rtk-uld", overdamped_steps),
            Place(transition_laws, "_uld", overdamped_law),
        ),
    ),
    "DDPM's variance": Fault(
        "DDPM, also as a warm start, multiplies its noise by the variance, not by its root.",
        (
            Place(process, "posterior", squared_variance),
            Place(closed_form, "ddpm", squared_deviation_step),
            Place(closed_form.PLAIN_STEPS, "ddpm", squared_deviation_step),
        ),
    ),
    "slow DDPM": Fault(
        "DDPM's noise has an excess that falls as the fourth root of the step.",
        (
            Place(ddpm.DDPM, "__call__", loud_ddpm),
            Place(closed_form.PLAIN_STEPS, "ddpm", excess_noise),
        ),
    ),
    "exact for DDPM": Fault(
        "The kernel itself in the place of DDPM's Gaussian.",
        (
            Place(closed_form, "ddpm", exact_step),
            Place(closed_form.PLAIN_STEPS, "ddpm", exact_step),
        ),
    ),
    "shifted score": Fault(
        "All scores have a constant in excess.",
        (
            Place(GaussianMixture, "score_and_log_prob", shifted_with_density),
            Place(robustness, "true_score", shifted),
            Place(closed_form, "_ends", shifted_ends),
            Place(closed_form, "exact_kernel", shifted_kernel),
        ),
    ),
    "fewer scores": Fault(
        "Energy differences leave out the further scores that they ask for.",
        (Place(LineIntegral, "__call__", two_ends), Place(Taylor, "__call__", first_order)),
    ),
    "Simpson for Taylor": Fault(
        "Simpson's rule in the place of the Taylor expansion.",
        (Place(Taylor, "__call__", symmetric),),
    ),
    "Taylor's fraction": Fault(
        "The Taylor expansion divides by the fraction of its finite difference once too often.",
        (Place(Taylor, "__call__", unscaled),),
    ),
    "squared error": Fault(
        "An error of the energy difference enters by its square.",
        (Place(robustness, "chain_laws", squared_energy),),
    ),
    "short segments": Fault(
        "Segments have a quarter of the theory's length.",
        (Place(segments, "critical_length", scaled(SHORT)),),
    ),
    "long segments": Fault(
        "Segments have twice the theory's length.",
        (Place(segments, "critical_length", scaled(LONG)),),
    ),
    "late start": Fault(
        "The second moment stands before the logarithm in the start time.",
        (Place(dimension, "end_time", late),),
    ),
    "no logarithm": Fault(
        "RTK's start time lacks its logarithm.",
        (Place(segment_count, "rtk_segments", powers),),
    ),
}
"""The faults by name."""
