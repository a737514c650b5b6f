"""The score network: preconditioning, shapes, dtypes, checkpoints; and the shipped ones."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from experiments.images import network
from experiments.images.network import Architecture, ScoreNetwork

CHECKPOINT = Path(network.__file__).parent / "checkpoint"
MEAN, STD = -0.7, 0.6
TINY = Architecture(fine=8, coarse=16, embedding=16, groups=4, data_mean=MEAN, data_std=STD)
COLOUR = replace(TINY, channels=3, side=16)


def tiny(seed: int = 0, architecture: Architecture = TINY) -> ScoreNetwork:
    """A tiny network with random weights everywhere, the zero-initialised layers included."""
    torch.manual_seed(seed)
    model = ScoreNetwork(architecture)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return model


def images(
    n: int = 3, dtype: torch.dtype = torch.float32, architecture: Architecture = TINY
) -> Tensor:
    shape = (n, architecture.channels, architecture.side, architecture.side)
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=dtype)


@pytest.mark.parametrize("architecture", [TINY, COLOUR])
@pytest.mark.parametrize("t", [1e-4, 0.03, 0.7, 5.0])
def test_fresh_network_is_the_score_of_a_gaussian(t: float, architecture: Architecture) -> None:
    # The last convolution starts at zero, F = 0: the exact score of N(mean, std^2 I) at time t.
    x = images(dtype=torch.float64, architecture=architecture)
    a, s2 = math.exp(-t), 1.0 - math.exp(-2.0 * t)
    expected = -(x - a * MEAN) / (a**2 * STD**2 + s2)
    torch.testing.assert_close(ScoreNetwork(architecture)(x, t), expected, rtol=1e-9, atol=1e-9)


def test_score_is_tweedies_formula_of_the_denoiser() -> None:
    model, x, t = tiny(), images(), 0.4
    a, s2 = math.exp(-t), 1.0 - math.exp(-2.0 * t)
    denoised = model.denoise(x / a, torch.tensor([math.sqrt(s2) / a]))
    torch.testing.assert_close((x + s2 * model(x, t)) / a, denoised, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("sigma", [0.02, 0.6, 50.0])
def test_preconditioning_keeps_input_and_target_at_unit_variance(sigma: float) -> None:
    # Karras et al. 2022, appendix B.6: what F sees and what it must give have variance one at
    # every level, for data of the stated mean and variance.
    generator = torch.Generator().manual_seed(2)
    clean = MEAN + STD * torch.randn((400, 1, 28, 28), generator=generator, dtype=torch.float64)
    noise = torch.randn(clean.shape, generator=generator, dtype=torch.float64)
    seen: list[Tensor] = []

    def one(x: Tensor, level: Tensor) -> Tensor:
        seen.append(x)
        assert level.tolist() == pytest.approx([math.log(sigma) / 4.0])
        return torch.ones_like(x)

    def zero(x: Tensor, level: Tensor) -> Tensor:
        return torch.zeros_like(x)

    model, y = ScoreNetwork(TINY), clean + sigma * noise
    level = torch.tensor([sigma], dtype=torch.float64)
    model.unet.forward = zero  # type: ignore[method-assign]
    offset = model.denoise(y, level)
    model.unet.forward = one  # type: ignore[method-assign]
    slope = model.denoise(y, level) - offset
    # 313 600 independent values: the standard error of a variance of 1 is 0.0025, 5 sigma.
    assert seen[0].double().var().item() == pytest.approx(1.0, abs=0.0126)
    assert ((clean - offset) / slope).var().item() == pytest.approx(1.0, abs=0.0126)


def test_time_may_be_a_float_or_a_tensor() -> None:
    model, x = tiny(), images()
    expected = model(x, 0.5)
    torch.testing.assert_close(model(x, torch.tensor(0.5)), expected, rtol=0, atol=0)
    assert expected.shape == x.shape
    assert expected.dtype == x.dtype


def test_double_images_give_double_scores() -> None:
    score = tiny()(images().double(), 0.5)
    assert score.dtype == torch.float64
    torch.testing.assert_close(score.float(), tiny()(images(), 0.5), rtol=1e-3, atol=1e-3)


def test_images_do_not_mix() -> None:
    model, x = tiny(), images(4)
    torch.testing.assert_close(model(x, 0.3)[2:], model(x[2:], 0.3), rtol=1e-4, atol=1e-5)


def test_one_level_for_all_equals_a_level_each() -> None:
    model, y = tiny(), images()
    single, each = torch.tensor([0.8]), torch.full((3,), 0.8)
    torch.testing.assert_close(
        model.denoise(y, single), model.denoise(y, each), rtol=1e-5, atol=1e-5
    )


def test_noise_level_matters() -> None:
    model, y = tiny(), images()
    out = [model.unet(y, torch.tensor([level])) for level in (-1.0, -0.9)]
    assert not torch.allclose(out[0], out[1], atol=1e-4)


def test_jacobian_vector_product_is_available() -> None:
    model, x = tiny().double(), images(1, torch.float64)
    model.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    v = images(2, torch.float64)[1:]
    product = torch.func.jvp(lambda z: model(z, 0.5), (x,), (v,))[1]
    h = 1e-6
    difference = (model(x + h * v, 0.5) - model(x - h * v, 0.5)) / (2 * h)
    torch.testing.assert_close(product, difference, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("t", [0.0, -0.1, math.nan, math.inf])
def test_time_must_be_positive(t: float) -> None:
    with pytest.raises(ValueError, match="t > 0"):
        tiny()(images(), t)


@pytest.mark.parametrize("shape", [(784,), (2, 784), (2, 3, 28, 28), (2, 1, 32, 32)])
def test_shape_must_be_that_of_images(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(n, 1, 28, 28\)"):
        tiny()(torch.zeros(shape), 0.5)


@pytest.mark.parametrize("shape", [(768,), (2, 768), (2, 1, 16, 16), (2, 3, 28, 28)])
def test_shape_must_be_that_of_the_architecture(shape: tuple[int, ...]) -> None:
    assert COLOUR.image_shape == (3, 16, 16)
    with pytest.raises(ValueError, match=r"\(n, 3, 16, 16\) expected"):
        tiny(architecture=COLOUR)(torch.zeros(shape), 0.5)


def test_every_colour_is_seen_and_given() -> None:
    """A change of one colour changes the denoised images in all of them, each in its own way."""
    model, y = tiny(architecture=COLOUR), images(architecture=COLOUR)
    red, green, blue = model.unet(y, torch.tensor([0.1])).unbind(1)
    assert red.shape == (3, 16, 16)
    for one, other in ((red, green), (green, blue), (blue, red)):
        assert (one - other).abs().amin(dim=0).max() > 1e-3
    sigma = torch.tensor([0.5])
    before = model.denoise(y, sigma)
    assert before.shape == y.shape
    for colour in range(3):
        changed = y.clone()
        changed[:, colour] += 0.5
        difference = (model.denoise(changed, sigma) - before).abs().amax(dim=(0, 2, 3))
        assert (difference > 1e-3).all(), colour


@pytest.mark.parametrize("architecture", [TINY, COLOUR])
def test_checkpoint_round_trip(tmp_path: Path, architecture: Architecture) -> None:
    model, x = tiny(architecture=architecture), images(architecture=architecture)
    network.save(model, tmp_path / "score.safetensors", {"steps": 3})
    loaded = network.load(tmp_path / "score.safetensors")
    assert loaded.architecture == architecture
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    torch.testing.assert_close(loaded(x, 0.2), model(x, 0.2), rtol=0, atol=0)


def test_other_safetensors_are_refused(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="no score network"):
        network.load(tmp_path / "other.safetensors")


@pytest.mark.parametrize("name", ["mnist", "mnist_medium", "mnist_small", "fashion_mnist"])
def test_shipped_network_denoises_a_stroke(name: str) -> None:
    # A vertical bar, the simplest "1", noised to where a pixel alone says little: the network must
    # come far closer than the best linear denoiser, which is F = 0.
    path = CHECKPOINT / name / "score.safetensors"
    model = network.load(path)
    assert path.stat().st_size < 10e6
    bar = torch.full((1, 1, 28, 28), -1.0)
    bar[..., 5:23, 12:15] = 1.0
    sigma = torch.tensor([0.5])
    noise = torch.randn((16, 1, 28, 28), generator=torch.Generator().manual_seed(0))
    y = bar + sigma * noise
    error = (model.denoise(y, sigma) - bar).square().mean().item()
    linear = ScoreNetwork(model.architecture).denoise(y, sigma)
    assert error < 0.3 * (linear - bar).square().mean().item()
