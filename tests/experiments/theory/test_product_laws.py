"""The product study: its shapes, and the error of its grid, and its exponents."""

import math

import numpy as np
import pandas as pd
import pytest

from experiments.theory import product_laws
from experiments.theory.product_laws import SHAPES, SOLVERS, Settings
from figures.analysis.product_laws import exponents, needed
from rtk.laws.grid import Grid

SETTINGS = Settings(dimensions=[1, 2, 64], nfe=[16], cells=512)


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_are_standardised(shape: str) -> None:
    """Mean 0 and variance 1, by quadrature of the density; less than 1e-7 beyond the grid."""
    grid = Grid(-product_laws.EDGE, product_laws.EDGE, 2000)
    centres = grid.points
    density = np.exp(SHAPES[shape].log_prob(centres, 0.0).numpy()) * grid.spacing
    assert density.sum() == pytest.approx(1.0, abs=1e-7)
    assert density @ grid.centres == pytest.approx(0.0, abs=1e-7)
    assert density @ grid.centres**2 == pytest.approx(1.0, abs=1e-5)


def test_shapes_are_what_they_are_called() -> None:
    """Skewness, two maxima, and a kurtosis above three with one maximum."""
    grid = Grid(-product_laws.EDGE, product_laws.EDGE, 2000)
    centres = grid.points
    laws = {name: grid.law(each.log_prob(centres, 0.0).numpy()) for name, each in SHAPES.items()}
    maxima = {
        name: int(((law[1:-1] > law[:-2]) & (law[1:-1] >= law[2:])).sum())
        for name, law in laws.items()
    }
    assert laws["skewed"] @ grid.centres**3 > 0.3
    assert maxima["bimodal"] == 2
    assert maxima["heavy-shouldered"] == 1
    assert laws["heavy-shouldered"] @ grid.centres**4 > 4.0


@pytest.mark.parametrize("method", SOLVERS)
@pytest.mark.parametrize("shape", SHAPES)
def test_twice_the_cells(shape: str, method: str) -> None:
    """The grid leaves a relative error below 1e-3 in every dimension."""
    fine = Settings(SETTINGS.dimensions, SETTINGS.nfe, 2 * SETTINGS.cells)
    coarse, finer = (product_laws.variations(shape, method, 16, s) for s in (SETTINGS, fine))
    assert coarse == pytest.approx(finer, rel=1e-3)


@pytest.mark.parametrize(("method", "order"), [("ddpm", 1), ("ddim", 1), ("dpm++2m", 2)])
@pytest.mark.parametrize("shape", SHAPES)
def test_order(shape: str, method: str, order: int) -> None:
    """Twice the scores divide the TV by ``2^p``, within 15 %: the samples approach the target."""
    (coarse, *_), (fine, *_) = (
        product_laws.variations(shape, method, nfe, SETTINGS) for nfe in (64, 128)
    )
    assert coarse / fine == pytest.approx(2.0**order, rel=0.15)


def test_every_score_is_used() -> None:
    """As many steps as scores, down to 0."""
    times = product_laws.times(16)
    assert len(times) == 17
    assert times[-2:] == pytest.approx([product_laws.T_END, 0.0])


def test_exponents_of_a_power_law() -> None:
    """``TV = d^(1/2) / NFE^2 / 100``: exponents 1/2 and 1/4; a TV at a row and one out of range."""
    frame = pd.DataFrame(
        [
            {"dimension": d, "nfe": n, "value": 0.01 * math.sqrt(d) / n**2 * 16}
            for d in (1, 16, 10_000_000)
            for n in (4, 8, 16)
        ]
    )
    found = exponents(frame)
    assert found == pytest.approx({"eps": 0.5, "dimension": 0.25, "last": 16.0})
    one = frame[frame["dimension"] == 1]
    assert needed(one, 0.16 / 36.0) == pytest.approx(6.0)
    assert math.isnan(needed(one, 1.0))
