"""Energy networks: the score is the gradient of the log-density, and has a symmetric Jacobian."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from experiments.images import network, train
from experiments.images.network import Architecture, ScoreNetwork

MEAN, STD = -0.7, 0.6
TINY = Architecture(fine=8, coarse=16, embedding=16, groups=4, data_mean=MEAN, data_std=STD)
TIMES = [1e-3, 0.05, 0.7, 4.0]


def tiny(energy: bool) -> ScoreNetwork:
    """A network with random weights everywhere, in float64."""
    torch.manual_seed(0)
    model = ScoreNetwork(replace(TINY, energy=energy))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return model.double()


def images(n: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn((n, 1, 28, 28), generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("t", TIMES)
def test_score_is_the_gradient_of_the_log_density(t: float) -> None:
    model, x = tiny(energy=True), images(3).requires_grad_()
    (expected,) = torch.autograd.grad(model.log_prob(x, t).sum(), x)
    torch.testing.assert_close(model(x, t), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("t", TIMES)
def test_log_density_changes_as_the_score_says(t: float) -> None:
    """Against a central difference along a random direction."""
    model = tiny(energy=True)
    with torch.no_grad():
        x, v = images(2).split(1)
        h = 1e-5 * math.sqrt(-math.expm1(-2.0 * t))
        difference = (model.log_prob(x + h * v, t) - model.log_prob(x - h * v, t)) / (2.0 * h)
        torch.testing.assert_close((model(x, t) * v).sum()[None], difference, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("t", TIMES)
def test_fresh_energy_network_has_the_density_of_a_gaussian(t: float) -> None:
    model = ScoreNetwork(replace(TINY, energy=True)).double()
    x, a = images(3), math.exp(-t)
    variance = a**2 * STD**2 - math.expm1(-2.0 * t)
    expected = -0.5 * (x - a * MEAN).square().sum((1, 2, 3)) / variance
    score, log_prob = model.score_and_log_prob(x, t)
    torch.testing.assert_close(log_prob, expected, rtol=1e-10, atol=1e-8)
    torch.testing.assert_close(score, -(x - a * MEAN) / variance, rtol=1e-10, atol=1e-8)


def skew(model: ScoreNetwork) -> float:
    """``|J - J^T| / |J|`` of the score at one image, over its middle 6x6 pixels."""
    x = images(1)
    window = (..., slice(11, 17), slice(11, 17))

    def score(part: Tensor) -> Tensor:
        whole = x.clone()
        whole[window] = part
        return model(whole, 0.3)[window].flatten()

    jacobian = torch.autograd.functional.jacobian(score, x[window]).reshape(36, 36)
    return float((jacobian - jacobian.T).norm() / jacobian.norm())


def test_jacobian_is_symmetric_for_an_energy_network_alone() -> None:
    assert skew(tiny(energy=True)) < 1e-12
    assert skew(tiny(energy=False)) > 1e-3


def test_one_pass_gives_both() -> None:
    model, x, calls = tiny(energy=True), images(2), []
    model.unet.register_forward_hook(lambda *arguments: calls.append(1))
    with torch.no_grad():
        score, log_prob = model.score_and_log_prob(x, 0.4)
        assert len(calls) == 1
        torch.testing.assert_close(score, model(x, 0.4), rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(log_prob, model.log_prob(x, 0.4), rtol=1e-12, atol=1e-12)
    assert not score.requires_grad
    assert not log_prob.requires_grad
    assert log_prob.shape == (2,)


def test_frozen_network_leaves_no_graph() -> None:
    model = tiny(energy=True).requires_grad_(False)
    score, log_prob = model.score_and_log_prob(images(1), 0.4)
    assert not score.requires_grad
    assert not log_prob.requires_grad


def test_single_precision_keeps_energy_differences() -> None:
    """At the clean end, where energies are largest, to a hundredth of a unit."""
    model = tiny(energy=True)
    near, far = images(2).mul(0.1).split(1)
    exact = model.log_prob(far, 1e-3) - model.log_prob(near, 1e-3)
    model.float()
    single = model.log_prob(far.float(), 1e-3) - model.log_prob(near.float(), 1e-3)
    assert (single - exact).abs().item() < 1e-2


def test_training_follows_the_loss_of_the_gradient() -> None:
    """The derivative of the loss by a weight, twice through the network, by differences."""
    model, clean, noise = tiny(energy=True), images(2), images(4)[2:]
    sigma = torch.tensor([0.3, 1.5], dtype=torch.float64)
    weight = model.unet.middle_in.conv_in.weight

    def loss() -> Tensor:
        return train.denoising_losses(model, clean, sigma, noise).mean()

    (gradient,) = torch.autograd.grad(loss(), weight)
    step = 1e-6 * torch.ones_like(weight)
    with torch.no_grad():
        weight += step
        above = loss()
        weight -= 2.0 * step
        below = loss()
    torch.testing.assert_close(gradient.sum(), (above - below) / 2e-6, rtol=1e-5, atol=1e-6)


def test_kind_survives_the_file(tmp_path: Path) -> None:
    for energy in (False, True):
        network.save(tiny(energy).float(), tmp_path / "score.safetensors")
        assert network.load(tmp_path / "score.safetensors").energy == energy


def test_a_score_network_has_no_density() -> None:
    with pytest.raises(ValueError, match="expected an energy network"):
        tiny(energy=False).log_prob(images(1), 0.5)
