"""B4, beyond Gaussians: the total variation of solvers on products of one law, in any dimension.

The target is a product of d equal factors, each with mean 0 and variance 1. DDPM, DDIM and
DPM-Solver++(2M) act on each coordinate by itself, so the law of one coordinate on a grid
(`rtk.laws.solvers`) gives the distance in all dimensions (`rtk.laws.product`). The steps have equal
lengths in log-SNR between `T_START` and `T_END`, and a last one leads to 0.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike

import rtk
from experiments.theory.search import log_snr_grid
from experiments.workflow import job, tidy
from rtk.laws import product, solvers
from rtk.laws.grid import Grid
from rtk.samplers.base import Sampler
from rtk.samplers.ddim import DDIM
from rtk.samplers.ddpm import DDPM
from rtk.samplers.dpm_solver import DPMSolverPP2M

T_START, T_END = 6.0, 1e-6
SOLVERS: dict[str, Sampler] = {"ddpm": DDPM(), "ddim": DDIM(), "dpm++2m": DPMSolverPP2M()}
EDGE = 10.0
"""Half the width of the grid; the factors have a mass below 1e-10 beyond it."""


@dataclass(frozen=True)
class Settings:
    """Sizes of the study.

    Attributes:
        dimensions: numbers of factors.
        nfe: numbers of score evaluations, one per step.
        cells: cells of the grid.
    """

    dimensions: list[int]
    nfe: list[int]
    cells: int


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


def times(nfe: int) -> list[float]:
    """Ends of ``nfe`` steps, of which the last one leads from `T_END` to 0."""
    ends: list[float] = log_snr_grid(T_START, T_END, nfe - 1).tolist()
    return ends


def variations(shape: str, method: str, nfe: int, settings: Settings) -> list[float]:
    """The TV between the samples and the target in every dimension."""
    grid, factor = Grid(-EDGE, EDGE, settings.cells), SHAPES[shape]
    law = solvers.sample_law(factor.score, SOLVERS[method], grid, nfe, times(nfe))
    centres = grid.points
    exact = grid.law(factor.log_prob(centres, 0.0).numpy())
    return [product.tv(law, exact, d, tolerance=1e-6) for d in settings.dimensions]


def rows(settings: Settings, seed: int) -> list[tidy.Row]:
    """The total variation of every solver on every shape; nothing is random."""
    return [
        {"target": shape, "method": method, "settings": f"nfe={nfe}", "nfe": nfe}
        | {"dimension": dimension, "metric": "tv", "value": value}
        for shape in SHAPES
        for method in SOLVERS
        for nfe in settings.nfe
        for dimension, value in zip(
            settings.dimensions, variations(shape, method, nfe, settings), strict=True
        )
    ]


if __name__ == "__main__":
    job.study(rows, Settings)
