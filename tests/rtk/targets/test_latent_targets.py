import math
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch import Tensor

from rtk import process
from rtk.targets import BEYOND_MIXTURES, Funnel, ManyWell, Rings, StudentT, Target
from tests.oracles import Array, assert_average, assert_law

NAMES = [*BEYOND_MIXTURES]
DOUBLE = torch.float64


def noised(target: Target, n: int, t: float, seed: int = 0) -> Tensor:
    """Samples of ``p_t`` made from samples of ``p_0``."""
    generator = torch.Generator().manual_seed(seed)
    x = target.sample(n, 0.0, generator, DOUBLE)
    noise = torch.randn(x.shape, generator=generator, dtype=DOUBLE)
    return process.alpha(t) * x + process.sigma(t) * noise


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("t", [0.0, 1e-4, 0.3, 2.0])
def test_score_is_the_gradient_of_log_prob(name: str, t: float) -> None:
    target = BEYOND_MIXTURES[name]()
    x = noised(target, 40, t).requires_grad_(True)
    (gradient,) = torch.autograd.grad(target.log_prob(x, t).sum(), x)
    error = (target.score(x, t) - gradient).norm(dim=1) / gradient.norm(dim=1)
    assert error.max() < 1e-6


# --- the textbook integral, with mpmath ---


def funnel_density(x: list[Any], a: float, s2: float) -> Any:
    def joint(v: Any) -> Any:
        rest = mpmath.mpf(1)
        for value in x[1:]:
            rest *= mpmath.npdf(value, 0, mpmath.sqrt(a**2 * mpmath.exp(v) + s2))
        return mpmath.npdf(v, 0, 3) * mpmath.npdf(x[0], a * v, mpmath.sqrt(s2)) * rest

    centre = x[0] / a
    near = [centre + k * math.sqrt(s2) / a for k in (-12, -4, 0, 4, 12)]
    return mpmath.quad(joint, near)


def student_density(x: list[Any], a: float, s2: float) -> Any:
    square = sum(value**2 for value in x)

    def joint(scale: Any) -> Any:
        prior = 1.5**1.5 / mpmath.gamma(1.5) * scale**-2.5 * mpmath.exp(-1.5 / scale)
        spread = a**2 * scale + s2
        normal = (2 * mpmath.pi * spread) ** (-len(x) / 2) * mpmath.exp(-square / spread / 2)
        return prior * normal

    return mpmath.quad(joint, [0, 0.3, 1, 3, 10, 100, mpmath.inf])


def well_density(x: list[Any], a: float, s2: float) -> Any:
    def mass(y: Any) -> Any:
        return mpmath.exp(6 * y**2 - y**4 + y / 2)

    ends = [-5, -1.7, 0, 1.7, 5]
    total = mpmath.quad(mass, ends)
    centre = x[0] / a
    near = sorted([*ends, centre - 0.1, centre, centre + 0.1])
    s = mpmath.sqrt(s2)
    return mpmath.quad(lambda y: mass(y) * mpmath.npdf(x[0], a * y, s), near) / total


def rings_density(x: list[Any], a: float, s2: float) -> Any:
    spread = a**2 * 0.01 + s2
    square = sum(value**2 for value in x)
    radius = mpmath.sqrt(x[0] ** 2 + x[1] ** 2)
    ring = sum(
        weight
        * mpmath.exp(-(square + (a * rho) ** 2) / (2 * spread))
        * mpmath.besseli(0, radius * a * rho / spread)
        for rho, weight in ((1, mpmath.mpf("0.5")), (2, mpmath.mpf("0.3")), (3, mpmath.mpf("0.2")))
    )
    return ring * (2 * mpmath.pi * spread) ** (-mpmath.mpf(len(x)) / 2)


ORACLES = {
    "funnel": (Funnel(3), funnel_density, [-1.2, 0.7, -0.9]),
    "student": (StudentT(2), student_density, [1.4, -2.5]),
    "many_well": (ManyWell(1, 1), well_density, [0.4]),
    "rings": (Rings(3), rings_density, [0.9, -0.7, 0.2]),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("t", [0.02, 0.6])
def test_against_mpmath(name: str, t: float) -> None:
    """The score by a central difference of the oracle's logarithm, whose error is below 1e-8."""
    target, density, x = ORACLES[name]
    a, s2, h = math.exp(-t), -math.expm1(-2 * t), 1e-5
    point = torch.tensor([x], dtype=DOUBLE)
    expected = float(mpmath.log(density(x, a, s2)))
    assert target.log_prob(point, t).item() == pytest.approx(expected, abs=1e-10)
    for i, slope in enumerate(target.score(point, t)[0]):
        up, down = list(x), list(x)
        up[i], down[i] = x[i] + h, x[i] - h
        ratio = mpmath.log(density(up, a, s2) / density(down, a, s2))
        assert slope.item() == pytest.approx(float(ratio) / (2 * h), rel=1e-6, abs=1e-6)


# --- time 0: closed forms ---


def test_funnel_at_time_zero() -> None:
    x = noised(Funnel(), 20, 0.0)
    v, rest = x[:, :1], x[:, 1:]
    deviation = (0.5 * v).exp().numpy()
    first = -v / 9 - 4.5 + 0.5 * rest.square().sum(1, keepdim=True) * (-v).exp()
    torch.testing.assert_close(Funnel().score(x, 0.0), torch.cat((first, -rest * (-v).exp()), 1))
    expected = stats.norm(0, 3).logpdf(v[:, 0]) + stats.norm(0, deviation).logpdf(rest).sum(1)
    np.testing.assert_allclose(Funnel().log_prob(x, 0.0), expected, rtol=1e-12)


def test_student_at_time_zero() -> None:
    x = noised(StudentT(), 20, 0.0)
    expected = -13 * x / (3 + x.square().sum(1, keepdim=True))
    torch.testing.assert_close(StudentT().score(x, 0.0), expected)
    density = stats.multivariate_t(np.zeros(10), np.eye(10), 3).logpdf(x.numpy())
    np.testing.assert_allclose(StudentT().log_prob(x, 0.0), density, rtol=1e-12)


def test_many_well_at_time_zero() -> None:
    x = noised(ManyWell(), 20, 0.0)
    wells, rest = x[:, :4], x[:, 4:]
    slope = torch.cat((-4 * wells**3 + 12 * wells + 0.5, -rest), 1)
    torch.testing.assert_close(ManyWell().score(x, 0.0), slope)
    mass, _ = integrate.quad(lambda y: np.exp(6 * y**2 - y**4 + y / 2), -4, 4, points=[-1.7, 1.7])
    wells_log_prob = (6 * wells**2 - wells**4 + wells / 2 - math.log(mass)).sum(1)
    expected = wells_log_prob.numpy() + stats.norm.logpdf(rest).sum(1)
    np.testing.assert_allclose(ManyWell().log_prob(x, 0.0), expected, rtol=1e-10)


def test_deepest_well() -> None:
    slope = 4 * ManyWell.DEEPEST**3 - 12 * ManyWell.DEEPEST - 0.5
    assert abs(slope) < 1e-8


# --- laws ---


@pytest.mark.parametrize(
    "target", [StudentT(1), ManyWell(1, 1), Funnel(2, 0.5), Rings(2, (0.8, 1.6), (3.0, 1.0), 0.2)]
)
@pytest.mark.parametrize("t", [0.0, 0.2])
def test_log_prob_is_normalised(target: Target, t: float) -> None:
    """Riemann sums; in one dimension the tail of Student's t outside is below 1e-7."""
    if target.dimension == 1:
        line = torch.linspace(-250.0, 250.0, 10_001, dtype=DOUBLE)
        total = target.log_prob(line[:, None], t).exp().sum() * (line[1] - line[0])
    else:
        line = torch.linspace(-9.0, 9.0, 181, dtype=DOUBLE)
        total = target.log_prob(torch.cartesian_prod(line, line), t).exp().sum() * 0.1**2
    assert total.item() == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("t", [0.0, 0.3, 1.5])
def test_scores_and_samples_belong_together(name: str, t: float) -> None:
    """Stein's identities ``E s = 0`` and ``E x_i s_i = -1`` over 2000 samples, 5 standard errors.

    They hold for the score of the law sampled from and fail for one of another sign, time or scale.
    """
    target = BEYOND_MIXTURES[name]()
    if name == "funnel" and t == 0.0:
        # The score at time 0 has no variance to speak of errors with: E e^-v is e^(9/2).
        target = Funnel(10, 0.5)
    x = noised(target, 2000, t, seed=1)
    score = target.score(x, t)
    assert_average(score, 0.0)
    assert_average(x * score, -1.0)


def ring_cdf(r: Array) -> Array:
    laws = [stats.rice(rho / 0.1, scale=0.1) for rho in (1.0, 2.0, 3.0)]
    return np.asarray(0.5 * laws[0].cdf(r) + 0.3 * laws[1].cdf(r) + 0.2 * laws[2].cdf(r))


def test_laws_of_samples() -> None:
    """Chi-square over 60 bins of 6000 draws, at 5 sigma."""
    x = noised(Funnel(), 6000, 0.0)
    assert_law(x[:, 0], stats.norm(0, 3).cdf)
    assert_law(x[:, 1:].square().sum(1) * (-x[:, 0]).exp(), stats.chi2(9).cdf)
    assert_law(noised(StudentT(), 6000, 0.0).square().mean(1), stats.f(10, 3).cdf)
    x = noised(Rings(), 6000, 0.0)
    assert_law(x[:, :2].norm(dim=1), ring_cdf)
    assert_law(torch.atan2(x[:, 1], x[:, 0]), stats.uniform(-np.pi, 2 * np.pi).cdf)
    assert_law(x[:, 5], stats.norm(0, 0.1).cdf)
    x = noised(ManyWell(), 6000, 0.0)
    grid = np.linspace(-4, 4, 40_001)
    below = np.cumsum(np.exp(6 * grid**2 - grid**4 + grid / 2))
    for i in range(4):
        assert_law(x[:, i], lambda y: np.asarray(np.interp(y, grid, below / below[-1])))
    assert_law(x[:, 4], stats.norm.cdf)


# --- as a function ---


@pytest.mark.parametrize("name", NAMES)
def test_finite_far_away(name: str) -> None:
    target = BEYOND_MIXTURES[name]()
    x = 30.0 * torch.randn(50, 10, generator=torch.Generator().manual_seed(0), dtype=DOUBLE)
    for t in (1e-4, 0.1, 5.0):
        assert torch.isfinite(target.score(x, t)).all()
        assert torch.isfinite(target.log_prob(x, t)).all()
    assert torch.isfinite(target.score(torch.zeros(1, 10, dtype=DOUBLE), 1e-4)).all()


@pytest.mark.parametrize("name", NAMES)
def test_precision_and_batches(name: str) -> None:
    target = BEYOND_MIXTURES[name]()
    x = noised(target, 30, 0.3)
    score = target.score(x, 0.3)
    single = target.score(x.float(), 0.3)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), score, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(target.score(x[7:9], 0.3), score[7:9], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_samples_belong_to_the_generator(name: str) -> None:
    target = BEYOND_MIXTURES[name]()
    first, again, other = (noised(target, 9, 0.0, seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape == (9, 10)
    assert target.sample(2).dtype == torch.get_default_dtype()


@pytest.mark.parametrize("name", NAMES)
def test_calls_reject(name: str) -> None:
    target = BEYOND_MIXTURES[name]()
    with pytest.raises(ValueError, match=r"x must have shape \(n, 10\), got \(4, 9\)"):
        target.score(torch.zeros(4, 9), 0.1)
    for t in (-0.1, math.nan):
        with pytest.raises(ValueError, match="t must be a time >= 0"):
            target.log_prob(torch.zeros(4, 10), t)
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        target.sample(0)


def test_parameters_are_checked() -> None:
    with pytest.raises(ValueError, match="dimension must be at least 2, got 1"):
        Funnel(1)
    with pytest.raises(ValueError, match="scale must be positive and finite, got 0"):
        Funnel(scale=0.0)
    with pytest.raises(ValueError, match="nu must be at least 1, got 0"):
        StudentT(nu=0)
    with pytest.raises(ValueError, match="dimension must be at least 4, got 3"):
        ManyWell(3, 4)
    with pytest.raises(ValueError, match="as many positive radii as weights"):
        Rings(radii=(1.0, 2.0))
    with pytest.raises(ValueError, match="as many positive radii as weights"):
        Rings(radii=(1.0,), weights=(-1.0,))
