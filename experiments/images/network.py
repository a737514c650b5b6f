"""The score network of images of 28x28 pixels: EDM preconditioning around a small U-Net.

In the OU clock ``x_t = a_t x_0 + s_t xi`` with ``a_t = exp(-t)``, ``s_t^2 = 1 - exp(-2t)``, the
rescaled state ``y = x_t / a_t = x_0 + sigma xi`` has noise level ``sigma = s_t / a_t``. The
denoiser is

    D(y; sigma) = m + c_skip (y - m) + c_out F(c_in (y - m); ln(sigma) / 4)
    c_in = 1 / sqrt(sigma^2 + v),  c_skip = v c_in^2,  c_out = sigma sqrt(v) c_in

where ``m`` and ``v`` are the mean and the variance of the training pixels (Karras et al. 2022,
Table 1, with data that are centred first). Thus ``F = 0`` is the exact denoiser of ``N(m, v I)``.
Tweedie's formula turns it into the score, ``s(x, t) = (a_t D(x / a_t; sigma) - x) / s_t^2``.

Source: Karras, Aittala, Aila, Laine, *Elucidating the Design Space of Diffusion-Based Generative
Models*, NeurIPS 2022; Ho, Jain, Abbeel, *Denoising Diffusion Probabilistic Models*, NeurIPS 2020
(the U-Net with residual blocks and attention).
"""

import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from experiments.images import weights
from experiments.workflow.results import atomic

IMAGE_SHAPE = (1, 28, 28)


@dataclass(frozen=True)
class Architecture:
    """Sizes of the U-Net, and the two moments of the data that its preconditioning uses."""

    fine: int = 32
    """Channels at 14x14."""
    coarse: int = 64
    """Channels at 7x7."""
    embedding: int = 96
    """Width of the noise-level embedding."""
    groups: int = 8
    """Groups of every GroupNorm."""
    data_mean: float = 0.0
    data_std: float = 1.0


class NoiseEmbedding(nn.Module):
    """Sinusoids of ``ln(sigma) / 4``, then a two-layer perceptron: (b,) -> (b, width)."""

    angular: Tensor

    def __init__(self, width: int, frequencies: int = 32) -> None:
        super().__init__()
        octaves = torch.linspace(math.log(0.25), math.log(8.0), frequencies)
        self.register_buffer("angular", 2.0 * math.pi * octaves.exp(), persistent=False)
        self.layers = nn.Sequential(
            nn.Linear(2 * frequencies, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()
        )

    def forward(self, level: Tensor) -> Tensor:
        phase = level[:, None] * self.angular
        embedding: Tensor = self.layers(torch.cat([phase.cos(), phase.sin()], dim=1))
        return embedding


class ResidualBlock(nn.Module):
    """``x + conv(silu(scale norm(conv(silu(norm(x)))) + shift))``.

    Scale and shift depend on the noise level.
    """

    def __init__(self, inputs: int, outputs: int, embedding: int, groups: int) -> None:
        super().__init__()
        self.norm_in = nn.GroupNorm(groups, inputs)
        self.conv_in = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.modulation = nn.Linear(embedding, 2 * outputs)
        self.norm_out = nn.GroupNorm(groups, outputs)
        self.conv_out = zero_initialised(nn.Conv2d(outputs, outputs, 3, padding=1))
        self.skip = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        scale, shift = self.modulation(embedding)[:, :, None, None].chunk(2, dim=1)
        hidden = self.conv_in(functional.silu(self.norm_in(x)))
        hidden = torch.addcmul(shift, self.norm_out(hidden), 1.0 + scale)
        result: Tensor = self.skip(x) + self.conv_out(functional.silu(hidden))
        return result


class SelfAttention(nn.Module):
    """Residual self-attention over the pixels, with one head per 48 channels.

    The attention is written out as matrix products. The fused kernel of torch has no forward-mode
    derivative, which `experiments.theory.network_curvature` needs.
    """

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.heads = max(1, channels // 48)
        self.norm = nn.GroupNorm(groups, channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.out = zero_initialised(nn.Conv2d(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        n, channels, height, width = x.shape
        q, k, v = (
            self.qkv(self.norm(x))
            .reshape(n, 3, self.heads, channels // self.heads, height * width)
            .unbind(1)
        )
        weights = (q.transpose(-1, -2) @ k / math.sqrt(channels // self.heads)).softmax(dim=-1)
        result: Tensor = x + self.out((v @ weights.transpose(-1, -2)).reshape(x.shape))
        return result


class UNet(nn.Module):
    """``F``: (b, 1, 28, 28) and noise levels (b,) or (1,) -> (b, 1, 28, 28).

    Blocks of 2x2 pixels become channels first. The finest level is then 14x14, which costs a
    quarter of 28x28.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        fine, coarse = architecture.fine, architecture.coarse
        sizes = (architecture.embedding, architecture.groups)
        self.embedding = NoiseEmbedding(architecture.embedding)
        self.input = nn.Conv2d(4, fine, 3, padding=1)
        self.encoder = ResidualBlock(fine, fine, *sizes)
        self.down = nn.Conv2d(fine, coarse, 2, stride=2)
        self.middle_in = ResidualBlock(coarse, coarse, *sizes)
        self.attention = SelfAttention(coarse, architecture.groups)
        self.middle_out = ResidualBlock(coarse, coarse, *sizes)
        self.up = nn.ConvTranspose2d(coarse, fine, 2, stride=2)
        self.decoder = ResidualBlock(2 * fine, fine, *sizes)
        self.norm = nn.GroupNorm(architecture.groups, fine)
        self.output = zero_initialised(nn.Conv2d(fine, 4, 3, padding=1))

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        embedding = self.embedding(level)
        fine = self.encoder(self.input(functional.pixel_unshuffle(x, 2)), embedding)
        coarse = self.middle_in(self.down(fine), embedding)
        coarse = self.middle_out(self.attention(coarse), embedding)
        fine = self.decoder(torch.cat([self.up(coarse), fine], dim=1), embedding)
        return functional.pixel_shuffle(self.output(functional.silu(self.norm(fine))), 2)


class ScoreNetwork(nn.Module):
    """``s(x, t)``, callable on images (n, 1, 28, 28) and one OU time ``t > 0``.

    The network computes in its own dtype, float32, and the result has the dtype of ``x``. The
    weights have the memory format "channels last", which is faster. Forward-mode derivatives
    (`torch.func.jvp`) need ``network.to(memory_format=torch.contiguous_format)`` first.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.unet = UNet(architecture)
        self.unet.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def denoise(self, y: Tensor, sigma: Tensor) -> Tensor:
        """``D(y; sigma)``, the estimate of ``E[x_0 | x_0 + sigma xi = y]``.

        Args:
            y: noised images, (n, 1, 28, 28).
            sigma: noise levels, (n,), or (1,) if all images have the same.
        """
        mean, variance = self.architecture.data_mean, self.architecture.data_std**2
        dtype = next(self.unet.parameters()).dtype
        width = sigma[:, None, None, None]
        c_in = (width**2 + variance).rsqrt()
        c_out = width * math.sqrt(variance) * c_in
        centred = y - mean
        residual = self.unet((c_in * centred).to(dtype), (sigma.log() / 4.0).to(dtype))
        denoised: Tensor = mean + variance * c_in**2 * centred + c_out * residual.to(y.dtype)
        return denoised

    def forward(self, x: Tensor, t: float | Tensor) -> Tensor:
        """The score at OU time ``t``, a float or 0-dim tensor, in the shape and dtype of ``x``."""
        if x.ndim != 4 or tuple(x.shape[1:]) != IMAGE_SHAPE:
            raise ValueError(f"images of shape (n, 1, 28, 28) expected, got {tuple(x.shape)}")
        time = float(t)
        if not (time > 0.0 and math.isfinite(time)):
            raise ValueError(f"the score network is defined for OU times t > 0, got t = {time}")
        scale, noise_variance = math.exp(-time), -math.expm1(-2.0 * time)
        sigma = x.new_tensor([math.sqrt(noise_variance) / scale])
        return (scale * self.denoise(x / scale, sigma) - x) / noise_variance


def zero_initialised(layer: nn.Conv2d) -> nn.Conv2d:
    """The same layer with parameters 0, so that its block is the identity before training."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def save(network: ScoreNetwork, path: Path, record: dict[str, object] | None = None) -> None:
    """Write the weights as safetensors, with the architecture and a record in the metadata."""
    state = {name: value.contiguous() for name, value in network.state_dict().items()}
    metadata = {
        "architecture": json.dumps(asdict(network.architecture)),
        "record": json.dumps(record or {}),
    }
    with atomic(path) as unfinished:
        save_file(state, unfinished, metadata=metadata)


def load(path: str | Path, device: torch.device | str | None = None) -> ScoreNetwork:
    """The score network of a file that `save` wrote, in evaluation mode and without gradients.

    Raises:
        ValueError: if the file is another one, or damaged.
        FileNotFoundError: if there is no such file.
    """
    architecture, tensors = weights.read(path, "architecture", "score network")
    try:
        network = ScoreNetwork(Architecture(**json.loads(architecture)))
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"{path} has the architecture {architecture}, expected the sizes of "
            f"{[item.name for item in fields(Architecture)]}: {error}"
        ) from error
    weights.fill(network, tensors, path)
    return network.to(device or "cpu").eval().requires_grad_(False)
