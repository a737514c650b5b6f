"""First-order rejection sampling (FORS): independent draws from a kernel with scores alone.

Source: Chen, Chewi, Daskalakis and Rakhlin 2026, arXiv 2602.01338. With ``f = -log p_lo``, ``h =
e^2eta - 1`` and ``x_0 = e^eta x`` the kernel is ``~ exp(-f(z) - |z - x_0|^2 / (2h))``. Linearise
``f`` at a point ``p`` near the kernel's mode::

    q = N(m, h I),  m = x_0 - h grad f(p)
    kernel / q ~ exp(-r(z)),  grad r = grad f - grad f(p)

A random estimate of ``-r`` is one term of a line integral along a random path to ``z``::

    y_s = m + sin(pi s / 2) (z - m) + cos(pi s / 2) zeta,    s ~ U[0, 1),  zeta ~ N(0, h I)
    W = <dy/ds, grad f(p) - grad f(y_s)>,       E[W | z] = -r(z) + E r(m + zeta)

Its mean is ``-r(z)`` up to a constant that is free of ``z``. Such estimates are enough to accept a
draw from ``q`` with a probability in exact proportion to ``exp(-r(z))``. With ``|W| <= B`` and ``J
~ Poisson(2B)``::

    E prod_{j <= J} (B + W_j) / (2B) = exp(E[W | z] - B)
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from rtk import process
from rtk.checks import check_count, check_positive
from rtk.kernel import ReverseTransition, dot, per_chain
from rtk.noise import Noise


@dataclass(frozen=True, eq=False)
class Accepted:
    """Draws from a kernel, and what each of them took; all but ``z`` have shape (n,).

    Attributes:
        z: the draws, shape (n, *shape).
        scores: score evaluations of each chain.
        tries: proposals of each chain, the accepted one included.
        clipped: estimates ``W`` outside ``[-B, B]``. Where there are any, the law of the draws is
            not quite the kernel's.
    """

    z: Tensor
    scores: Tensor
    tries: Tensor
    clipped: Tensor


def fors(
    kernel: ReverseTransition, noise: Noise, bound: float = 1.0, prox_steps: int = 1
) -> Accepted:
    """One independent draw from each kernel; there is no chain and no start.

    A try draws ``z ~ q`` and ``J``, and accepts ``z`` if it passes ``J`` tests with probabilities
    ``(B + W_j) / (2B)``. The first failure ends the try. The number of scores is random:
    ``prox_steps + 1`` for ``grad f(p)``, and one for each test that is made, about two per try. On
    average there are about ``e^B`` tries, and never more than ``e^2B``, for the score can do no
    worse than to fail every test.

    The draws have the kernel's law, up to the chance that ``W`` leaves ``[-B, B]``, where it is
    clipped. ``|W|`` is of order ``L h d^(1/2)``, or ``L h d`` at worst, for an L-Lipschitz score;
    so ``B`` of order 1 needs segments shorter than the theory's by about ``d^(1/2)``.

    What a chain returns depends on its own draws of ``noise`` alone. But the draws go on until the
    last chain is done, so how many were made depends on all chains.

    Args:
        kernel: the reverse transition kernels to sample.
        noise: source of the normal and uniform draws.
        bound: ``B``.
        prox_steps: steps ``p <- x_0 - h grad f(p)`` from ``p = x_0``, which lead to the mode if
            ``L h < 1``. Any ``p`` is right, but a better one makes ``W`` smaller.

    Raises:
        FloatingPointError: if the score is not finite.
    """
    bound = check_positive("bound", bound)
    prox_steps = check_count("prox_steps", prox_steps, minimum=0)
    x, h = kernel.x, 1.0 / kernel.tilt_precision
    tilt_centre = x / process.alpha(kernel.eta)
    slope = _score(kernel, tilt_centre)
    for _ in range(prox_steps):
        slope = _score(kernel, tilt_centre + h * slope)
    centre = tilt_centre + h * slope

    z, cumulative = centre, _poisson_cdf(2.0 * bound, x)
    begins = torch.ones(len(x), dtype=torch.bool, device=x.device)
    tests, tries, clipped = (torch.zeros_like(begins, dtype=torch.long) for _ in range(3))
    scores = tests + prox_steps + 1
    # Each round makes the same draws for all chains; a chain begins a try if it must, and makes one
    # test. A chain that is done has no tests left and stays as it is.
    while True:
        proposal, zeta = noise.normal(), math.sqrt(h) * noise.normal()
        count, s, chance = noise.uniform(), noise.uniform(), noise.uniform()
        z = torch.where(per_chain(begins, z), centre + math.sqrt(h) * proposal, z)
        tests = torch.where(begins, torch.searchsorted(cumulative, count, right=True), tests)
        tries += begins
        rows = torch.nonzero(tests).squeeze(1)
        if len(rows) == 0:
            return Accepted(z, scores, tries, clipped)
        w = estimate(kernel, z[rows], centre[rows], slope[rows], zeta[rows], s[rows])
        passed = 2.0 * bound * chance[rows] < bound + w.clamp(-bound, bound)
        scores[rows] += 1
        clipped[rows] += w.abs() > bound
        tests[rows] -= 1
        begins = torch.zeros_like(begins).index_fill(0, rows[~passed], True)


def estimate(
    kernel: ReverseTransition, z: Tensor, centre: Tensor, slope: Tensor, zeta: Tensor, s: Tensor
) -> Tensor:
    """``W`` of each chain, shape (n,); one score.

    Args:
        kernel: the kernels; only their score at the clean end is used.
        z, centre, slope, zeta: ``z``, ``m``, ``-grad f(p)`` and ``zeta``, shape (n, *shape).
        s: place on the path, shape (n,).
    """
    angle, away = per_chain(0.5 * math.pi * s, z), z - centre
    y = centre + angle.sin() * away + angle.cos() * zeta
    velocity = 0.5 * math.pi * (angle.cos() * away - angle.sin() * zeta)
    return dot(velocity, _score(kernel, y) - slope)


def _score(kernel: ReverseTransition, z: Tensor) -> Tensor:
    """The score at the clean end, ``-grad f(z)``."""
    score = kernel.score(z, kernel.t_lo)
    if not bool(torch.isfinite(score).all()):
        raise FloatingPointError(
            f"the score at t = {kernel.t_lo:.4g} is not finite; expected a score that is finite "
            "wherever the kernel's draws may lie"
        )
    return score


def _poisson_cdf(mean: float, like: Tensor) -> Tensor:
    """``P(J <= k)`` of ``J ~ Poisson(mean)`` for ``k = 0, 1, ...``, until it is 1 to rounding."""
    k = torch.arange(int(mean + 10.0 * math.sqrt(mean) + 20.0), dtype=torch.float64, device="cpu")
    return torch.exp(k * math.log(mean) - mean - torch.lgamma(k + 1.0)).cumsum(0).to(like)
