"""Samplers on a Gaussian target in closed form: the laws of very long chains.

`rtk.laws.affine.sample_law` reads the law of a chain off the sampler itself, one inner step after
the other. Chains of a million steps need the same affine maps in closed form, for all segments at
once; the tests compare the two. In each coordinate by itself a segment is the map::

    x_lo = slope x_hi + offset + N(0, variance).

A target is a `rtk.laws.gaussian.Gaussian`, and times decrease as in `rtk.segments`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rtk.laws.gaussian import Gaussian
from rtk.mcmc.uld import coefficients
from rtk.samplers.dpm_solver import LONGEST_RATIO
from rtk.samplers.reverse_transition import RTKULD

Array = NDArray[np.float64]

FRICTION = RTKULD.friction

# Segments at a time: what fits a processor's cache.
CHUNK = 2048


class Steps(NamedTuple):
    """The affine maps of the segments, the noisiest first; each array has shape (segments, d)."""

    slope: Array
    offset: Array
    variance: Array


Step = Callable[[Gaussian, ArrayLike], Steps]


class _Ends(NamedTuple):
    """Coefficients at both ends of the segments, shape (segments, 1), and Tweedie's formula.

    ``decay`` is ``e^-eta`` and ``fresh`` is ``1 - e^-2eta``. At the noisy end Tweedie's formula is
    ``E[x_0 | x_hi] = gain x_hi + shift``, both of shape (segments, d).
    """

    a_hi: Array
    a_lo: Array
    s2_hi: Array
    s2_lo: Array
    decay: Array
    fresh: Array
    gain: Array
    shift: Array


def ddpm(target: Gaussian, times: ArrayLike) -> Steps:
    """Ancestral steps: ``E[x_lo | x_hi, D] + Var[x_lo | x_hi, D]^(1/2) xi`` (`rtk.DDPM`)."""
    e = _ends(target, times)
    pull = e.a_lo * e.fresh / e.s2_hi
    variance = np.broadcast_to(e.s2_lo * e.fresh / e.s2_hi, e.gain.shape)
    return Steps(pull * e.gain + e.decay * e.s2_lo / e.s2_hi, pull * e.shift, variance)


def ddim(target: Gaussian, times: ArrayLike) -> Steps:
    """``a_lo D + s_lo (x - a_hi D) / s_hi``, without noise (`rtk.samplers.ddim`)."""
    e = _ends(target, times)
    shrink = np.sqrt(e.s2_lo / e.s2_hi)
    push = e.a_lo - e.a_hi * shrink
    return Steps(push * e.gain + shrink, push * e.shift, np.zeros_like(e.gain))


def exact_kernel(target: Gaussian, times: ArrayLike) -> Steps:
    """The kernels themselves: precision ``1/v_lo + 1/h``, ``v_lo`` the variance at t_lo."""
    e = _ends(target, times)
    precision, slope = _kernel(target, e)
    offset = e.a_lo * target.mean / _noised(target, e.a_lo, e.s2_lo) / precision
    return Steps(slope, offset, 1.0 / precision)


def gaussian_start(target: Gaussian, times: ArrayLike) -> Steps:
    """The paper's start of an inner chain, of precision ``2 Gamma + 1/h`` (`rtk.warm_start`)."""
    e = _ends(target, times)
    bound = 1.0 / _noised(target, e.a_lo, e.s2_lo).min(1, keepdims=True)
    precision = 2.0 * bound + e.decay**2 / e.fresh + np.zeros_like(e.gain)
    return Steps(e.decay / e.fresh / precision, np.zeros_like(precision), 1.0 / precision)


def rtk_ula(
    target: Gaussian,
    times: ArrayLike,
    step_size: float,
    steps: ArrayLike,
    start: Step = gaussian_start,
) -> Steps:
    """RTK-ULA with ``steps`` inner steps, one number for all segments or one for each.

    ``step_size`` as in `rtk.samplers.reverse_transition`; ``start`` is `gaussian_start` or `ddpm`.

    Raises:
        ValueError: if the step is so long that the chain diverges.
    """
    precision, curvature = _curvatures(target, times)
    move = step_size * precision / curvature
    if (move >= 2.0).any():
        raise ValueError(f"Langevin steps diverge with step_size={step_size}")
    count = _column(steps)
    kept = (1.0 - move) ** count if move.max() > 0.1 else np.exp(count * np.log1p(-move))
    # Stationary variance 2 tau / (1 - (1 - tau p)^2), p the precision.
    noise = (1.0 - kept**2) * 2.0 / (precision * (2.0 - move))
    return _inner_chain(target, times, kept, noise, start)


def rtk_uld(
    target: Gaussian,
    times: ArrayLike,
    step_size: float,
    steps: ArrayLike,
    start: Step = gaussian_start,
) -> Steps:
    """RTK-ULD with the default friction, arguments as for `rtk_ula`; steps below 5 are stable."""
    precision, curvature = _curvatures(target, times)
    return _inner_chain(target, times, *_underdamped(precision, curvature, step_size, steps), start)


def dpum(target: Gaussian, times: ArrayLike, steps: int) -> Steps:
    """The probability flow with an underdamped corrector, ``2 * steps`` scores on each segment.

    First ``steps`` steps of DDIM, equal in t, lead through the segment. Then as many steps of
    underdamped Langevin sample the marginal at its clean end, for the relative duration 1. Source:
    Chen, Chen, Lee, Li, Lu, Salim, *The probability flow ODE is provably fast*, NeurIPS 2023, arXiv
    2305.11798 (DPUM), whose segments have the length 1 / L.
    """
    ends = np.asarray(times, dtype=float)
    parts = np.linspace(ends[:-1], ends[1:], steps, endpoint=False, axis=1).ravel()
    flow = ddim(target, [*parts, ends[-1]])
    by_step = (part.reshape(len(ends) - 1, steps, -1).swapaxes(0, 1) for part in flow)
    slope, offset, _ = (part[0] for part in _composed(Steps(*by_step)))
    e = _ends(target, ends)
    precision = 1.0 / _noised(target, e.a_lo, e.s2_lo)
    curvature = precision.max(1, keepdims=True)
    kept, spread = _underdamped(precision, curvature, 1.0 / steps, steps)
    return Steps(kept * slope, kept * offset + (1.0 - kept) * e.a_lo * target.mean, spread)


def _underdamped(
    precision: Array, curvature: Array, step_size: float, steps: ArrayLike
) -> tuple[Array, Array]:
    """What ULD on Gaussians keeps of a deviation from their means, and the variance that it adds.

    Args:
        precision: of the Gaussians, shape (segments, d).
        curvature: to which steps are relative, shape (segments, 1).
        step_size: times the root of the curvature.
        steps: number of steps.
    """
    # In units of 1 / sqrt(curvature) all segments share the coefficients.
    c = coefficients(step_size, FRICTION)
    relative = precision / curvature
    push, kick = -c.push * relative, np.full_like(relative, c.kick)
    brake = np.full_like(relative, np.expm1(-FRICTION * step_size))
    excess = np.array([[push, kick], [-c.kick * relative, brake]])
    noise = np.array([[c.variance_z, c.covariance], [c.covariance, c.variance_v]])
    covariance = np.broadcast_to(noise[:, :, np.newaxis, np.newaxis], excess.shape)
    excess, covariance = repeated(excess, covariance, _column(steps))
    # The velocity begins as N(0, I).
    return 1.0 + excess[0, 0], (covariance[0, 0] + excess[0, 1] ** 2) / curvature


PLAIN_STEPS: dict[str, Step] = {"ddpm": ddpm, "ddim": ddim}
RTK_STEPS: dict[str, Callable[..., Steps]] = {"rtk-uld": rtk_uld, "rtk-ula": rtk_ula}


def dpm_solver(target: Gaussian, times: ArrayLike) -> Gaussian:
    """Law of the samples of DPM-Solver++(2M) (`rtk.samplers.dpm_solver`), all times above 0.

    Everything is affine in the normal start, and the two rows of ``x`` are the slope on it and the
    offset. A step needs the estimate D of the step before, so it is not a map of one state alone.
    The law is that after Tweedie's estimate at the last time.
    """
    t = np.asarray(times, dtype=float)
    e = _ends(target, [*t, 0.0])
    log_snr = -0.5 * np.log(np.expm1(2.0 * t))
    h = np.diff(log_snr)
    shrink, push = np.sqrt(e.s2_lo / e.s2_hi), -e.a_lo[:-1, 0] * np.expm1(-h)
    x = np.array([np.ones_like(target.mean), np.zeros_like(target.mean)])
    before = None
    for k, length in enumerate(h):
        denoised = e.gain[k] * x
        denoised[1] += e.shift[k]
        guess = denoised
        if before is not None and length <= LONGEST_RATIO * h[k - 1]:
            guess = denoised + (denoised - before) * (length / (2.0 * h[k - 1]))
        x, before = shrink[k] * x + push[k] * guess, denoised
    slope, offset = e.gain[-1] * x
    return Gaussian(offset + e.shift[-1], slope**2)


def repeated(excess: Array, covariance: Array, steps: Array) -> tuple[Array, Array]:
    """``steps`` times the map ``y -> (I + E) y + N(0, Q)``, as one map of that form.

    The matrices ``E = excess`` and ``Q = covariance`` are in the first two axes, and ``steps`` has
    the shape of the other axes. The powers are made by repeated squaring of ``E``, not of
    ``I + E``, so that a step so small that ``E`` is near the rounding of 1 keeps its digits.
    """
    total = np.zeros_like(excess), np.zeros_like(covariance)
    power = excess, covariance
    while steps.any():
        odd = steps % 2
        if odd.any():
            # Where E = Q = 0 the map does nothing.
            total = _then(total, (odd * power[0], odd * power[1]))
        power = _then(power, power)
        steps = steps // 2
    return total


def starts(steps: Steps) -> tuple[Array, Array]:
    """Means and variances at the clean end for every possible start on one grid, (segments, d).

    Row k is the law of a chain that enters segment k as ``N(0, I)``.
    """
    slope, offset, variance = _composed(steps)
    return offset, slope**2 + variance


def _composed(steps: Steps) -> Steps:
    """Row k is segment k and all segments after it as one map."""
    slope = steps.slope[::-1].cumprod(0)[::-1]
    behind = np.ones_like(slope)
    behind[:-1] = slope[1:]
    offset = (steps.offset * behind)[::-1].cumsum(0)[::-1]
    variance = (steps.variance * behind**2)[::-1].cumsum(0)[::-1]
    return Steps(slope, offset, variance)


def law(step: Step, target: Gaussian, times: ArrayLike) -> Gaussian:
    """Law of the samples: ``N(0, I)`` carried through all segments."""
    times = np.asarray(times, dtype=float)
    mean, variance = np.zeros_like(target.mean), np.ones_like(target.mean)
    for first in range(0, len(times) - 1, CHUNK):
        steps = step(target, times[first : first + CHUNK + 1])
        slope, offset, spread = _composed(steps)
        mean, variance = slope[0] * mean + offset[0], slope[0] ** 2 * variance + spread[0]
    return Gaussian(mean, variance)


def then(first: Steps, x: ArrayLike) -> Gaussian:
    """Law at the end of the first segment of a chain that enters it at ``x``, shape (d,)."""
    slope, offset, variance = (part[0] for part in first)
    return Gaussian(slope * np.asarray(x) + offset, variance)


def _then(first: tuple[Array, Array], second: tuple[Array, Array]) -> tuple[Array, Array]:
    """One map after the other, in the form of `repeated`."""
    (e, q), (f, r) = first, second
    carried = q + _product(f, q)
    return e + f + _product(f, e), carried + _product(carried, f.swapaxes(0, 1)) + r


def _product(a: Array, b: Array) -> Array:
    """Matrix product over the first two axes; for small matrices faster than ``@``."""
    product: Array = (a[:, :, np.newaxis] * b[np.newaxis]).sum(1)
    return product


def _ends(target: Gaussian, times: ArrayLike) -> _Ends:
    t = np.asarray(times, dtype=float)[:, np.newaxis]
    a, s2, eta = np.exp(-t), -np.expm1(-2.0 * t), t[:-1] - t[1:]
    gain = a[:-1] * target.variance / _noised(target, a[:-1], s2[:-1])
    shift = target.mean * (1.0 - a[:-1] * gain)
    return _Ends(a[:-1], a[1:], s2[:-1], s2[1:], np.exp(-eta), -np.expm1(-2.0 * eta), gain, shift)


def _noised(target: Gaussian, a: Array, s2: Array) -> Array:
    """Variance at a time, ``a^2 v + s^2``."""
    return a**2 * target.variance + s2


def _kernel(target: Gaussian, e: _Ends) -> tuple[Array, Array]:
    """Precision of the kernels, and ``e^eta / h`` over it, the slope of their mean in ``x``."""
    precision = 1.0 / _noised(target, e.a_lo, e.s2_lo) + e.decay**2 / e.fresh
    return precision, e.decay / e.fresh / precision


def _curvatures(target: Gaussian, times: ArrayLike) -> tuple[Array, Array]:
    """Precision of the kernels (segments, d), and the bound on it to which steps are relative.

    The bound is the one that the sampler uses if its ``data_variance`` is the smallest variance of
    the target; it equals the largest precision.
    """
    precision, _ = _kernel(target, _ends(target, times))
    return precision, precision.max(1, keepdims=True)


def _inner_chain(
    target: Gaussian, times: ArrayLike, kept: Array, noise: Array, start: Step
) -> Steps:
    """Inner chains that keep the fraction ``kept`` of the start's deviation and add ``noise``."""
    first, exact = start(target, times), exact_kernel(target, times)
    return Steps(
        exact.slope + kept * (first.slope - exact.slope),
        exact.offset + kept * (first.offset - exact.offset),
        noise + kept**2 * first.variance,
    )


def _column(steps: ArrayLike) -> Array:
    return np.reshape(np.asarray(steps), (-1, 1))
