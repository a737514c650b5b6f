"""Closed forms for long chains against the laws that are read off the samplers."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import rtk
from rtk import segments
from rtk.laws import closed_form as gaussian_steps
from rtk.laws.affine import sample_law
from rtk.laws.closed_form import Steps, law, repeated, starts, then
from rtk.laws.gaussian import Gaussian
from rtk.mcmc.uld import uld
from rtk.noise import Noise
from rtk.sampler import make_sampler
from rtk.samplers.base import Info, OneScorePerSegment, Problem, State
from rtk.samplers.ddim import DDIM
from rtk.samplers.dpm_solver import DPMSolverPP2M
from tests.oracles import DOUBLE

TARGET = Gaussian([1.0, -0.3, 0.5], [0.25, 0.6, 1.5])
MIXTURE = rtk.GaussianMixture(
    torch.ones(1), torch.tensor(TARGET.mean).unsqueeze(0), torch.tensor(TARGET.variance[np.newaxis])
)
TIMES = segments.power(8, 3.0, 0.0, 2.0)
STARTS = {"gaussian": gaussian_steps.gaussian_start, "ddpm": gaussian_steps.ddpm}


def samplers_law(method: str, **options: Any) -> Gaussian:
    found, _ = sample_law(MIXTURE.score, 3, make_sampler(method, options), 60, segments=TIMES)
    return found


def check_same(actual: Gaussian, expected: Gaussian) -> None:
    np.testing.assert_allclose(actual.mean, expected.mean, rtol=1e-11)
    np.testing.assert_allclose(actual.variance, expected.variance, rtol=1e-11)


@pytest.mark.parametrize("chunk", [2048, 3])
@pytest.mark.parametrize("method", gaussian_steps.PLAIN_STEPS)
def test_steps_are_those_of_the_samplers(
    method: str, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaussian_steps, "CHUNK", chunk)
    check_same(law(gaussian_steps.PLAIN_STEPS[method], TARGET, TIMES), samplers_law(method))


@pytest.mark.parametrize("method", gaussian_steps.RTK_STEPS)
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("step_size", [0.01, 0.6])
@pytest.mark.parametrize("count", [1, 6])
def test_inner_chains_are_those_of_the_samplers(
    method: str, start: str, step_size: float, count: int
) -> None:
    options = {"warm_start": start, "step_size": step_size, "data_variance": 0.25}
    expected = samplers_law(method, inner_steps=count, **options)
    step = partial(
        gaussian_steps.RTK_STEPS[method], step_size=step_size, steps=count, start=STARTS[start]
    )
    check_same(law(step, TARGET, TIMES), expected)


@pytest.mark.parametrize("step", gaussian_steps.RTK_STEPS.values())
def test_a_number_of_steps_for_each_segment(step: Callable[..., Steps]) -> None:
    counts = [5, 1, 8, 2, 2, 9, 4, 3]
    together = step(TARGET, TIMES, 0.3, counts)
    for k, count in enumerate(counts):
        alone = step(TARGET, TIMES[k : k + 2], 0.3, count)
        for part, row in zip(together, alone, strict=True):
            np.testing.assert_allclose(part[k], row[0], rtol=1e-12)


@pytest.mark.parametrize("step", gaussian_steps.RTK_STEPS.values())
def test_very_many_steps_forget_the_start(step: Callable[..., Steps]) -> None:
    """As 1000 steps do, and with the exact kernel's mean."""
    many = step(TARGET, TIMES, 0.3, 1000)
    found = step(TARGET, TIMES, 0.3, 2**40, start=gaussian_steps.ddpm)
    np.testing.assert_allclose(found.variance, many.variance, rtol=1e-10)
    np.testing.assert_allclose(
        found.slope, gaussian_steps.exact_kernel(TARGET, TIMES).slope, rtol=1e-12
    )


# The last segment of the second grid is so long that the solver takes a first-order step.
@pytest.mark.parametrize("times", [segments.log_snr(7, 4.0, 0.01), segments.uniform(7, 4.0, 1e-4)])
def test_multistep_solver(times: segments.Times) -> None:
    expected, _ = sample_law(MIXTURE.score, 3, DPMSolverPP2M(), 8, segments=times)
    check_same(gaussian_steps.dpm_solver(TARGET, times), expected)


@dataclass(frozen=True)
class Corrected(OneScorePerSegment):
    """DPUM put together from the sampler DDIM and the integrator of ULD."""

    steps: int

    def __call__(
        self, problem: Problem, state: State, t_lo: float, nfe: int, noise: Noise
    ) -> tuple[State, Info]:
        for t in np.linspace(state.t, t_lo, self.steps + 1)[1:].tolist():
            state, _ = DDIM()(problem, state, t, 1, noise)
        # The largest precision of the marginal; the marginal itself stands for a kernel.
        root = math.sqrt(1.0 / (math.exp(-2.0 * t_lo) * (TARGET.variance.min() - 1.0) + 1.0))
        marginal: Any = SimpleNamespace(grad=lambda z: -problem.score(z, t_lo))
        friction = gaussian_steps.FRICTION * root
        z = uld(marginal, state.x, self.steps, 1.0 / (self.steps * root), friction, noise)
        return State(z, t_lo), Info()


@pytest.mark.parametrize("steps", [1, 3])
def test_flow_with_corrector(steps: int) -> None:
    """The closed form is the law of the algorithm, read off its code, with as many scores."""
    expected, nfe = sample_law(MIXTURE.score, 3, Corrected(steps), 200, segments=TIMES)
    assert nfe == 2 * steps * (len(TIMES) - 1)
    check_same(law(partial(gaussian_steps.dpum, steps=steps), TARGET, TIMES), expected)


def test_flow_with_corrector_converges_at_first_order() -> None:
    """Twice the steps halve the error at the time 1/2, to 5 %.

    The start at t = 12 costs 1e-10. Down to time 0 there would be a logarithm.
    """
    times = segments.uniform(23, 12.0, 0.5)
    exact = math.exp(-1.0) * (TARGET.variance - 1.0) + 1.0
    made = [
        law(partial(gaussian_steps.dpum, steps=steps), TARGET, times).variance
        for steps in (200, 400)
    ]
    np.testing.assert_allclose((made[0] - exact) / (made[1] - exact), 2.0, rtol=0.05)


def test_exact_kernel() -> None:
    x = np.array([0.4, -1.0, 2.0])
    kernel = MIXTURE.reverse_transition(torch.tensor(x, dtype=DOUBLE).unsqueeze(0), 0.9, 0.2)
    actual = then(gaussian_steps.exact_kernel(TARGET, (0.9, 0.2)), x)
    np.testing.assert_allclose(actual.mean, kernel.mean()[0].numpy(), rtol=1e-12)
    np.testing.assert_allclose(actual.variance, kernel.variances.numpy().ravel(), rtol=1e-12)


@pytest.mark.parametrize("step", gaussian_steps.RTK_STEPS.values())
def test_small_steps_and_long_chains_sample_the_kernel(step: Callable[..., Steps]) -> None:
    """To the order of the step, also where the step is far below rounding of 1 + step."""
    exact = gaussian_steps.exact_kernel(TARGET, TIMES)
    for step_size in (1e-3, 1e-6):
        found = step(TARGET, TIMES, step_size, round(150 / step_size))
        for part, truth in zip(found, exact, strict=True):
            np.testing.assert_allclose(part, truth, rtol=3 * step_size)


def test_starts() -> None:
    """Row k is the law over the times from k on."""
    means, variances = starts(gaussian_steps.ddpm(TARGET, TIMES))
    for k in (0, 3, 7):
        expected = law(gaussian_steps.ddpm, TARGET, TIMES[k:])
        np.testing.assert_allclose(means[k], expected.mean, rtol=1e-12)
        np.testing.assert_allclose(variances[k], expected.variance, rtol=1e-12)


def test_repeated() -> None:
    """Different numbers of times at once."""
    excess, noise = np.array([[-0.1, 0.3], [-0.2, -0.4]]), np.array([[0.2, 0.1], [0.1, 0.5]])
    counts = np.array([0, 1, 6, 13])
    found_excess, found_noise = repeated(excess[..., None], noise[..., None], counts)
    matrix, covariance = np.eye(2) + excess, np.zeros((2, 2))
    for step in range(14):
        for k in np.flatnonzero(counts == step):
            power = np.linalg.matrix_power(matrix, step)
            np.testing.assert_allclose(np.eye(2) + found_excess[..., k], power, atol=1e-14)
            np.testing.assert_allclose(found_noise[..., k], covariance, rtol=1e-12)
        covariance = matrix @ covariance @ matrix.T + noise


def test_refuses_steps_that_diverge() -> None:
    with pytest.raises(ValueError, match="diverge"):
        gaussian_steps.rtk_ula(TARGET, TIMES, 2.0, 10)
