"""B1: whether kernels are log-concave on the theory's segments, and on longer ones.

The Hessian of a kernel's potential, ``hess g(z) = -hess log p_lo(z) + I / h``, does not depend on
x, so its spectrum over all z follows from that of ``hess log p_lo``. For ``L = sup |hess log
p_lo|`` and the segment length ``eta*(L)`` the paper promises eigenvalues in [L, 3L]. The study
computes the extreme eigenvalues on segments of multiples of ``eta*``, at several times, and on
segments of length 1, which the paper uses in its experiments. ``L`` is the largest size of the
eigenvalues found, and once more the analytic bound on it, which does not depend on them.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

import rtk
from experiments.theory import curvature
from experiments.workflow import job, tidy
from rtk import segments, targets

PAPER_LENGTH = 1.0
"""Length of the five uniform segments of the paper's experiments, from 5 to 0."""
FRACTIONS = ("not_convex", "paper_not_convex")
"""Metrics that are fractions of the samples."""


@dataclass(frozen=True)
class Settings:
    """Sizes of the study on one mixture.

    Attributes:
        target: name of the mixture.
        points: number of samples of p_t at which the Hessian is computed.
        times: times at the clean end of a segment.
        ratios: lengths of the segment, divided by ``eta*``.
    """

    target: str
    points: int
    times: list[float]
    ratios: list[float]


def measure(
    mixture: rtk.GaussianMixture, t_lo: float, ratios: list[float], samples: Tensor
) -> list[dict[str, Any]]:
    """Rows of metric, value and ratio for the segments that end at one time.

    Args:
        mixture: the data law.
        t_lo: time at the clean end.
        ratios: lengths of the segment, divided by ``eta*``.
        samples: samples of ``p_lo``, (n, d).
    """
    low, high = curvature.spectrum(mixture, curvature.search_points(mixture, samples, t_lo), t_lo)
    lipschitz = curvature.largest_size(low, high)
    bound = curvature.lipschitz_bound(mixture, t_lo)
    eta_star = segments.critical_length(lipschitz)
    table: list[dict[str, Any]] = [
        {"metric": "lipschitz", "value": lipschitz, "ratio": 1.0},
        {
            "metric": "lipschitz_bound",
            "value": bound,
            "ratio": 1.0,
        },
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
    if not math.isnan(bound):
        # With L from outside the eigenvalues may leave [L, 3L]; with their own maximum they cannot.
        tilt = 1.0 / math.expm1(2.0 * segments.critical_length(bound))
        for metric, extreme in (("smallest_outside", low.min()), ("largest_outside", high.max())):
            value = (float(extreme) + tilt) / bound
            table.append({"metric": metric, "value": value, "ratio": 1.0})
    # This length is no multiple of eta*, so its metric has a name of its own.
    not_convex = low[: len(samples)] + 1.0 / math.expm1(2.0 * PAPER_LENGTH) <= 0
    table.append(
        {
            "metric": "paper_not_convex",
            "value": float(not_convex.double().mean()),
            "ratio": PAPER_LENGTH / eta_star,
        }
    )
    return table


def rows(settings: Settings, seed: int) -> list[tidy.Row]:
    """Spectra at all times and lengths; fractions of samples have binomial standard errors."""
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
