"""The laws on the line whose products are the targets of the product study, and their segments."""

import numpy as np
import torch
from numpy.typing import ArrayLike

import rtk
from rtk import segments
from rtk.laws.grid import Grid
from rtk.segments import Times


def standardised(weights: ArrayLike, means: ArrayLike, variances: ArrayLike) -> rtk.GaussianMixture:
    """The mixture on the line with these components, shifted and scaled to mean 0, variance 1."""
    w, m, v = (np.asarray(values, dtype=float) for values in (weights, means, variances))
    mean = w @ m
    scale = np.sqrt(w @ (v + (m - mean) ** 2))
    columns = torch.from_numpy((m - mean) / scale).unsqueeze(1)
    return rtk.GaussianMixture(torch.from_numpy(w), columns, torch.from_numpy(v / scale**2))


SHAPES = {
    "skewed": standardised([0.7, 0.3], [-0.5, 1.2], [0.3, 0.8]),
    "bimodal": standardised([0.5, 0.5], [-1.0, 1.0], [0.36, 0.36]),
    "heavy-shouldered": standardised([0.6, 0.4], [0.0, 0.0], [0.3, 1.5]),
}


def narrowest(factor: rtk.GaussianMixture) -> float:
    """The smallest variance of a component."""
    return float(factor.covariances.min())


def edge(factor: rtk.GaussianMixture) -> float:
    """Half the width of a grid: six deviations of each component, and of ``N(0, 1)``."""
    deviations = factor.covariances.flatten().sqrt()
    return max(6.0, float((factor.means.flatten().abs() + 6.0 * deviations).max()))


def lipschitz(factor: rtk.GaussianMixture, t: float) -> float:
    """``L_t = max |(log p_t)''|``, from differences of the score on a grid; its error is 1e-3."""
    z = Grid(-edge(factor), edge(factor), 4000).points
    slopes = factor.score(z, t).diff(dim=0) / z.diff(dim=0)
    return float(slopes.abs().max())


def theory_times(factor: rtk.GaussianMixture, t_start: float) -> Times:
    """Ends of segments, each of the length that the theory allows for L at its clean end.

    They are laid from time 0 on, ``eta = log(1 + 1 / (2 L_t)) / 2``, until ``t_start`` is passed.
    With equal coordinates L is the same in every dimension.
    """
    ends = [0.0]
    while ends[-1] < t_start:
        ends.append(ends[-1] + segments.critical_length(lipschitz(factor, ends[-1])))
    return segments.check(reversed(ends))
