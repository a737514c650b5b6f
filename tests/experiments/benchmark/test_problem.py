"""The problem of the benchmark against the mixture of `rtk`, and the check of the samples' law."""

import numpy as np
import pytest
import torch

import rtk
from experiments.benchmark import problem as problems
from experiments.benchmark.ours import mixture, sampler
from experiments.benchmark.problem import Problem

SMALL = Problem(3, 4)


def states(n: int = 5) -> tuple[np.ndarray, np.ndarray]:
    x = SMALL.states(n)
    return x, x + np.random.default_rng(1).standard_normal(x.shape)


def test_the_density_is_that_of_the_exact_kernel() -> None:
    """Log-densities may differ by a constant of each chain, so differences are compared."""
    x, z = states()
    kernel = mixture(SMALL).reverse_transition(torch.from_numpy(x), problems.T_HI, problems.T_LO)
    expected = kernel.log_prob(torch.from_numpy(z)) - kernel.log_prob(torch.from_numpy(x))
    found = [
        SMALL.log_kernel(a, b, np) - SMALL.log_kernel(b, b, np) for a, b in zip(z, x, strict=True)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_the_density_keeps_the_precision_of_the_chains() -> None:
    x, z = (values[0].astype(np.float32) for values in states())
    assert SMALL.log_kernel(z, x, np).dtype == np.float32


def test_the_moments_are_those_of_the_exact_kernel() -> None:
    x, _ = states()
    kernel = mixture(SMALL).reverse_transition(torch.from_numpy(x), problems.T_HI, problems.T_LO)
    mean, variance = SMALL.moments(x)
    np.testing.assert_allclose(mean, kernel.mean(), rtol=1e-10)
    second = (kernel.weights.unsqueeze(2) * kernel.means.square()).sum(1) + kernel.variances[0]
    np.testing.assert_allclose(variance, second - kernel.mean().square(), rtol=1e-10)


@pytest.mark.parametrize("method", ["rtk-mala", "rtk-uld"])
def test_rivals_take_the_steps_of_our_samplers(method: str) -> None:
    """The step is what the sampler reports by default, and the friction is its default."""
    result = rtk.sample(
        mixture(SMALL).score,
        4,
        2,
        method,
        nfe=4,
        segments=[problems.T_HI, problems.T_LO],
        denoise=False,
        data_variance=problems.VARIANCE,
    )
    expected = SMALL.mala_step if method == "rtk-mala" else SMALL.uld_step
    assert result.diagnostics.segments[0].step_size == pytest.approx(expected)
    assert rtk.RTKULD().friction * SMALL.curvature**0.5 == pytest.approx(SMALL.friction)


def test_exact_samples_have_no_errors() -> None:
    """20 000 exact draws lie within 5 standard errors."""
    x = SMALL.states(20_000)
    kernel = mixture(SMALL).reverse_transition(torch.from_numpy(x), problems.T_HI, problems.T_LO)
    generator = torch.Generator().manual_seed(0)
    uniform = torch.rand(20_000, generator=generator, dtype=torch.float64)
    normal = torch.randn(20_000, 4, generator=generator, dtype=torch.float64)
    z = kernel.transform(uniform, normal).numpy()
    errors = SMALL.errors(z, x)
    for what in ("mean", "variance"):
        assert abs(errors[f"{what}_error"]) < 5.0 * errors[f"{what}_standard_error"]
    shifted, wider = SMALL.errors(z + 0.1, x), SMALL.errors(1.1 * z - 0.1 * SMALL.moments(x)[0], x)
    assert shifted["mean_error"] > 5.0 * shifted["mean_standard_error"]
    assert wider["variance_error"] == pytest.approx(0.21, abs=0.05)


@pytest.mark.parametrize("workers", [1, 2])
def test_our_adjusted_chains_sample_the_kernel(workers: int) -> None:
    """8000 chains of 60 steps lie within 5 standard errors, about 0.03 for the mean."""
    answer = sampler(SMALL, "rtk-mala", workers=workers)(8000, 60)()
    errors = SMALL.errors(answer["z"], SMALL.states(8000))
    for what in ("mean", "variance"):
        assert abs(errors[f"{what}_error"]) < 5.0 * errors[f"{what}_standard_error"]
    assert 0.5 < answer["acceptance"] < 1.0


def test_our_underdamped_chains_have_the_bias_of_their_step() -> None:
    """The mean is exact for a symmetric law; the variance is off by less than a fifth."""
    answer = sampler(SMALL, "rtk-uld")(8000, 60)()
    errors = SMALL.errors(answer["z"], SMALL.states(8000))
    assert abs(errors["mean_error"]) < 5.0 * errors["mean_standard_error"]
    assert abs(errors["variance_error"]) < 0.2
