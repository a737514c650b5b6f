"""A kernel with two unequal wells: 80 % of the mass right of z = -0.4, the rest to the left."""

import torch
from torch import Tensor

from rtk import GaussianMixture, ReverseTransition
from tests.oracles import DOUBLE, LineKernel, mixture_of

WEIGHTS, MEANS, VARIANCES = [0.35, 0.65], [-1.6, 1.2], [0.1, 0.5]
X, T_HI, T_LO = 0.1, 1.2, 0.1
LINE = LineKernel(WEIGHTS, MEANS, VARIANCES, X, T_HI, T_LO)


def mixture() -> GaussianMixture:
    """The law of the data."""
    return mixture_of(WEIGHTS, [[m] for m in MEANS], VARIANCES)


def kernel(n: int) -> ReverseTransition:
    """The kernel for ``n`` chains."""
    x = torch.full((n, 1), X, dtype=DOUBLE)
    target = mixture()
    return ReverseTransition(target.score, x, T_HI, T_LO, target.log_prob)


def exact_draws(n: int, seed: int = 0) -> Tensor:
    """Independent draws from the kernel."""
    x = torch.full((n, 1), X, dtype=DOUBLE)
    return mixture().reverse_transition(x, T_HI, T_LO).sample(torch.Generator().manual_seed(seed))
