import math

import numpy as np
import pytest
import torch
from torch import Tensor

from rtk import ReverseTransition, process
from rtk.noise import ChainNoise
from rtk.warm_start import WARM_STARTS
from tests.oracles import DOUBLE, FORMS, ScriptedNoise, assert_moments, skewed, spatial

T_HI, T_LO, LIPSCHITZ = 1.1, 0.3, 2.5


def kernel_at(x: list[float], n: int) -> ReverseTransition:
    rows = torch.tensor([x], dtype=DOUBLE).expand(n, -1)
    return ReverseTransition(skewed().score, rows, T_HI, T_LO)


def test_at_x_is_x() -> None:
    kernel = kernel_at([0.4, -1.0], 3)
    start = WARM_STARTS["x"]
    assert not start.needs_score
    noise = ChainNoise(0, 3, (2,), dtype=DOUBLE)
    assert torch.equal(start.draw(kernel, None, noise, LIPSCHITZ), kernel.x)


def test_gaussian_is_the_papers_density() -> None:
    # n = 100 000 draws; mean and precision from the derivatives of the exponent.
    n = 100_000
    kernel = kernel_at([0.4, -1.0], n)
    start = WARM_STARTS["gaussian"]
    assert not start.needs_score
    z = start.draw(kernel, None, ChainNoise(1, n, (2,), dtype=DOUBLE), LIPSCHITZ)

    e = math.exp(-(T_HI - T_LO))
    x = kernel.x[0]

    def exponent(z: torch.Tensor) -> torch.Tensor:
        return LIPSCHITZ * z @ z + (x - e * z) @ (x - e * z) / (2 * (1 - e**2))

    origin = torch.zeros(2, dtype=DOUBLE)
    hessian = torch.autograd.functional.hessian(exponent, origin).numpy()
    gradient = torch.autograd.functional.jacobian(exponent, origin).numpy()
    assert_moments(z, -np.linalg.solve(hessian, gradient), np.linalg.inv(hessian))


@pytest.mark.parametrize("form", FORMS)
def test_ddpm_has_the_kernels_mean(form: str) -> None:
    """E[x_lo | x_0, x] is linear in x_0, so Tweedie's estimate gives E[x_lo | x] exactly."""
    mixture = spatial(form)
    x = mixture.sample(20, T_HI, torch.Generator().manual_seed(0)).double()
    kernel = ReverseTransition(mixture.score, x, T_HI, T_LO)

    start = WARM_STARTS["ddpm"]
    assert start.needs_score
    z = start.draw(kernel, mixture.score(x, T_HI), ScriptedNoise(torch.zeros_like(x)), LIPSCHITZ)
    torch.testing.assert_close(z, mixture.reverse_transition(x, T_HI, T_LO).mean())


def test_ddpm_has_the_posterior_variance() -> None:
    # n = 100 000 draws from one x.
    n = 100_000
    kernel = kernel_at([0.4, -1.0], n)
    score = skewed().score(kernel.x, T_HI)
    noise = ChainNoise(2, n, (2,), dtype=DOUBLE)
    z = WARM_STARTS["ddpm"].draw(kernel, score, noise, LIPSCHITZ)
    e = math.exp(-(T_HI - T_LO))
    lo, hi = 1 - math.exp(-2 * T_LO), 1 - math.exp(-2 * T_HI)
    mean = skewed().reverse_transition(kernel.x[:1], T_HI, T_LO).mean()[0].numpy()
    assert_moments(z, mean, lo * (1 - e**2) / hi * np.eye(2))
    assert process.posterior(kernel.x, kernel.x, T_HI, T_LO)[1] == pytest.approx(
        lo * (1 - e**2) / hi
    )


def test_ddpm_needs_the_score() -> None:
    with pytest.raises(ValueError, match="needs the score"):
        WARM_STARTS["ddpm"].draw(kernel_at([0.0, 0.0], 1), None, ChainNoise(0, 1, (2,)), LIPSCHITZ)


@pytest.mark.parametrize("name", WARM_STARTS)
def test_the_noise_is_added(name: str) -> None:
    """The start is affine in the noise; moments cannot tell it from heavy tails about the mean."""
    kernel = kernel_at([0.4, -1.0], 1)
    score = skewed().score(kernel.x, T_HI)

    def start(scale: float) -> Tensor:
        noise = ScriptedNoise(scale * torch.tensor([[0.5, -3.0]], dtype=DOUBLE))
        return WARM_STARTS[name].draw(kernel, score, noise, LIPSCHITZ)

    torch.testing.assert_close(start(3.0) - start(2.0), start(2.0) - start(1.0))
