"""Warm starts: where the inner chain of a segment begins."""

import math
from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from rtk import process
from rtk.kernel import ReverseTransition
from rtk.noise import Noise


class WarmStart(NamedTuple):
    """A rule for the start of an inner chain.

    Attributes:
        draw: ``(kernel, score_x, noise, lipschitz) -> z``, shape (n, *shape). ``score_x`` is the
            score at the segment's noisy end if the rule needs it, else None; ``lipschitz`` is a
            bound ``L`` on the curvature of ``-log p_lo``.
        needs_score: whether the rule needs ``score_x``, which costs one score evaluation.
    """

    draw: Callable[[ReverseTransition, Tensor | None, Noise, float], Tensor]
    needs_score: bool


def at_x(
    kernel: ReverseTransition, score_x: Tensor | None, noise: Noise, lipschitz: float
) -> Tensor:
    """The start is ``x``, the state at the noisy end."""
    return kernel.x


def gaussian(
    kernel: ReverseTransition, score_x: Tensor | None, noise: Noise, lipschitz: float
) -> Tensor:
    """The paper's start, ``~ exp(-L |z|^2 - |x - e^-eta z|^2 / (2 (1 - e^-2eta)))``.

    This is a Gaussian of precision ``2L + 1/h``, centred where it balances the pull of the tilt.
    """
    precision = 2.0 * lipschitz + kernel.tilt_precision
    pull = -kernel.tilt_gradient(kernel.x.new_zeros(kernel.x.shape))
    return pull / precision + math.sqrt(1.0 / precision) * noise.normal()


def ddpm(
    kernel: ReverseTransition, score_x: Tensor | None, noise: Noise, lipschitz: float
) -> Tensor:
    """A DDPM step over the whole segment: Tweedie's mean and the posterior variance; one score."""
    if score_x is None:
        raise ValueError("the ddpm warm start needs the score at the segment's noisy end")
    denoised = process.denoise(kernel.x, score_x, kernel.t_hi)
    mean, variance = process.posterior(kernel.x, denoised, kernel.t_hi, kernel.t_lo)
    return mean + math.sqrt(variance) * noise.normal()


WARM_STARTS = {
    "x": WarmStart(at_x, needs_score=False),
    "gaussian": WarmStart(gaussian, needs_score=False),
    "ddpm": WarmStart(ddpm, needs_score=True),
}
