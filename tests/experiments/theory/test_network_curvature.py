"""B1 for a learned score: products, Lanczos and Hutchinson against matrices written out."""

import numpy as np
import pandas as pd
import pytest
import torch

from experiments.images.network import Architecture, ScoreNetwork
from experiments.theory import network_curvature
from figures.tables import network_curvature as network_curvature_table
from rtk import process


def test_lanczos_finds_the_extremes_and_bounds_its_error() -> None:
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(60, 60, generator=generator, dtype=torch.float64)
    matrix = 0.5 * (root + root.T)
    exact = torch.linalg.eigvalsh(matrix)[[0, -1]]
    start = torch.randn(2, 60, generator=generator, dtype=torch.float64)
    for iterations in (12, 40, 60):
        values, residuals = network_curvature.lanczos(lambda v: v @ matrix, start, iterations)
        assert ((values - exact).abs() <= residuals + 1e-9).all()
    assert values == pytest.approx(exact.expand(2, 2).numpy(), abs=1e-8)


def test_network_at_its_start_is_the_score_of_a_gaussian() -> None:
    """All blocks are zero then, so ``J = -I / (a^2 v + s^2)``: symmetric, and L is known."""
    network = ScoreNetwork(Architecture(fine=8, coarse=16, embedding=8, data_std=0.5))
    network.requires_grad_(False)
    network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    t = 0.2
    measured = network_curvature.measure(network, torch.zeros(2, 1, 28, 28), t, 3, 0)
    curvature = 1.0 / (process.alpha(t) ** 2 * 0.25 + process.variance(t))
    assert measured["smallest"][0] == pytest.approx(-curvature, rel=1e-5)
    assert measured["lipschitz"][0] == pytest.approx(curvature, rel=1e-5)
    assert measured["antisymmetric"][0] < 1e-5


def test_segments_theory_integrates_one_over_eta_star() -> None:
    t = pd.Series(np.geomspace(1e-3, 3.0, 4001))
    assert network_curvature_table.segments_theory(t, 0.5 * t) == pytest.approx(
        2.0 * np.log(3000.0), rel=1e-6
    )
    constant = pd.Series(np.full(4001, 0.1))
    assert network_curvature_table.segments_theory(t, constant) == pytest.approx(29.99, rel=1e-4)
