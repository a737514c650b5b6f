"""The propagated laws against recursions written out by hand, and against simulation."""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from scipy.linalg import solve_discrete_lyapunov
from torch import Tensor

import rtk
from rtk.laws.affine import affine_law, sample_law
from rtk.laws.gaussian import Gaussian, kl, tv, w2
from rtk.mcmc.uld import coefficients, uld
from rtk.noise import Noise
from rtk.sampler import make_sampler
from rtk.samplers.base import Info, Problem, State
from rtk.samplers.ddim import DDIM
from rtk.samplers.ddpm import DDPM
from rtk.samplers.reverse_transition import RTKMALA, RTKULA
from tests.oracles import DOUBLE, Array, Law, assert_moments

MEAN, VARIANCE = 0.7, 0.3
TIMES = (2.0, 0.9, 0.4, 0.1)


def gaussian(mean: Sequence[float], variance: Sequence[float]) -> rtk.GaussianMixture:
    """``N(mean, diag variance)``, in float64 throughout."""
    means, variances = (torch.tensor([row], dtype=DOUBLE) for row in (mean, variance))
    return rtk.GaussianMixture(torch.ones(1), means, variances)


def score_line(t: float) -> tuple[float, float]:
    """Slope and value at 0 of the score of N(MEAN, VARIANCE) at time t."""
    spread = math.exp(-2 * t) * VARIANCE + 1 - math.exp(-2 * t)
    return -1 / spread, math.exp(-t) * MEAN / spread


def denoised_line(t: float) -> tuple[float, float]:
    """Slope and value at 0 of E[x_0 | x_t = x], by the regression of x_0 on x_t."""
    covariance = math.exp(-t) * VARIANCE
    slope = covariance / (math.exp(-2 * t) * VARIANCE + 1 - math.exp(-2 * t))
    return slope, MEAN - slope * math.exp(-t) * MEAN


def ddpm_map(t_hi: float, t_lo: float) -> tuple[float, float, float]:
    """Slope, offset and variance of the ancestral step, by adding precisions."""
    decay, s2 = math.exp(t_lo - t_hi), 1 - math.exp(-2 * t_lo)
    slope, offset = denoised_line(t_hi)
    variance = 1 / (1 / s2 + decay**2 / (1 - decay**2)) if s2 > 0 else 0.0
    pull = variance * math.exp(-t_lo) / s2 if s2 > 0 else 1.0
    return pull * slope + variance * decay / (1 - decay**2), pull * offset, variance


def ddpm_law(law: Law) -> Law:
    for t_hi, t_lo in itertools.pairwise((*TIMES, 0.0)):
        slope, offset, variance = ddpm_map(t_hi, t_lo)
        law = law.push([[slope]], [offset], variance)
    return law


def ddim_law(law: Law) -> Law:
    """Denoised estimate and noise prediction, recombined at the later time."""
    for t_hi, t_lo in itertools.pairwise(TIMES):
        slope, offset = denoised_line(t_hi)
        pull, push = score_line(t_hi)
        s_hi, s_lo = math.sqrt(-math.expm1(-2 * t_hi)), math.sqrt(-math.expm1(-2 * t_lo))
        noise = -s_hi * s_lo
        law = law.push(
            [[math.exp(-t_lo) * slope + noise * pull]], [math.exp(-t_lo) * offset + noise * push]
        )
    return law


def multistep_law(law: Law) -> Law:
    """DPM-Solver++(2M) on the pair (x, denoised estimate of the step before)."""
    law = law.push([[1.0], [0.0]], [0.0, 0.0])
    before = None
    for t_hi, t_lo in itertools.pairwise(TIMES):
        slope, offset = denoised_line(t_hi)
        snr = [0.5 * math.log(math.exp(-2 * t) / -math.expm1(-2 * t)) for t in (t_hi, t_lo)]
        h = snr[1] - snr[0]
        extra = 0.0 if before is None else h / (2 * (snr[0] - before))
        shrink = math.sqrt(math.expm1(-2 * t_lo) / math.expm1(-2 * t_hi))
        gain = math.exp(-t_lo) * (1 - math.exp(-h))
        law = law.push(
            [[shrink + gain * (1 + extra) * slope, -gain * extra], [slope, 0.0]],
            [gain * (1 + extra) * offset, offset],
        )
        before = snr[0]
    return law


def underdamped_step(tau: float, gamma: float, curvature: float) -> tuple[Array, Array]:
    """Matrix and noise covariance of a ULD step on (z - centre, v)."""
    c = coefficients(tau, gamma)
    matrix = np.array([[1 - c.push * curvature, c.kick], [-c.kick * curvature, c.decay]])
    return matrix, np.array([[c.variance_z, c.covariance], [c.covariance, c.variance_v]])


def underdamped_law(law: Law) -> Law:
    """RTK-ULD with four steps a segment from a DDPM step."""
    for t_hi, t_lo in itertools.pairwise(TIMES):
        start, offset, variance = ddpm_map(t_hi, t_lo)
        decay = math.exp(t_lo - t_hi)
        tilt = decay**2 / (1 - decay**2)
        pull, push = score_line(t_lo)
        root = math.sqrt(tilt - pull)  # data_variance is exact, so the curvature is too
        matrix, spread = underdamped_step(0.8 / root, 1.5 * root, root**2)
        # State (x, z, v): x stays, the well's centre moves with x.
        law = law.push([[1], [start], [0]], [0, offset, 0], np.diag([0, variance, 1]))
        into = (np.eye(2) - matrix)[:, 0]
        centre = tilt / decay / root**2
        step = np.eye(3)
        step[1:, 1:], step[1:, 0] = matrix, into * centre
        noise = np.zeros((3, 3))
        noise[1:, 1:] = spread
        for _ in range(4):
            law = law.push(step.tolist(), [0, *(into * push / root**2)], noise)
        law = law.push([[0, 1, 0]], [0])
    return law


@pytest.mark.parametrize(
    ("method", "nfe", "hand"),
    [
        ("ddpm", 4, ddpm_law),
        ("ddim", 3, ddim_law),
        ("dpm++2m", 3, multistep_law),
        ("rtk-uld", 15, underdamped_law),
    ],
)
def test_whole_chains_by_hand(method: str, nfe: int, hand: Callable[[Law], Law]) -> None:
    expected = hand(Law(np.zeros(1), np.eye(1)))
    options: dict[str, Any] = {}
    if method == "rtk-uld":
        options = {"step_size": 0.8, "friction": 1.5, "data_variance": VARIANCE}
    score = gaussian([MEAN], [VARIANCE]).score
    sampler = make_sampler(method, options)
    law, spent = sample_law(score, 1, sampler, nfe, segments=TIMES, denoise=method == "ddpm")
    assert spent == nfe
    np.testing.assert_allclose(law.mean, expected.mean[:1], rtol=1e-12)
    np.testing.assert_allclose(law.variance, expected.covariance[0, :1], rtol=1e-12)


SAMPLERS: list[tuple[str, dict[str, Any]]] = [
    ("ddpm", {}),
    ("ddim", {}),
    ("dpm++2m", {}),
    ("dpm++2m-sde", {}),
    ("ald", {"data_variance": 0.2}),
    *(
        (method, {"data_variance": 0.2, "warm_start": start})
        for method in ("rtk-ula", "rtk-uld")
        for start in ("x", "gaussian", "ddpm")
    ),
]


@pytest.mark.parametrize(("method", "options"), SAMPLERS)
def test_simulation_agrees(method: str, options: dict[str, Any]) -> None:
    """Mean and variance of 20 000 chains in each of three coordinates, to 5 standard errors."""
    target = gaussian([0.7, -1.2, 0.1], [0.2, 1.0, 2.5])
    sampler = make_sampler(method, options)
    segments = 4 if method.startswith("rtk") else None
    law, spent = sample_law(target.score, 3, sampler, 22, segments=segments)
    result = rtk.sample(target.score, 3, 20_000, sampler, 22, 1, dtype=DOUBLE, segments=segments)
    assert spent == result.nfe
    assert_moments(result.samples, law.mean, np.diag(law.variance))


def test_a_wrong_score_is_propagated_too() -> None:
    """DDIM in one step to 0 returns E[x_0 | x], so a scaled and shifted score is seen exactly."""
    score = gaussian([0.0], [1.0]).score
    scale, shift, t = 1.1, 0.2, 0.8
    law, _ = sample_law(lambda x, t: scale * score(x, t) + shift, 1, DDIM(), 1, segments=(t, 0.0))
    s2 = 1 - math.exp(-2 * t)
    np.testing.assert_allclose(law.mean, [math.exp(t) * s2 * shift], rtol=1e-13)
    np.testing.assert_allclose(law.variance, [(math.exp(t) * (1 - s2 * scale)) ** 2], rtol=1e-13)


class KeepsScore(DDPM):
    """DDPM that leaves the score of its end behind, which the next segment then need not pay."""

    def __call__(
        self, problem: Problem, state: State, t_lo: float, nfe: int, noise: Noise
    ) -> tuple[State, Info]:
        end, info = super().__call__(problem, state, t_lo, nfe, noise)
        return replace(end, score=problem.score(end.x, t_lo)), info


def test_a_score_carried_on_is_not_paid_again() -> None:
    score = gaussian([MEAN], [VARIANCE]).score
    plain, _ = sample_law(score, 1, DDPM(), 3, segments=TIMES, denoise=False)
    law, spent = sample_law(score, 1, KeepsScore(), 4, segments=TIMES, denoise=False)
    assert spent == 4
    np.testing.assert_allclose(law.mean, plain.mean, rtol=1e-13)
    np.testing.assert_allclose(law.variance, plain.variance, rtol=1e-13)


@pytest.mark.parametrize(("relative", "steps"), [(0.2, 300), (1.0, 60)])
def test_stationary_law_of_uld(relative: float, steps: int) -> None:
    """So many steps reach the solution of the discrete Lyapunov equation."""
    x, t_hi, t_lo = -0.4, 1.0, 0.2
    target = gaussian([MEAN], [VARIANCE])
    exact = target.reverse_transition(torch.full((1, 1), x, dtype=DOUBLE), t_hi, t_lo)
    curvature = 1 / exact.variances.item()
    tau, gamma = relative / math.sqrt(curvature), 2 * math.sqrt(curvature)

    def draw(noise: Noise) -> Tensor:
        rows = torch.full((noise.n, 1), x, dtype=DOUBLE)
        kernel = rtk.ReverseTransition(target.score, rows, t_hi, t_lo)
        return uld(kernel, rows, steps, tau, gamma, noise)

    law = affine_law(draw, 1)
    variance = solve_discrete_lyapunov(*underdamped_step(tau, gamma, curvature))[0, 0]
    np.testing.assert_allclose(law.mean, [exact.mean().item()], rtol=1e-10)
    np.testing.assert_allclose(law.variance, [variance], rtol=1e-10)


def test_refuses_what_is_not_affine() -> None:
    mixture = rtk.GaussianMixture(torch.ones(2), torch.tensor([[-1.0], [1.0]]), 0.3)
    with pytest.raises(ValueError, match="not affine"):
        sample_law(mixture.score, 1, DDPM(), 5)
    with pytest.raises(TypeError, match="uniform"):
        sample_law(gaussian([0.0], [1.0]).score, 1, RTKMALA(), 20)


def test_refuses_coupled_coordinates() -> None:
    covariance = torch.tensor([[[1.0, 0.5], [0.5, 1.0]]])
    coupled = rtk.GaussianMixture(torch.ones(1), torch.zeros(1, 2), covariance)
    with pytest.raises(ValueError, match="each coordinate"):
        sample_law(coupled.score, 2, DDPM(), 5)


def test_reports_an_overflow() -> None:
    score = gaussian([0.0], [1.0]).score
    with pytest.raises(FloatingPointError, match="step size"):
        sample_law(score, 1, RTKULA(step_size=10.0, data_variance=1.0), 400, segments=1)


@pytest.mark.parametrize(
    ("mean", "variance", "message"),
    [
        ([0.0], [1.0, 1.0], "one length"),
        ([[0.0]], [[1.0]], "vectors"),
        ([0.0], [-1.0], "non-negative"),
        ([math.nan], [1.0], "finite"),
    ],
)
def test_refuses_what_is_no_law(mean: list[float], variance: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Gaussian(mean, variance)


def test_distances_refuse_what_does_not_fit() -> None:
    point, line = Gaussian([0.0], [0.0]), Gaussian([0.0], [1.0])
    for distance in (kl, tv):
        with pytest.raises(ValueError, match="variance of zero"):
            distance(point, line)
    with pytest.raises(ValueError, match="1 and 2"):
        w2(line, line.power(2))
    assert w2(point, line) == 1.0


LINES = [
    (0.0, 1.0, 0.3, 1.0),
    (0.0, 1.0, 0.0, 1.2),
    (0.3, 2.0, -0.4, 0.5),
    (0.0, 1.0, 3.0, 0.1),
    (0.0, 1.0, 0.01, 5.0),
]


@pytest.mark.parametrize(("m", "v", "n", "w"), LINES)
def test_distances_on_the_line_by_quadrature(m: float, v: float, n: float, w: float) -> None:
    p, q = stats.norm(m, math.sqrt(v)), stats.norm(n, math.sqrt(w))
    crossings = np.roots(
        [1 / w - 1 / v, 2 * (m / v - n / w), n**2 / w - m**2 / v + math.log(w / v)]
        if v != w
        else [2 * (m - n) / v, (n**2 - m**2) / v]
    ).real
    cuts = [-40.0, *sorted(crossings), 40.0]

    def over(f: Callable[[float], float]) -> float:
        return sum(
            integrate.quad(f, a, b, epsabs=1e-13, limit=200)[0] for a, b in itertools.pairwise(cuts)
        )

    expected_tv = sum(
        abs(p.cdf(b) - p.cdf(a) - q.cdf(b) + q.cdf(a)) / 2 for a, b in itertools.pairwise(cuts)
    )
    expected_kl = over(lambda x: p.pdf(x) * (p.logpdf(x) - q.logpdf(x)))
    # The optimal coupling moves equal quantiles onto each other.
    expected_w2 = over(
        lambda z: stats.norm.pdf(z) * (m - n + (math.sqrt(v) - math.sqrt(w)) * z) ** 2
    )
    a, b = Gaussian([m], [v]), Gaussian([n], [w])
    assert tv(a, b) == pytest.approx(expected_tv, rel=1e-10)
    assert kl(a, b) == pytest.approx(expected_kl, rel=1e-9)
    assert w2(a, b) ** 2 == pytest.approx(expected_w2, rel=1e-9)


@pytest.mark.parametrize("dimension", [2, 3, 10, 512, 4096])
@pytest.mark.parametrize("ratio", [1.001, 1.1, 3.0])
def test_tv_of_isotropic_gaussians(dimension: int, ratio: float) -> None:
    """The densities cross on a sphere, so TV is a difference of chi-square probabilities."""
    square = dimension * math.log(ratio) / (1 - 1 / ratio)
    expected = stats.chi2.cdf(square, dimension) - stats.chi2.cdf(square / ratio, dimension)
    centre = Gaussian([0.0], [1.0]).power(dimension)
    assert tv(centre, Gaussian([0.0], [ratio]).power(dimension)) == pytest.approx(
        expected, rel=1e-9
    )


@pytest.mark.parametrize("shift", [1e-9, 1e-3, 1.0, 5.0])
def test_tv_of_shifted_gaussians(shift: float) -> None:
    """2 Phi(|shift| / 2) - 1 in any dimension, for distances in standard deviations."""
    variance = np.array([0.1, 1.0, 7.0])
    away = shift * np.sqrt(variance / 3)
    expected = math.erf(shift / math.sqrt(8))
    assert tv(Gaussian(away, variance), Gaussian(0 * away, variance)) == pytest.approx(
        expected, rel=1e-9
    )


def anisotropic(dimension: int, spread: float) -> tuple[Gaussian, Gaussian]:
    rng = np.random.default_rng(dimension)
    variance = np.exp(rng.normal(size=dimension))
    ratio = np.exp(spread * rng.normal(size=dimension))
    shift = spread * rng.normal(size=dimension) * (rng.random(dimension) < 0.5)
    return Gaussian(shift, variance), Gaussian(np.zeros(dimension), variance * ratio)


CASES = [(2, 0.5), (2, 0.01), (5, 0.3), (5, 2.0), (40, 0.2), (400, 0.02), (400, 1e-4)]


def assert_tv(p: Gaussian, q: Gaussian) -> None:
    """``E_p max(0, 1 - q/p)`` to 5 standard errors: 4 000 draws, 40 000 in low dimension."""
    n, d = (40_000 if len(p.mean) < 10 else 4_000), len(p.mean)
    x = p.mean + np.sqrt(p.variance) * np.random.default_rng(0).standard_normal((n, d))

    def log_density(law: Gaussian) -> Array:
        squares = (x - law.mean) ** 2 / law.variance
        return np.asarray(-0.5 * (squares + np.log(law.variance)).sum(1))

    values = np.maximum(0.0, -np.expm1(log_density(q) - log_density(p)))
    distance = tv(p, q)
    assert abs(values.mean() - distance) <= 5 * values.std() / math.sqrt(n)
    assert tv(q, p) == pytest.approx(distance, rel=1e-9)


@pytest.mark.parametrize(("dimension", "spread"), CASES)
def test_tv_by_monte_carlo(dimension: int, spread: float) -> None:
    assert_tv(*anisotropic(dimension, spread))


@pytest.mark.parametrize(("dimension", "spread"), CASES)
def test_inequalities(dimension: int, spread: float) -> None:
    """Pinsker, Bretagnolle-Huber, and Hellinger's from both sides."""
    p, q = anisotropic(dimension, spread)
    distance, divergence = tv(p, q), min(kl(p, q), kl(q, p))
    assert distance <= math.sqrt(divergence / 2)
    assert distance <= math.sqrt(-math.expm1(-divergence))
    average = (p.variance + q.variance) / 2
    affinity = math.exp(
        (np.log(p.variance * q.variance) / 4 - np.log(average) / 2).sum()
        - ((p.mean - q.mean) ** 2 / (8 * average)).sum()
    )
    assert 1 - affinity <= distance <= math.sqrt(1 - affinity**2)


@pytest.mark.parametrize(
    ("ratio", "shift"),
    [([0.9, *[-0.1] * 20], 0.0), ([-0.1] * 20 + [0.9], 0.3), ([-0.9, -0.9, -0.9, 1e-6], 0.01)],
)
def test_tv_of_unlike_coordinates(ratio: list[float], shift: float) -> None:
    """One coordinate against the others: on some rays psi grows before it decays."""
    r = np.array(ratio)
    mean = np.append(np.zeros(len(r) - 1), shift)
    assert_tv(Gaussian(mean, 1 - r), Gaussian(0 * r, 1 + r))


def test_equal_laws_have_no_distance() -> None:
    law = Gaussian([0.3, -1.0], [2.0, 0.1])
    assert kl(law, law) == tv(law, law) == w2(law, law) == 0.0
