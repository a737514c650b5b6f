"""The Lipschitz constant ``L(t) = sup_x |hess log p_t(x)|`` of the score of a Gaussian mixture.

The supremum is searched for at samples, between the modes, and by an ascent from both. For equal
isotropic components `lipschitz_bound` bounds it from above.
"""

import math

import torch
from torch import Tensor

import rtk
from rtk import process

POINTS_PER_PAIR = 65
"""Points on the segment between each pair of means."""
ASCENTS = 32
"""Number of points from which the curvature is increased."""
ASCENT_STEPS = 80
CHUNK = 1024
"""Number of points whose Hessians are in memory at the same time."""


def between_modes(mixture: rtk.GaussianMixture, t: float) -> Tensor:
    """Points on the segments between all pairs of means at time t, (n, d).

    The largest positive eigenvalue of ``hess log p_t`` lies between modes, where samples are rare.
    """
    means = process.alpha(t) * mixture.means
    first, second = torch.triu_indices(len(means), len(means), 1)
    u = torch.linspace(0.0, 1.0, POINTS_PER_PAIR, dtype=means.dtype).reshape(-1, 1, 1)
    return (means[first] + u * (means[second] - means[first])).reshape(-1, mixture.dimension)


def spectrum(mixture: rtk.GaussianMixture, x: Tensor, t: float) -> tuple[Tensor, Tensor]:
    """Smallest and largest eigenvalue of ``-hess log p_t`` at each of n points: (n,) and (n,)."""
    parts = [torch.linalg.eigvalsh(-mixture.hessian(part, t)) for part in x.split(CHUNK)]
    eigenvalues = torch.cat(parts)
    return eigenvalues[:, 0], eigenvalues[:, -1]


def ascend(mixture: rtk.GaussianMixture, x: Tensor, t: float) -> Tensor:
    """Points at which the largest eigenvalue of ``hess log p_t`` is larger than at any of ``x``.

    The ascent starts from the `ASCENTS` points of ``x`` (n, d) with the largest eigenvalue, and
    keeps the best point of each path. It is needed because that eigenvalue may be largest away from
    the lines between modes, or grow far out, halfway between two outer modes. The steps follow the
    gradient. Their length falls linearly to 0, from half a standard deviation of the narrowest
    component.
    """
    start = spectrum(mixture, x, t)[0].argsort()[:ASCENTS]
    best = x[start].clone()
    point, largest = best.clone(), -spectrum(mixture, best, t)[0]
    width = float(mixture.variances.min() * process.alpha(t) ** 2 + process.variance(t)) ** 0.5
    for k in range(ASCENT_STEPS):
        point.requires_grad_(True)
        eigenvalue = torch.linalg.eigvalsh(mixture.hessian(point, t))[:, -1]
        (gradient,) = torch.autograd.grad(eigenvalue.sum(), point)
        improved = eigenvalue.detach() > largest
        best = torch.where(improved.unsqueeze(1), point.detach(), best)
        largest = torch.where(improved, eigenvalue.detach(), largest)
        norm = gradient.norm(dim=1, keepdim=True).clamp_min(torch.finfo(gradient.dtype).tiny)
        point = point.detach() + 0.5 * width * (1.0 - k / ASCENT_STEPS) * gradient / norm
    return best


def search_points(mixture: rtk.GaussianMixture, samples: Tensor, t: float) -> Tensor:
    """The points at which L is searched for, (n, d).

    They are the samples, the points between the modes, and the ends of the ascents, in this order.
    """
    points = torch.cat((samples, between_modes(mixture, t)))
    return torch.cat((points, ascend(mixture, points, t)))


def largest_size(smallest: Tensor, largest: Tensor) -> float:
    """The largest absolute value of an eigenvalue, for the output of `spectrum`."""
    return float(torch.maximum(smallest.abs(), largest.abs()).max())


def lipschitz_constant(mixture: rtk.GaussianMixture, samples: Tensor, t: float) -> float:
    """L at time t, the largest over `search_points`, for samples (n, d) of ``p_t``."""
    return largest_size(*spectrum(mixture, search_points(mixture, samples, t), t))


def lipschitz_bound(mixture: rtk.GaussianMixture, t: float) -> float:
    """Analytic bound on L for equal isotropic components of noised variance v.

    ``hess log p_t = -I/v + Cov(a m_i) / v^2``, and a covariance is at most a quarter of the squared
    diameter: ``L <= max(1/v, a^2 diam^2 / (4 v^2) - 1/v)``.

    Returns:
        The bound, or NaN for a mixture of other components.
    """
    if mixture.variances.shape[1] > 1 or mixture.variances.min() < mixture.variances.max():
        return math.nan
    v = process.alpha(t) ** 2 * float(mixture.variances[0]) + process.variance(t)
    diameter = process.alpha(t) * float(torch.cdist(mixture.means, mixture.means).max())
    return max(1.0 / v, diameter**2 / (4.0 * v**2) - 1.0 / v)
