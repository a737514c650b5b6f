import math

import numpy as np
import pytest
import torch
from torch import Tensor

from rtk import ReverseTransition
from rtk.mcmc.ula import ula
from rtk.noise import ChainNoise
from tests.oracles import DOUBLE, Law, assert_moments, gaussian

CHAINS = 100_000


def test_moments_of_a_whole_run() -> None:
    """On a Gaussian each step is affine: z <- mu + (1 - c tau)(z - mu) + sqrt(2 tau) xi."""
    curvature, mu, tau, start = 2.0, 0.8, 0.3, -1.5
    z = torch.full((CHAINS, 1), start, dtype=DOUBLE)
    law = Law(np.array([start]), np.zeros((1, 1)))
    shrink = 1 - curvature * tau
    for steps in (1, 2, 3):
        law = law.push([[shrink]], [(1 - shrink) * mu], 2 * tau)
        noise = ChainNoise(steps, CHAINS, (1,), dtype=DOUBLE)
        end = ula(lambda z: curvature * (z - mu), z, steps, tau, noise)
        assert_moments(end, law.mean, law.covariance)


@pytest.mark.parametrize("relative", [0.1, 0.5, 1.5])
def test_stationary_variance_is_biased_as_known(relative: float) -> None:
    """1 / (c (1 - c tau / 2)): more than the target's 1/c, and never less."""
    curvature = 3.0
    tau = relative / curvature
    variance = 1 / (curvature * (1 - relative / 2))
    noise = ChainNoise(4, CHAINS, (1,), dtype=DOUBLE)
    start = math.sqrt(variance) * noise.normal()
    end = ula(lambda z: curvature * z, start, 8, tau, noise)
    assert_moments(end, np.zeros(1), np.array([[variance]]))


def test_on_a_kernel() -> None:
    """The kernel of N(m, v) is Gaussian: precision 1/v_lo + 1/h, mean E[z | x]."""
    m, v, x, t_hi, t_lo, tau = 0.7, 0.3, -0.4, 1.0, 0.2, 0.05
    rows = torch.full((CHAINS, 1), x, dtype=DOUBLE)
    mixture = gaussian(m, v)
    kernel = ReverseTransition(mixture.score, rows, t_hi, t_lo)
    curvature = 1 / (math.exp(-2 * t_lo) * v + 1 - math.exp(-2 * t_lo)) + kernel.tilt_precision
    mean = mixture.reverse_transition(rows[:1], t_hi, t_lo).mean()[0].numpy()
    noise = ChainNoise(5, CHAINS, (1,), dtype=DOUBLE)
    end = ula(kernel.grad, rows, 60, tau, noise)
    assert_moments(end, mean, np.array([[1 / (curvature * (1 - curvature * tau / 2))]]))


def test_one_gradient_a_step() -> None:
    calls = []

    def gradient(z: Tensor) -> Tensor:
        calls.append(len(z))
        return z

    ula(gradient, torch.zeros(5, 2), 7, 0.1, ChainNoise(0, 5, (2,)))
    assert calls == [5] * 7
