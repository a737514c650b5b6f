import math
from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor

from rtk import GaussianMixture, ReverseTransition
from rtk.energy import (
    ESTIMATORS,
    SIMPSON,
    TRAPEZOID,
    EnergyDifference,
    Exact,
    LineIntegral,
    Taylor,
    estimator,
    gauss_legendre,
    potential_difference,
)
from tests.oracles import DOUBLE, CountingScore, gaussian, skewed

T_HI, T_LO = 0.8, 0.3

RULES: dict[str, EnergyDifference] = {
    "trapezoid": TRAPEZOID,
    "simpson": SIMPSON,
    "taylor": Taylor(),
    "gauss 1": gauss_legendre(1),
    "gauss 2": gauss_legendre(2),
    "gauss 3": gauss_legendre(3),
}
# Degree of the potential up to which a rule is exact; its error is of the next order.
DEGREE = {"trapezoid": 2, "simpson": 4, "taylor": 2, "gauss 1": 2, "gauss 2": 4, "gauss 3": 6}


def polynomial_kernel(degree: int) -> ReverseTransition:
    """log p(x) = -sum_k x^k for k up to ``degree``, on the line."""
    powers = range(1, degree + 1)

    def score(x: Tensor, t: float) -> Tensor:
        return cast(Tensor, -sum(k * x ** (k - 1) for k in powers))

    def log_prob(x: Tensor, t: float) -> Tensor:
        return cast(Tensor, -sum(x[:, 0] ** k for k in powers))

    x = torch.linspace(-1, 1, 9, dtype=DOUBLE).unsqueeze(1)
    return ReverseTransition(score, x, T_HI, T_LO, log_prob)


def error(rule: EnergyDifference, kernel: ReverseTransition, z: Tensor, z_new: Tensor) -> Tensor:
    here, there = kernel.at(z), kernel.at(z_new)
    return rule(kernel, here, there) - Exact()(kernel, here, there)


@pytest.mark.parametrize("name", RULES)
def test_degree_of_exactness(name: str) -> None:
    z = torch.linspace(-0.7, 0.9, 9, dtype=DOUBLE).unsqueeze(1)
    exact, inexact = (
        error(RULES[name], polynomial_kernel(degree), z, 1.3 - 0.4 * z).abs().max()
        for degree in (DEGREE[name], DEGREE[name] + 1)
    )
    assert float(exact) < 1e-11
    assert float(inexact) > 1e-4


@pytest.mark.parametrize("name", RULES)
def test_order_in_the_length_of_the_step(name: str) -> None:
    """The error's slope against |z' - z| is one more than the degree of exactness."""
    mixture = skewed()
    generator = torch.Generator().manual_seed(9)
    z, direction = torch.randn(2, 50, 2, generator=generator, dtype=DOUBLE)
    kernel = ReverseTransition(mixture.score, z + 0.1, T_HI, T_LO, mixture.log_prob)
    lengths = (0.2, 0.1, 0.05)
    errors = [float(error(RULES[name], kernel, z, z + h * direction).norm()) for h in lengths]
    slopes = np.diff(np.log(errors)) / np.diff(np.log(lengths))
    np.testing.assert_allclose(slopes[-1], DEGREE[name] + 1, atol=0.2)


def test_exact_is_exact_whatever_the_length() -> None:
    mixture = skewed()
    z, z_new, x = 2 * torch.randn(3, 40, 2, generator=torch.Generator().manual_seed(2)).double()
    kernel = ReverseTransition(mixture.score, x, T_HI, T_LO, mixture.log_prob)
    e = math.exp(-(T_HI - T_LO))

    def g(z: Tensor) -> Tensor:
        return (x - e * z).square().sum(1) / (2 * (1 - e**2)) - mixture.log_prob(z, T_LO)

    torch.testing.assert_close(potential_difference(kernel, z, z_new), g(z_new) - g(z))


@pytest.mark.parametrize("fraction", [1.0, 0.3, 0.01])
def test_taylor_is_its_formula(fraction: float) -> None:
    mixture = skewed()
    z, step, x = torch.randn(3, 20, 2, generator=torch.Generator().manual_seed(3)).double()
    kernel = ReverseTransition(mixture.score, x, T_HI, T_LO)
    here, ahead = kernel.grad(z), kernel.grad(z + fraction * step)
    first = (here * step).sum(1)
    second = ((ahead - here) * step).sum(1) / (2 * fraction)
    actual = potential_difference(kernel, z, z + step, Taylor(fraction))
    torch.testing.assert_close(actual, first + second)


def test_taylor_tends_to_the_second_order_expansion() -> None:
    mixture = skewed()
    z, step, x = torch.randn(3, 20, 2, generator=torch.Generator().manual_seed(3)).double()
    kernel = ReverseTransition(mixture.score, x, T_HI, T_LO)
    hessian = kernel.tilt_precision * torch.eye(2, dtype=DOUBLE) - mixture.hessian(z, T_LO)
    expected = (kernel.grad(z) * step).sum(1) + 0.5 * torch.einsum(
        "nd,nde,ne->n", step, hessian, step
    )
    actual = potential_difference(kernel, z, z + step, Taylor(1e-5))
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4)


def test_only_exact_energies_add_up() -> None:
    """D(a, b) + D(b, c) = D(a, c) makes them a potential; a quadrature rule misses it."""
    mixture = skewed()
    a, b, c, x = torch.randn(4, 20, 2, generator=torch.Generator().manual_seed(4)).double()

    kernel = ReverseTransition(mixture.score, x, T_HI, T_LO, mixture.log_prob)

    def gap(energy: str) -> float:
        def d(z: Tensor, z_new: Tensor) -> Tensor:
            return potential_difference(kernel, z, z_new, energy)

        return float((d(a, b) + d(b, c) - d(a, c)).abs().max())

    assert gap("exact") < 1e-12
    assert gap("trapezoid") > 0.05
    assert 1e-3 < gap("simpson") < gap("trapezoid")


def test_taylor_is_not_antisymmetric() -> None:
    mixture = skewed()
    a, b, x = torch.randn(3, 20, 2, generator=torch.Generator().manual_seed(4)).double()
    kernel = ReverseTransition(mixture.score, x, T_HI, T_LO)
    there, back = (potential_difference(kernel, *ends, "taylor") for ends in ((a, b), (b, a)))
    assert float((there + back).abs().max()) > 0.05


@pytest.mark.parametrize("name", RULES)
def test_extra_scores_are_those_promised(name: str) -> None:
    score = CountingScore(gaussian(0.3, 0.5).score)
    kernel = ReverseTransition(score, torch.zeros(7, 1), T_HI, T_LO)
    here, there = kernel.at(torch.zeros(7, 1)), kernel.at(torch.ones(7, 1))
    before = score.rows
    difference = RULES[name](kernel, here, there)
    assert score.rows - before == 7 * RULES[name].extra_nfe
    assert difference.shape == (7,)
    expected = {"trapezoid": 0, "simpson": 1, "taylor": 1, "gauss 1": 1, "gauss 2": 2, "gauss 3": 3}
    assert RULES[name].extra_nfe == expected[name]


@pytest.mark.parametrize("name", RULES)
def test_single_precision(name: str) -> None:
    """Absolute error below 2e-4 where an acceptance probability feels it, for unit potentials."""
    mixture: GaussianMixture = skewed()
    z, step, x = torch.randn(3, 200, 2, generator=torch.Generator().manual_seed(6))
    answers = [
        potential_difference(
            ReverseTransition(mixture.score, x.to(dtype), T_HI, T_LO),
            z.to(dtype),
            (z + 0.3 * step).to(dtype),
            RULES[name],
        )
        for dtype in (torch.float32, DOUBLE)
    ]
    assert answers[0].dtype == torch.float32
    torch.testing.assert_close(answers[0].double(), answers[1], rtol=1e-4, atol=2e-4)


def test_names_and_defaults() -> None:
    assert isinstance(ESTIMATORS["taylor"](), Taylor)
    assert estimator("simpson", None) is SIMPSON
    assert isinstance(estimator(None, skewed().log_prob), Exact)
    assert not estimator(None, None).needs_log_prob
    assert estimator(TRAPEZOID, None) is TRAPEZOID
    with pytest.raises(ValueError, match=r"unknown energy estimator 'euler', expected one of"):
        estimator("euler", None)
    with pytest.raises(ValueError, match="log_prob"):
        estimator("exact", None)
    with pytest.raises(TypeError, match="energy must be"):
        estimator(3, None)  # type: ignore[arg-type]


def test_exact_needs_points_with_energies() -> None:
    kernel = ReverseTransition(skewed().score, torch.zeros(1, 2), 1.0, 0.5)
    point = kernel.at(torch.zeros(1, 2))
    with pytest.raises(ValueError, match="log_prob"):
        Exact()(kernel, point, point)


@pytest.mark.parametrize(
    ("nodes", "weights"),
    [
        ((0.0,), (1.0,)),
        ((0.0, 1.0), (0.3, 0.7)),
        ((0.0, 0.6, 1.0), (0.25, 0.5, 0.25)),
        ((0.0, 1.0), (0.5, 0.6)),
        ((0.0, 0.5, 1.0), (0.5, 0.5)),
        ((-0.5, 1.5), (0.5, 0.5)),
        ((), ()),
    ],
)
def test_rules_rejected(nodes: tuple[float, ...], weights: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"line-integral rule .* got nodes \("):
        LineIntegral(nodes, weights)


def test_parameters_rejected() -> None:
    with pytest.raises(ValueError, match="fraction must"):
        Taylor(0.0)
    with pytest.raises(ValueError, match="count must be at least 1, got 0"):
        gauss_legendre(0)
