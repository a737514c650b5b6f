"""The factors of the product study and their segments."""

import itertools

import numpy as np
import pytest

from experiments.theory import factors
from experiments.theory.factors import SHAPES
from experiments.theory.step_rule import inner_chain
from rtk.kernel import ReverseTransition
from rtk.laws.grid import Grid

EDGE = 10.0


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_are_standardised(shape: str) -> None:
    """Mean 0 and variance 1, by quadrature of the density; less than 1e-7 beyond the grid."""
    grid = Grid(-EDGE, EDGE, 2000)
    centres = grid.points
    density = np.exp(SHAPES[shape].log_prob(centres, 0.0).numpy()) * grid.spacing
    assert density.sum() == pytest.approx(1.0, abs=1e-7)
    assert density @ grid.centres == pytest.approx(0.0, abs=1e-7)
    assert density @ grid.centres**2 == pytest.approx(1.0, abs=1e-5)


def test_shapes_are_what_they_are_called() -> None:
    """Skewness, two maxima, and a kurtosis above three with one maximum."""
    grid = Grid(-EDGE, EDGE, 2000)
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


@pytest.mark.parametrize("shape", SHAPES)
def test_edge(shape: str) -> None:
    """Less than 1e-8 of the factor lies beyond six deviations of its components."""
    edge, grid = factors.edge(SHAPES[shape]), Grid(-EDGE, EDGE, 2000)
    law = grid.law(SHAPES[shape].log_prob(grid.points, 0.0).numpy())
    assert law[np.abs(grid.centres) > edge].sum() < 1e-8
    assert edge >= 6.0


def test_lipschitz_constant_of_two_modes() -> None:
    """``m^2 / v^2 - 1 / v`` at 0, for modes at -m and m of variance v."""
    m, v = 1.0 / 1.36**0.5, 0.36 / 1.36
    assert factors.lipschitz(SHAPES["bimodal"], 0.0) == pytest.approx(m**2 / v**2 - 1 / v, rel=1e-3)
    assert factors.narrowest(SHAPES["bimodal"]) == pytest.approx(v)


@pytest.mark.parametrize("shape", SHAPES)
def test_kernels_of_the_segments(shape: str) -> None:
    """``L <= g'' <= 3 L`` on every segment, from second differences of the density alone."""
    factor, grid = SHAPES[shape], Grid(-6.0, 6.0, 1200)
    times = factors.theory_times(factor, 4.0)
    assert times[-1] == 0.0
    assert 4.0 <= times[0] <= 4.3
    for t_hi, t_lo in itertools.pairwise(times):
        tilt = ReverseTransition(factor.score, grid.points, t_hi, t_lo).tilt_precision
        concave = -np.diff(factor.log_prob(grid.points, t_lo).numpy(), 2) / grid.spacing**2
        size = np.abs(concave).max()
        assert concave.min() + tilt >= size * (1.0 - 0.01)
        assert concave.max() + tilt <= 3.0 * size * (1.0 + 0.01)
        # The longest such segment.
        assert tilt == pytest.approx(2.0 * size, rel=0.01)


@pytest.mark.parametrize(
    ("method", "share", "step_size", "steps"),
    # log(10) = 2.3026; the rates are 1/3 and 0.18350.
    [("rtk-ula", 0.1, 0.01, 691), ("rtk-uld", 0.1, 0.1, 126), ("rtk-lm", 0.01, 0.1, 139)],
)
def test_step_rule(method: str, share: float, step_size: float, steps: int) -> None:
    """The step at which the theory's bias is the share, and the time in which the start decays."""
    found = inner_chain(method, share)
    assert found[0] == pytest.approx(step_size)
    assert found[1] == steps
