"""First-order rejection sampling against exact kernels of mixtures, and its expected cost."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from rtk import ReverseTransition
from rtk.mcmc.fors import Accepted, _poisson_cdf, estimate, fors
from rtk.noise import ChainNoise
from tests.oracles import (
    DOUBLE,
    Array,
    CountingScore,
    LineKernel,
    assert_average,
    assert_law,
    assert_moments,
    cdf_on_grid,
    normalised,
    skewed,
)
from tests.rtk.mcmc.two_wells import MEANS, VARIANCES, WEIGHTS, mixture

# Short against the curvature: L h is 0.11 here.
X, T_HI, T_LO = 0.5, 0.34, 0.3
BOUND = 2.5
CHAINS = 50_000


def kernel(n: int, t_hi: float = T_HI, x: float = X) -> ReverseTransition:
    return ReverseTransition(mixture().score, torch.full((n, 1), x, dtype=DOUBLE), t_hi, T_LO)


def line(t_hi: float = T_HI, x: float = X) -> LineKernel:
    around = np.linspace(x - 2.5, x + 2.5, 20_001)
    return LineKernel(WEIGHTS, MEANS, VARIANCES, x, t_hi, T_LO, around)


def noise(seed: int, n: int = CHAINS) -> ChainNoise:
    return ChainNoise(seed, n, (1,), dtype=DOUBLE)


def proposal(prox_steps: int) -> tuple[float, float]:
    """Mean and variance of the proposal q, in NumPy."""
    h, centre = math.expm1(2 * (T_HI - T_LO)), math.exp(T_HI - T_LO) * X

    def slope(z: float) -> float:
        """f' is g' without the tilt."""
        return float(line().gradient(np.array(z))) - (z - centre) / h

    z = centre
    for _ in range(prox_steps + 1):
        z = centre - h * slope(z)
    return z, h


def kl_of_proposal(prox_steps: int) -> float:
    """KL(q | kernel) on a grid."""
    exact = line()
    mean, variance = proposal(prox_steps)
    q = normalised(np.exp(-((exact.grid - mean) ** 2) / (2 * variance)), exact.grid)
    log_ratio = np.log(np.maximum(q, 1e-300)) - np.log(np.maximum(exact.density(), 1e-300))
    return float((q * log_ratio).sum() * (exact.grid[1] - exact.grid[0]))


def test_mean_of_an_estimate() -> None:
    """It is ``E r(m + zeta) - r(z)``, by quadrature over the place on the path and the noise.

    The kernel's segment is long here, so r is far from quadratic.
    """
    t_hi = 0.6
    exact, h, m, p = line(t_hi), math.expm1(2 * (t_hi - T_LO)), 0.4, 0.9

    def f(z: Array) -> Array:
        tilt = (X - math.exp(T_LO - t_hi) * z) ** 2 / (2 * -math.expm1(2 * (T_LO - t_hi)))
        return np.asarray(exact.potential(z) - tilt)

    score = float(mixture().score(torch.tensor([[p]], dtype=DOUBLE), T_LO))

    def r(z: Array) -> Array:
        return np.asarray(f(z) + score * z)

    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights /= weights.sum()
    places, lengths = np.polynomial.legendre.leggauss(40)
    s, zeta = np.meshgrid((places + 1) / 2, math.sqrt(h) * nodes, indexing="ij")
    n = s.size
    for z in (-2.0, -0.5, 0.3, 1.7):
        start, centre, slope = (torch.full((n, 1), c, dtype=DOUBLE) for c in (z, m, score))
        turn, place = torch.from_numpy(zeta.reshape(n, 1)), torch.from_numpy(s.ravel())
        w = estimate(kernel(n, t_hi), start, centre, slope, turn, place)
        mean = lengths / 2 @ w.numpy().reshape(s.shape) @ weights
        expected = weights @ r(m + math.sqrt(h) * nodes) - r(np.array(z))
        assert mean == pytest.approx(float(expected), abs=1e-5)
        assert abs(float(expected)) > 0.01


@pytest.mark.parametrize(("prox_steps", "seed"), [(0, 1), (1, 2), (3, 3)])
def test_law(prox_steps: int, seed: int) -> None:
    """n = 50 000 with no clipping; the proposals alone fail the same test."""
    exact = line()
    drawn = fors(kernel(CHAINS), noise(seed), BOUND, prox_steps)
    assert int(drawn.clipped.sum()) == 0
    assert_law(drawn.z, cdf_on_grid(exact.density(), exact.grid))
    mean, variance = proposal(prox_steps)
    with pytest.raises(AssertionError, match="p = "):
        assert_law(
            mean + math.sqrt(variance) * noise(seed).normal(),
            cdf_on_grid(exact.density(), exact.grid),
        )


@pytest.mark.parametrize("prox_steps", [0, 1])
def test_number_of_tries(prox_steps: int) -> None:
    """Its mean is ``exp(B - KL(q | kernel))``, as E W given z is the centred log of kernel / q.

    n = 50 000; the standard error is 0.5 %.
    """
    drawn = fors(kernel(CHAINS), noise(4), BOUND, prox_steps)
    assert_average(drawn.tries, math.exp(BOUND - kl_of_proposal(prox_steps)))
    # A test passes about every second time, so a try makes fewer than two on average.
    made = float((drawn.scores - prox_steps - 1).double().mean())
    assert made < 2.0 * float(drawn.tries.double().mean())


def test_in_the_plane() -> None:
    """n = 50 000: mean and covariance of an exact kernel of three modes."""
    target = skewed()
    x = torch.tensor([[-0.2, 0.6]], dtype=DOUBLE).expand(CHAINS, 2)
    exact = target.reverse_transition(x[:1], 0.33, 0.3)
    chains = ChainNoise(5, CHAINS, (2,), dtype=DOUBLE)
    drawn = fors(ReverseTransition(target.score, x, 0.33, 0.3), chains, BOUND)
    assert int(drawn.clipped.sum()) == 0
    mean, weights, means = exact.mean()[0].numpy(), exact.weights[0], exact.means[0]
    second = torch.einsum("m,md,me->de", weights, means, means)
    spread = float(weights @ exact.variances[:, 0])
    covariance = second.numpy() + spread * np.eye(2) - np.outer(mean, mean)
    assert_moments(drawn.z, mean, covariance)
    # The proposal is too narrow or too wide by more than that.
    h = math.expm1(0.06)
    assert abs(covariance / h - np.eye(2)).max() > 0.05


def test_clipping_is_reported() -> None:
    """On a long segment with a small bound the law is wrong, and the counts say so."""
    exact = line(0.6)
    drawn = fors(kernel(CHAINS, 0.6), noise(6), 0.3)
    assert float((drawn.clipped > 0).double().mean()) > 0.2
    assert bool((drawn.clipped <= drawn.scores).all())
    with pytest.raises(AssertionError, match="p = "):
        assert_law(drawn.z, cdf_on_grid(exact.density(), exact.grid))


def tensors(drawn: Accepted, rows: slice = slice(None)) -> list[Tensor]:
    return [drawn.z[rows], drawn.scores[rows], drawn.tries[rows], drawn.clipped[rows]]


def test_chains_do_not_depend_on_their_batch() -> None:
    """Parts of a run equal the whole, although chains make different numbers of tries."""
    whole = fors(kernel(40), noise(7, 40), BOUND)
    assert len(whole.tries.unique()) > 5
    for first, n in ((0, 1), (3, 7), (39, 1)):
        part = fors(kernel(n), ChainNoise(7, n, (1,), first, dtype=DOUBLE), BOUND)
        for ours, theirs in zip(
            tensors(part), tensors(whole, slice(first, first + n)), strict=True
        ):
            torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_scores_are_counted_for_each_chain() -> None:
    score = CountingScore(mixture().score)
    x = torch.full((300, 1), X)
    drawn = fors(ReverseTransition(score, x, T_HI, T_LO), ChainNoise(8, 300, (1,)), 1.0, 2)
    assert int(drawn.scores.sum()) == score.rows
    assert int(drawn.scores.min()) == 3
    assert set(score.times) == {T_LO}
    assert drawn.z.dtype == torch.float32


@pytest.mark.parametrize("dtype", [DOUBLE, torch.float32])
@pytest.mark.parametrize("mean", [0.1, 2.0, 9.0])
def test_poisson_counts(mean: float, dtype: torch.dtype) -> None:
    cumulative = _poisson_cdf(mean, torch.empty(0, dtype=dtype))
    uniform = torch.rand(1000, generator=torch.Generator().manual_seed(0), dtype=dtype)
    counts = torch.searchsorted(cumulative, uniform, right=True)
    expected: Array = stats.poisson.ppf(uniform.double().numpy(), mean)
    np.testing.assert_array_equal(counts.numpy(), expected)
    # The last entry is 1, so the largest uniform number has a count too.
    assert float(cumulative[-1]) == pytest.approx(1.0, abs=1e-15)


@pytest.mark.parametrize("hole", [math.nan, math.inf])
def test_non_finite_scores_are_refused(hole: float) -> None:
    def torn(x: Tensor, t: float) -> Tensor:
        return torch.where(x > X + 0.3, hole, mixture().score(x, t))

    x = torch.full((500, 1), X, dtype=DOUBLE)
    with pytest.raises(FloatingPointError, match=r"the score at t = 0\.3 is not finite"):
        fors(ReverseTransition(torn, x, T_HI, T_LO), noise(9, 500), BOUND)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bound": 0.0}, "bound must be positive"),
        ({"prox_steps": -1}, "prox_steps must be at least 0"),
    ],
)
def test_refusals(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fors(kernel(2), noise(0, 2), **options)  # type: ignore[arg-type]
