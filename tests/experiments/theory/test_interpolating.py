"""The solver with polynomial coefficients, by its order of convergence."""

import itertools
import math

import numpy as np
import pytest
import torch

import rtk
from experiments.theory.interpolating import Interpolating, integral
from rtk import process, targets
from rtk.calibration import kernels
from rtk.calibration.calibration import make_model
from rtk.gaussian_base import GaussianBase
from rtk.samplers.calibrated import Calibrated, Step

BASE = GaussianBase(
    torch.tensor([0.1, -0.2], dtype=torch.float64), torch.tensor([1.5, 0.4], dtype=torch.float64)
)


def test_integral_of_a_polynomial_residual() -> None:
    """``r = 1 + u - u^2`` for both coordinates, against adaptive quadrature."""
    quad = pytest.importorskip("scipy.integrate").quad
    u = [0.3, 0.7, 1.4]
    residuals = [torch.full((1, 2), 1.0 + v - v**2, dtype=torch.float64) for v in u]
    found = integral(BASE, 0.3, -0.6, u, residuals)[0]
    for c, value in zip(BASE.variances.tolist(), found.tolist(), strict=True):
        exact, _ = quad(
            lambda v, c=c: (1.0 + v - v**2) / math.sqrt(c + math.exp(2.0 * v)), -0.6, 0.3
        )
        assert value == pytest.approx(exact, rel=1e-9)


def test_integral_to_zero_noise() -> None:
    """A residual ``sigma^2`` is integrated exactly: ``sqrt(c + s^2) - sqrt(c)``."""
    sigma = 0.4
    residual = torch.full((1, 2), sigma**2, dtype=torch.float64)
    found = integral(BASE, math.log(sigma), -math.inf, [math.log(sigma)], [residual])[0]
    exact = (BASE.variances + sigma**2).sqrt() - BASE.variances.sqrt()
    torch.testing.assert_close(found, exact)


def solver(count: int) -> Calibrated:
    """Steps at even levels; only their times and the first correction, which is 0, are used."""
    sigmas = np.geomspace(3.0, 0.05, count)
    times = [*(process.time_from_noise_level(s) for s in sigmas), 0.0]
    steps = [Step(hi, lo, (0.0,), (0.0,), 0.0) for hi, lo in itertools.pairwise(times)]
    return Calibrated(BASE, 5.0, tuple(steps))


@pytest.mark.parametrize(("history", "order"), [(1, 1.7), (2, 2.7), (3, 3.6)])
def test_order_of_convergence(history: int, order: float) -> None:
    """With its correction a history of h has the order h + 1; the start and the end are shared.

    Both are taken out by a start at the first node on the exact flow, and by stopping at the last.
    """
    target = targets.mixture("mild")
    base = GaussianBase(torch.zeros(10).double(), torch.full((10,), 0.4).double())
    model = make_model(target.score, (10,), None, torch.float64)
    y = 3.0 * torch.randn(32, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    exact = y
    for hi, lo in itertools.pairwise(np.geomspace(3.0, 0.05, 81)):
        exact = kernels.accurate(model, base, exact, float(hi), float(lo))

    def error(count: int) -> float:
        path = Interpolating(Calibrated(base, 5.0, solver(count).steps), history)
        times = [step.t_hi for step in path.fitted.steps]
        ends: dict[float, torch.Tensor] = {}
        rtk.sample(
            target.score,
            10,
            32,
            method=path,
            nfe=count,
            x_init=process.alpha(times[0]) * y,
            segments=[*times],
            denoise=False,
            dtype=torch.float64,
            callback=lambda x, t, chains: ends.__setitem__(t, x),
        )
        end = ends[times[-1]] / process.alpha(times[-1])
        return float((end - exact).square().mean().sqrt())

    coarse, fine = error(17), error(33)
    assert math.log2(coarse / fine) > order
