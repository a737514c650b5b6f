"""Integrals ``int exp(psi(u)) du`` over one number, a batch at once, by quadrature in log space.

Each row of the batch has its own ``psi`` and its own bracket. The bracket is narrowed `ZOOMS` times
to where ``psi`` is within `DROP` of its maximum on a coarse grid. There an even grid is used: this
is the trapezoid rule for an integrand that vanishes at both ends, and its error falls faster than
any power of the spacing.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

DROP = 35.0
"""What is left out of an integrand is below ``exp(-DROP) = 6e-16`` of its maximum."""
ZOOMS = 2
"""How often a bracket is narrowed."""
COARSE = 16
"""The number of nodes of the grid on which it is narrowed."""
LOG_TAU = math.log(2.0 * math.pi)

LogDensity = Callable[[Tensor], Tensor]


class Rule(NamedTuple):
    """A quadrature rule for the law with density in proportion to ``exp(psi)``, row by row.

    ``nodes`` (n, m), ``weights`` (n, m) with sums of one, and ``log_integral`` (n,), the logarithm
    of ``int exp(psi(u)) du``.
    """

    nodes: Tensor
    weights: Tensor
    log_integral: Tensor

    def mean(self, values: Tensor) -> Tensor:
        """The expectation, shape (n,), of a function whose values at the nodes are (n, m)."""
        return (self.weights * values).sum(1)


def rule(log_density: LogDensity, low: Tensor, high: Tensor, count: int) -> Rule:
    """The rule of ``count`` nodes for ``psi``.

    Args:
        log_density: ``psi``, which maps nodes of shape (n, m) to values of the same shape.
        low, high: the ends of the brackets, shape (n, 1). Outside of them ``psi`` must be below its
            maximum by `DROP`. A peak must not be narrower than about ``1e-3 (high - low)``, and no
            second peak may hide between nodes of the coarse grid.
        count: the number m of nodes.
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
    """The ``|u|`` beyond which ``u^2 / 2`` exceeds a gain of ``excess`` in ``psi`` by `DROP`."""
    return (2.0 * (DROP + excess)).sqrt()
