"""The Jacobian J of a learned score at noised data, of which only products are available.

The Jacobian of a true score is symmetric, because a score is a gradient, but that of a network need
not be. ``|J - J^T|_F / (2 |J|_F)`` measures how far it is from symmetric, with Hutchinson's
estimate ``|A|_F^2 = E |A v|^2`` for v of random signs.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import jvp, vjp

from rtk.kernel import dot

Product = Callable[[Tensor], Tensor]

PROBES = 8
"""Number of random vectors in Hutchinson's estimate."""


def products(score: Product, x: Tensor) -> tuple[Product, Product]:
    """``v -> J v`` and ``v -> J^T v`` at each row of ``x``, where rows do not interact."""
    pull = vjp(score, x)[1]
    return lambda v: jvp(score, (x,), (v,))[1], lambda v: pull(v)[0]


def antisymmetric(
    forward: Product, backward: Product, shape: tuple[int, ...], generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Squared Frobenius norms of ``(J - J^T) / 2`` and of J, one per probe: (PROBES, n) each."""
    squares = []
    for _ in range(PROBES):
        v = torch.randint(0, 2, shape, generator=generator).double() * 2.0 - 1.0
        image, transposed = forward(v), backward(v)
        skew = 0.5 * (image - transposed)
        squares.append(torch.stack((dot(skew, skew), dot(image, image))))
    skews, wholes = torch.stack(squares, 1)
    return skews, wholes


def antisymmetric_share(
    forward: Product, backward: Product, shape: tuple[int, ...], generator: torch.Generator
) -> tuple[float, float]:
    """``|J - J^T|_F / (2 |J|_F)``, the mean over the rows and its standard error."""
    skews, wholes = antisymmetric(forward, backward, shape, generator)
    ratio = (skews.mean(0) / wholes.mean(0)).sqrt()
    return float(ratio.mean()), float(ratio.std() / len(ratio) ** 0.5)
