"""Networks of mixtures: energies and scores belong together, and training learns a Gaussian."""

import math

import pytest
import torch

from experiments.energy_networks.perceptron import Perceptron, fitted
from experiments.images.train import Training

DIMENSION = 3


def states() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn((5, DIMENSION), generator=generator, dtype=torch.float64)


def random(energy: bool) -> Perceptron:
    torch.manual_seed(1)
    model = Perceptron(DIMENSION, 0.2, 0.9, energy, width=16, layers=2)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model.double()


def test_jacobian_is_symmetric_for_an_energy_network_alone() -> None:
    for energy in (True, False):
        model = random(energy)
        jacobian = torch.autograd.functional.jacobian(
            lambda x, model=model: model(x[None], 0.4)[0], states()[0]
        )
        skew = float((jacobian - jacobian.T).norm() / jacobian.norm())
        assert (skew < 1e-12) == energy


def test_score_is_the_gradient_of_the_log_density() -> None:
    model, x = random(energy=True), states().requires_grad_()
    (expected,) = torch.autograd.grad(model.log_prob(x, 0.4).sum(), x)
    torch.testing.assert_close(model(x, 0.4), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("energy", [False, True])
def test_training_finds_the_score_of_a_gaussian(energy: bool) -> None:
    """Of N(0, diag(1, 0.04)), which the network does not know before; its error falls by half."""
    deviations = torch.tensor([1.0, 0.2])
    draws = torch.randn((4000, 2), generator=torch.Generator().manual_seed(2)) * deviations
    training = Training(
        steps=150, decay_steps=75, warm_up_steps=10, batch=128, learning_rate=4e-3, ema=0.9
    )
    t = 0.1
    a, s2 = math.exp(-t), -math.expm1(-2.0 * t)
    x = (a * deviations.square() * a + s2).sqrt() * torch.randn(
        (1000, 2), generator=torch.Generator().manual_seed(3)
    )
    exact = -x / (a**2 * deviations.square() + s2)
    before = Perceptron(2, draws.mean().item(), draws.std().item(), energy)
    after = fitted(draws, energy, training)
    errors = []
    for model in (before, after):
        with torch.no_grad():
            errors.append(float((model(x, t) - exact).square().mean()))
    assert errors[1] < 0.5 * errors[0]
    assert not any(parameter.requires_grad for parameter in after.parameters())
