"""B1: is the kernel log-concave for the theory's segments, and how far beyond them?

``hess g(z) = -hess log p_lo(z) + I / h`` does not depend on x, so its spectrum over all z follows
from that of ``hess log p_lo``. With ``L = sup |hess log p_lo|`` and ``eta = eta*(L)`` the paper
promises eigenvalues in [L, 3L]. Here eta sweeps multiples of eta*, at several times, and takes the
length of the paper's own segments, 1.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

import rtk
from experiments.workflow import job, tidy
from rtk import process, segments, targets

POINTS_PER_PAIR = 65
CLIMBERS = 32
CLIMBS = 80
PAPER_LENGTH = 1.0
"""Length of the five uniform segments of the paper's experiments, from 5 to 0."""
FRACTIONS = ("not_convex", "paper_not_convex")
"""Metrics that are fractions of the samples."""


@dataclass(frozen=True)
class Settings:
    """Sizes of the study on one mixture.

    Attributes:
        target: name of the mixture.
        points: samples of p_t at which the Hessian is taken.
        times: times at the clean end of the segment.
        ratios: lengths of the segment over the theory's.
    """

    target: str
    points: int
    times: list[float]
    ratios: list[float]


def between_modes(mixture: rtk.GaussianMixture, t: float) -> Tensor:
    """Points on the segments between all pairs of means at time t, (n, d).

    The largest positive curvature of ``log p_t`` lies between modes, where samples are rare.
    """
    means = process.alpha(t) * mixture.means
    first, second = torch.triu_indices(len(means), len(means), 1)
    u = torch.linspace(0.0, 1.0, POINTS_PER_PAIR, dtype=means.dtype).reshape(-1, 1, 1)
    return (means[first] + u * (means[second] - means[first])).reshape(-1, mixture.dimension)


def spectrum(mixture: rtk.GaussianMixture, x: Tensor, t: float) -> tuple[Tensor, Tensor]:
    """Smallest and largest eigenvalue of ``-hess log p_t`` at each point, (n,) each."""
    parts = [torch.linalg.eigvalsh(-mixture.hessian(part, t)) for part in x.split(1024)]
    values = torch.cat(parts)
    return values[:, 0], values[:, -1]


def climb(mixture: rtk.GaussianMixture, x: Tensor, t: float) -> Tensor:
    """The most curved points of ``x``, moved uphill on the largest eigenvalue of ``hess log p_t``.

    That eigenvalue is what L is hard to find for: its supremum may lie off the lines between modes,
    or be approached far out, halfway between two outer modes. Steps follow the gradient and shrink
    from half a component's standard deviation.
    """
    start = spectrum(mixture, x, t)[0].argsort()[:CLIMBERS]
    best = x[start].clone()
    here, heights = best.clone(), -spectrum(mixture, best, t)[0]
    width = float(mixture.variances.min() * process.alpha(t) ** 2 + process.variance(t)) ** 0.5
    for k in range(CLIMBS):
        here.requires_grad_(True)
        height = torch.linalg.eigvalsh(mixture.hessian(here, t))[:, -1]
        (slope,) = torch.autograd.grad(height.sum(), here)
        higher = height.detach() > heights
        best = torch.where(higher.unsqueeze(1), here.detach(), best)
        heights = torch.where(higher, height.detach(), heights)
        norm = slope.norm(dim=1, keepdim=True).clamp_min(torch.finfo(slope.dtype).tiny)
        here = here.detach() + 0.5 * width * (1.0 - k / CLIMBS) * slope / norm
    return best


def everywhere(mixture: rtk.GaussianMixture, samples: Tensor, t: float) -> Tensor:
    """The points at which L is sought: the samples first, between modes, and uphill from both."""
    points = torch.cat((samples, between_modes(mixture, t)))
    return torch.cat((points, climb(mixture, points, t)))


def lipschitz_constant(low: Tensor, high: Tensor) -> float:
    """``L``, the largest size of an eigenvalue."""
    return float(torch.maximum(low.abs(), high.abs()).max())


def lipschitz_bound(mixture: rtk.GaussianMixture, t: float) -> float:
    """Analytic bound on L for equal isotropic components of noised variance v.

    ``hess log p_t = -I/v + Cov(a m_i) / v^2`` and a covariance is at most a quarter of the squared
    diameter: ``L <= max(1/v, a^2 diam^2 / (4 v^2) - 1/v)``. NaN for other mixtures.
    """
    if mixture.variances.shape[1] > 1 or mixture.variances.min() < mixture.variances.max():
        return math.nan
    v = process.alpha(t) ** 2 * float(mixture.variances[0]) + process.variance(t)
    diameter = process.alpha(t) * float(torch.cdist(mixture.means, mixture.means).max())
    return max(1.0 / v, diameter**2 / (4.0 * v**2) - 1.0 / v)


def measure(
    mixture: rtk.GaussianMixture, t_lo: float, ratios: list[float], samples: Tensor
) -> list[dict[str, Any]]:
    """Rows of metric, value and ratio for one time; samples of ``p_lo`` in ``samples``."""
    low, high = spectrum(mixture, everywhere(mixture, samples, t_lo), t_lo)
    lipschitz = lipschitz_constant(low, high)
    eta_star = segments.critical_length(lipschitz)
    table: list[dict[str, Any]] = [
        {"metric": "lipschitz", "value": lipschitz, "ratio": 1.0},
        {"metric": "lipschitz_bound", "value": lipschitz_bound(mixture, t_lo), "ratio": 1.0},
        {"metric": "smoothness", "value": float(high.max()), "ratio": 1.0},
        {"metric": "eta_star", "value": eta_star, "ratio": 1.0},
    ]
    for ratio in ratios:
        tilt = 1.0 / math.expm1(2.0 * ratio * eta_star)
        convex = low[: len(samples)] + tilt > 0
        table += [
            {"metric": "smallest", "value": (float(low.min()) + tilt) / lipschitz, "ratio": ratio},
            {"metric": "largest", "value": (float(high.max()) + tilt) / lipschitz, "ratio": ratio},
            {"metric": "not_convex", "value": float((~convex).double().mean()), "ratio": ratio},
        ]
    # Not a multiple of eta*, so under a name of its own.
    low_here = low[: len(samples)]
    not_convex = low_here + 1.0 / math.expm1(2.0 * PAPER_LENGTH) <= 0
    table.append(
        {
            "metric": "paper_not_convex",
            "value": float(not_convex.double().mean()),
            "ratio": PAPER_LENGTH / eta_star,
        }
    )
    return table


def rows(settings: Settings, seed: int) -> list[tidy.Row]:
    """Spectra at all times and lengths; a fraction of samples has its binomial standard error."""
    mixture = targets.mixture(settings.target)
    seed = job.derive_seed(seed, "log_concavity", settings.target)
    generator = torch.Generator().manual_seed(seed)
    common = {"target": settings.target, "method": "exact", "settings": "", "seed": seed}
    table: list[tidy.Row] = []
    for t_lo in settings.times:
        samples = mixture.sample(settings.points, t_lo, generator, torch.float64)
        for row in measure(mixture, t_lo, settings.ratios, samples):
            fraction = row["value"] if row["metric"] in FRACTIONS else 0.0
            error = (fraction * (1.0 - fraction) / settings.points) ** 0.5
            table.append({**common, **row, "t_lo": t_lo, "standard_error": error})
    return table


if __name__ == "__main__":
    job.study(rows, Settings)
