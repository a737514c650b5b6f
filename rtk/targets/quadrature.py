"""Integrals ``int exp(psi(u)) du`` over one number, many at once, by quadrature in log space.

Each row has its own ``psi`` and its own bracket. The bracket is narrowed to where ``psi`` is within
`DROP` of its maximum on a coarse grid, `ZOOMS` times; there an even grid, the trapezoid rule for an
integrand that vanishes at both ends, converges faster than any power of its spacing.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

DROP = 35.0
"""What is left out of an integrand is below ``exp(-DROP) = 6e-16`` of its maximum."""
ZOOMS = 2
COARSE = 16

LogDensity = Callable[[Tensor], Tensor]


class Rule(NamedTuple):
    """``nodes`` (n, m), ``weights`` (n, m) of the law ``~ exp(psi)``, log-integral (n,)."""

    nodes: Tensor
    weights: Tensor
    log_integral: Tensor

    def mean(self, values: Tensor) -> Tensor:
        """Expectation of a function given at the nodes, shape (n,)."""
        return (self.weights * values).sum(1)


def rule(log_density: LogDensity, low: Tensor, high: Tensor, count: int) -> Rule:
    """The rule of ``count`` nodes for ``psi = log_density``, which keeps the shape (n, nodes).

    Args:
        low, high: (n, 1); ``psi`` must be below its maximum by `DROP` outside of them. A peak must
            not be narrower than about ``1e-3 (high - low)``, and no second peak may hide between
            nodes of the coarse grid.
    """
    for _ in range(ZOOMS):
        nodes, spacing = _even(low, high, COARSE)
        values = log_density(nodes)
        inside = values > values.amax(1, keepdim=True) - DROP
        first = torch.where(inside, nodes, math.inf).amin(1, keepdim=True)
        last = torch.where(inside, nodes, -math.inf).amax(1, keepdim=True)
        low, high = torch.maximum(low, first - spacing), torch.minimum(high, last + spacing)
    nodes, spacing = _even(low, high, count)
    values = log_density(nodes)
    top = values.amax(1, keepdim=True)
    weights = (values - top).exp()
    total = weights.sum(1, keepdim=True)
    return Rule(nodes, weights / total, (top + (total * spacing).log()).squeeze(1))


def _even(low: Tensor, high: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """``count`` even nodes from ``low`` to ``high``, shape (n, count), and their spacing (n, 1)."""
    spacing = (high - low) / (count - 1)
    index = torch.arange(count, dtype=low.dtype, device=low.device)
    return torch.addcmul(low, spacing, index), spacing


def reach(excess: Tensor) -> Tensor:
    """``|u|`` beyond which ``exp(-u^2 / 2)`` outweighs a gain of ``excess``, by `DROP`."""
    return (2.0 * (DROP + excess)).sqrt()


LOG_TAU = math.log(2.0 * math.pi)
