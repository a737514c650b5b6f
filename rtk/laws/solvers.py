"""The law of the samples of DDPM, DDIM and DPM-Solver++(2M) in one dimension, on a grid.

A step of these samplers is a map with Gaussian noise behind it, or a map alone. Both are read off
the sampler's own code, as `rtk.laws.affine` does for Gaussian targets: the map is what the step
does when its noise is zero, and the deviation is by how much a noise of one moves the result.
Maps without noise are composed first, since a solver may use earlier steps, and the law is then
transported once. On a product target these samplers act on each coordinate by itself, so that
`rtk.laws.product` has the distance in any dimension.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from rtk.laws.gaussian import Gaussian
from rtk.laws.grid import Array, Grid, start_law
from rtk.laws.phase_space import check_resolved, transport
from rtk.plan import make_plan
from rtk.samplers.base import OneScorePerSegment, Sampler, State, initial
from rtk.score import Score

# Points at which the start is known, per cell: an expanding map has images that are further apart.
FINER = 4


class ConstantNoise:
    """Every draw has the same value in all chains."""

    def __init__(self, n: int, value: float) -> None:
        self.n, self._value = n, value

    def normal(self) -> Tensor:
        return torch.full((self.n, 1), self._value, dtype=torch.float64)

    def uniform(self) -> Tensor:
        raise TypeError("expected a sampler that draws normal numbers only")


def sample_law(
    score: Score,
    sampler: Sampler,
    grid: Grid,
    nfe: int,
    segments: int | Sequence[float] | None = None,
) -> Array:
    """The law of the samples of `rtk.sample` with these arguments, in one dimension.

    The chains begin at ``N(0, 1)``. One grid serves the laws at all times, and what it resolves is
    transported to rounding (`rtk.laws.phase_space.transport`).

    Returns:
        The probabilities of the cells, shape (cells,). Rounding below zero is set to zero.

    Raises:
        ValueError: for samplers with an inner chain, and for those that use earlier steps and add
            noise, since their state is not a single number.
        ArithmeticError: for a law that the grid does not resolve.
    """
    if not isinstance(sampler, OneScorePerSegment):
        raise ValueError(f"expected a sampler of one score per segment, got {sampler}")
    plan = make_plan(score, sampler, nfe, segments=segments)
    source = Grid(grid.low, grid.high, FINER * grid.cells)
    law = start_law(Gaussian([0.0], [1.0]), source)
    start = plan.crossings[0]
    state = State(initial(start.sampler, source.points, start.t_hi), start.t_hi)
    for crossing in plan.crossings:
        quiet, loud = (
            crossing.sampler(
                plan.problem, state, crossing.t_lo, 1, ConstantNoise(len(state.x), value)
            )[0]
            for value in (0.0, 1.0)
        )
        deviation = float((loud.x - quiet.x).abs().max())
        if deviation > 0.0 and quiet.history:
            raise ValueError(f"expected no noise in a sampler that uses earlier steps: {sampler}")
        state = quiet
        if deviation > 0.0:
            law = transport(grid, quiet.x.squeeze(1).numpy(), deviation**2) @ law
            state = State(grid.points, crossing.t_lo)
    law = check_resolved(transport(grid, state.x.squeeze(1).numpy(), 0.0) @ law)
    return np.maximum(law, 0.0)
