"""The mathematics, on random kernels, and what holds for any options of any method."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

import rtk
from rtk import process
from rtk.adapters import from_denoiser, from_noise_prediction
from rtk.energy import ESTIMATORS, estimator, gauss_legendre, potential_difference
from rtk.kernel import ReverseTransition
from rtk.mcmc.ghmc import ghmc
from rtk.mcmc.mala import mala
from rtk.targets import MixtureTransition
from tests.oracles import DOUBLE, FITTED, CountingScore, ScriptedNoise

EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True)

SEEDS = st.integers(0, 10**6)
TIMES = st.floats(1e-3, 3.0)
LENGTHS = st.floats(0.05, 1.5)
SIDES = st.integers(1, 4)


def normal(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def random_mixture(seed: int, d: int, components: int = 3) -> rtk.GaussianMixture:
    """Unequal weights and correlated covariances, with eigenvalues from 0.1 on."""
    factors = 0.5 * normal(seed, components, d, d)
    return rtk.GaussianMixture(
        normal(seed + 1, components).exp(),
        1.5 * normal(seed + 2, components, d),
        factors @ factors.mT + 0.1 * torch.eye(d, dtype=DOUBLE),
    )


def random_kernel(seed: int, d: int, t: float, eta: float) -> tuple[ReverseTransition, Any]:
    """A kernel at one ``x``, and its law as a mixture, which shares no code with it."""
    mixture = random_mixture(seed, d)
    x = 1.5 * normal(seed + 3, 1, d)
    kernel = ReverseTransition(mixture.score, x, t + eta, t, mixture.log_prob)
    return kernel, mixture.reverse_transition(x, t + eta, t)


def gradient(law: MixtureTransition, z: Tensor) -> Tensor:
    """``grad g``, by automatic differentiation of the normalised density."""
    with torch.enable_grad():
        at = z.clone().requires_grad_()
        return -torch.autograd.grad(law.log_prob(at).sum(), at)[0]


def decides_with(ratio: float, moves: Any) -> None:
    """Check that a proposal is accepted with probability min(1, ratio): not less, not more."""
    assume(1e-12 < ratio < 1e12)
    assert moves(min(1.0, ratio) * (1 - 1e-6))
    if ratio < 1 - 1e-5:
        assert not moves(ratio * (1 + 1e-6))


@EXAMPLES
@given(SEEDS, SIDES, TIMES, LENGTHS, st.floats(0.01, 0.5))
def test_mala_is_in_detailed_balance(seed: int, d: int, t: float, eta: float, tau: float) -> None:
    """``pi(z) q(z, z') a(z, z')`` is symmetric, for ``q`` and ``pi`` from their definitions."""
    kernel, law = random_kernel(seed, d, t, eta)
    z, xi = normal(seed + 4, 1, d), normal(seed + 5, 1, d)
    z_new = z - tau * gradient(law, z) + (2 * tau) ** 0.5 * xi

    def log_flow(a: Tensor, b: Tensor) -> Tensor:
        return law.log_prob(a) - (b - a + tau * gradient(law, a)).square().sum(1) / (4 * tau)

    def moves(u: float) -> bool:
        noise = ScriptedNoise(xi, torch.tensor([u], dtype=DOUBLE))
        last, accepted = mala(kernel, z, 1, tau, noise)
        torch.testing.assert_close(last.z, z_new if accepted else z, rtol=1e-9, atol=1e-9)
        return bool(accepted)

    decides_with(float((log_flow(z_new, z) - log_flow(z, z_new)).exp()), moves)


@EXAMPLES
@given(SEEDS, SIDES, TIMES, LENGTHS, st.floats(0.05, 0.8), st.floats(0.1, 5.0))
def test_ghmc_is_in_skew_detailed_balance(
    seed: int, d: int, t: float, eta: float, tau: float, friction: float
) -> None:
    """With the velocity turned round, of the law ``~ pi(z) exp(-|v|^2 / 2)``."""
    kernel, law = random_kernel(seed, d, t, eta)
    z, v = normal(seed + 4, 1, d), normal(seed + 5, 1, d)
    half = v - 0.5 * tau * gradient(law, z)
    z_new = z + tau * half
    v_new = half - 0.5 * tau * gradient(law, z_new)
    energies = [-law.log_prob(a) + 0.5 * b.square().sum(1) for a, b in ((z, v), (z_new, v_new))]

    def moves(u: float) -> bool:
        noise = ScriptedNoise(v, torch.tensor([u], dtype=DOUBLE))
        last, accepted = ghmc(kernel, z, 1, tau, friction, noise)
        torch.testing.assert_close(last.z, z_new if accepted else z, rtol=1e-9, atol=1e-9)
        return bool(accepted)

    decides_with(float((energies[0] - energies[1]).exp()), moves)
    # The leapfrog step is its own inverse once the velocity is turned round.
    back = -v_new - 0.5 * tau * gradient(law, z_new)
    torch.testing.assert_close(z_new + tau * back, z, rtol=1e-9, atol=1e-9)


@EXAMPLES
@given(SEEDS, SIDES, TIMES, LENGTHS, st.sampled_from([*ESTIMATORS, 1, 2, 3]))
def test_estimates_change_sign_with_the_ends(
    seed: int, d: int, t: float, eta: float, name: str | int
) -> None:
    """All but Taylor's expansion; no estimate is another than 0 between a point and itself."""
    kernel, _ = random_kernel(seed, d, t, eta)
    energy = gauss_legendre(name) if isinstance(name, int) else name
    z, z_new = normal(seed + 4, 1, d), normal(seed + 5, 1, d)
    there, back = (
        float(potential_difference(kernel, *ends, energy)) for ends in ((z, z_new), (z_new, z))
    )
    if name == "taylor":
        exact = float(potential_difference(kernel, z, z_new, "exact"))
        short = z + 1e-3 * (z_new - z)
        near = float(potential_difference(kernel, z, short, estimator("taylor", None)))
        assert near == pytest.approx(float(potential_difference(kernel, z, short)), abs=1e-5)
        assert exact == pytest.approx(-float(potential_difference(kernel, z_new, z)), abs=1e-9)
    else:
        assert there == pytest.approx(-back, rel=1e-9, abs=1e-9)
    assert float(potential_difference(kernel, z, z, energy)) == 0.0


@EXAMPLES
@given(SEEDS, SIDES, TIMES, LENGTHS)
def test_the_kernel_carries_a_gaussian_to_a_gaussian(
    seed: int, d: int, t: float, eta: float
) -> None:
    """``E z`` and ``Cov z`` for ``x ~ p_hi``: ``z | x ~ N(A x + b, V)`` gives ``p_lo``.

    ``A`` and ``b`` are read from the kernel's means at 0 and at the unit vectors, ``V`` from the
    curvature of its density.
    """
    mixture = random_mixture(seed, d, components=1)
    points = torch.cat([torch.zeros(1, d, dtype=DOUBLE), torch.eye(d, dtype=DOUBLE)])
    law = mixture.reverse_transition(points, t + eta, t)
    b, a = law.mean()[0], (law.mean()[1:] - law.mean()[0]).T

    def density(z: Tensor) -> Tensor:
        return mixture.reverse_transition(points[:1], t + eta, t).log_prob(z[None])[0]

    v = torch.linalg.inv(-torch.func.hessian(density)(b))
    mean, covariance = mixture.means[0], mixture.covariances[0]
    one = torch.eye(d, dtype=DOUBLE)
    (m_lo, c_lo), (m_hi, c_hi) = (
        (math.exp(-s) * mean, math.exp(-2 * s) * covariance - math.expm1(-2 * s) * one)
        for s in (t, t + eta)
    )
    torch.testing.assert_close(a @ m_hi + b, m_lo, rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(a @ c_hi @ a.T + v, c_lo, rtol=1e-8, atol=1e-8)


@EXAMPLES
@given(SEEDS, TIMES, st.floats(0.05, 1.5))
def test_the_kernel_carries_p_hi_to_p_lo(seed: int, t: float, eta: float) -> None:
    """On the line: ``int p_hi(x) p(z | x) dx = p_lo(z)`` by the trapezoid rule, to 1e-8."""
    mixture = random_mixture(seed, 1)
    x = torch.linspace(-12.0, 12.0, 2001, dtype=DOUBLE)[:, None]
    z = torch.tensor([[-1.3], [0.2], [1.9]], dtype=DOUBLE)
    law = mixture.reverse_transition(x, t + eta, t)
    weight = mixture.log_prob(x, t + eta).exp() * (x[1, 0] - x[0, 0])
    mass = torch.stack([weight @ law.log_prob(point.expand_as(x)).exp() for point in z])
    torch.testing.assert_close(mass, mixture.log_prob(z, t).exp(), rtol=1e-8, atol=1e-8)


@EXAMPLES
@given(st.floats(1e-6, 300.0))
def test_noise_level_and_time_are_inverse(t: float) -> None:
    again = process.time_from_noise_level(process.noise_level(t))
    assert again == pytest.approx(t, rel=1e-9)
    level = process.sigma(t) / process.alpha(t)
    assert process.noise_level(t) == pytest.approx(level, rel=1e-9)


@EXAMPLES
@given(SEEDS, SIDES, st.floats(2e-3, 4.0), st.sampled_from(["epsilon", "v_prediction", "sample"]))
def test_predictions_and_scores_are_inverse(seed: int, d: int, t: float, kind: str) -> None:
    """A score is turned into what a model predicts, by definition, and an adapter turns it back."""
    mixture = random_mixture(seed, d)
    x = 1.5 * normal(seed + 3, 5, d)
    a, s = math.exp(-t), math.sqrt(-math.expm1(-2 * t))
    score = mixture.score(x, t)
    noise = -s * score
    data = (x - s * noise) / a
    predictions = {"epsilon": noise, "v_prediction": a * noise - s * data, "sample": data}
    schedule = torch.linspace(1e-3, 4.0, 50, dtype=DOUBLE).mul(-2).exp()
    adapted = from_noise_prediction(lambda x, k: predictions[kind], schedule, kind)
    torch.testing.assert_close(adapted(x, t), score, rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(from_denoiser(lambda y, level: data)(x, t), score)


# What holds for any options of any method.

FRACTIONS = st.floats(0.05, 1.0)
CHAIN = {
    "step_size": FRACTIONS,
    "inner_steps": st.integers(1, 6),
    "warm_start": st.sampled_from(["x", "gaussian", "ddpm"]),
    "data_variance": st.floats(0.0, 0.4),
}
ENERGY = {"energy": st.sampled_from(["trapezoid", "simpson", "taylor", "exact"])}
INTEGRATORS = st.sampled_from(["exponential", "OBABO", "BAOAB", "UBU", "randomized-midpoint"])
OPTIONS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "heun": {"churn": st.floats(0.0, 0.4), "noise_scale": FRACTIONS},
    "restart": {
        "main_steps": st.integers(1, 20),
        "restart_steps": st.integers(1, 4),
        "sigma_min": st.floats(0.01, 0.2),
        "sigma_max": st.floats(0.3, 2.0),
    },
    "er-sde": {"order": st.integers(1, 3)},
    "ald": {"step_size": FRACTIONS, "data_variance": st.floats(0.0, 0.4)},
    "rtk-ula": CHAIN,
    "rtk-lm": CHAIN,
    "rtk-mala": CHAIN | ENERGY | {"proposal_radius": st.floats(0.1, 5.0)},
    "rtk-hmc": CHAIN | ENERGY | {"leapfrog_steps": st.integers(1, 4)},
    "rtk-ghmc": CHAIN | ENERGY | {"friction": st.floats(0.1, 5.0)},
    "rtk-uld": CHAIN | {"friction": st.floats(0.1, 5.0), "integrator": INTEGRATORS},
}
GRIDS = st.one_of(
    st.integers(1, 6),
    st.lists(st.floats(1e-3, 6.0), min_size=2, max_size=6, unique=True).map(
        lambda times: sorted(times, reverse=True)
    ),
)


def score(x: Tensor, t: float) -> Tensor:
    """N(0.5, 0.4), by elementwise arithmetic alone, so that a row never depends on others."""
    a = math.exp(-t)
    return (0.5 * a - x) / (1 - 0.6 * a**2)


def log_prob(x: Tensor, t: float) -> Tensor:
    a = math.exp(-t)
    return -0.5 * (x[:, 0] - 0.5 * a).square() / (1 - 0.6 * a**2)


CALIBRATION = rtk.calibrate(score, 1)


@st.composite
def runs(draw: Any) -> dict[str, Any]:
    """The method, its options and the grid of a run."""
    method = draw(st.sampled_from(rtk.methods()))
    if method in FITTED:
        return {"method": method, "calibration": CALIBRATION}
    known = OPTIONS.get(method, {})
    chosen = draw(st.lists(st.sampled_from([*known]), unique=True)) if known else []
    run = {"method": method, "log_prob": log_prob} | {name: draw(known[name]) for name in chosen}
    run |= draw(st.sampled_from([{}, {"denoise": False}]))
    return run | ({"segments": draw(GRIDS)} if draw(st.booleans()) else {})


def attempt(function: Callable[[Tensor, float], Tensor], n: int, **run: Any) -> rtk.Result | None:
    """The result of a run; None if the budget is refused, which no other error may pass for."""
    try:
        return rtk.sample(function, 1, n, **run)
    except ValueError as error:
        if f"nfe={run['nfe']} is below the minimum" not in str(error):
            raise
        return None


@settings(max_examples=250, deadline=None, derandomize=True)
@given(runs(), st.integers(1, 60))
@pytest.mark.filterwarnings("ignore::rtk.SamplingWarning")
def test_the_budget_is_kept_by_any_options(run: dict[str, Any], nfe: int) -> None:
    if run["method"] in FITTED:
        CALIBRATION.solver(nfe, score, run["method"])
    counted = CountingScore(score)
    result = attempt(counted, 5, nfe=nfe, **run)
    if result is None:
        assert counted.rows == 0
        return
    assert counted.rows == 5 * result.nfe
    assert 0 < result.nfe <= nfe
    assert sum(segment.nfe for segment in result.diagnostics.segments) == result.nfe


@settings(max_examples=150, deadline=None, derandomize=True)
@given(runs(), st.integers(0, 40), st.integers(1, 9), st.integers(1, 12), st.integers(1, 3))
@pytest.mark.filterwarnings("ignore::rtk.SamplingWarning")
def test_a_chain_is_the_same_in_any_company(
    run: dict[str, Any], first: int, n: int, chunk: int, workers: int
) -> None:
    """Bit for bit, whatever the number of chains, the first one, the chunk and the workers."""
    options: dict[str, Any] = {"nfe": 45, "seed": 3, "dtype": DOUBLE} | run
    many = attempt(score, 50, **options)
    if many is None:
        return
    few = rtk.sample(score, 1, n, first=first, chunk=chunk, workers=workers, **options)
    assert torch.equal(few.samples, many.samples[first : first + n])
