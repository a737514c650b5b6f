"""The score network of images: a small U-Net, preconditioned.

It is a score network, or an energy network, whose score is a gradient
(`experiments.images.preconditioning`).

Source: Ho, Jain, Abbeel, *Denoising Diffusion Probabilistic Models*, NeurIPS 2020 (the U-Net with
residual blocks and attention).
"""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from experiments.images import weights
from experiments.images.preconditioning import Preconditioned
from experiments.workflow.results import atomic


@dataclass(frozen=True)
class Architecture:
    """Sizes of the U-Net, its kind, and the two moments of the data for its preconditioning."""

    channels: int = 1
    """Colours of a pixel."""
    side: int = 28
    """Pixels of a side of an image, a multiple of 4."""
    fine: int = 32
    """Channels at a half of the resolution, 14x14 on MNIST."""
    coarse: int = 64
    """Channels at a quarter of the resolution, 7x7 on MNIST."""
    embedding: int = 96
    """Width of the noise-level embedding."""
    groups: int = 8
    """Groups of every GroupNorm."""
    data_mean: float = 0.0
    data_std: float = 1.0
    energy: bool = False
    """Whether the score is the gradient of a log-density."""

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        return self.channels, self.side, self.side


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
    """``F``: images (b, channels, side, side) and noise levels (b,) or (1,) -> the same shape.

    Blocks of 2x2 pixels become channels first. The finest level has then a half of the resolution,
    which costs a quarter of the full one.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        fine, coarse = architecture.fine, architecture.coarse
        sizes = (architecture.embedding, architecture.groups)
        self.embedding = NoiseEmbedding(architecture.embedding)
        folded = 4 * architecture.channels
        self.input = nn.Conv2d(folded, fine, 3, padding=1)
        self.encoder = ResidualBlock(fine, fine, *sizes)
        self.down = nn.Conv2d(fine, coarse, 2, stride=2)
        self.middle_in = ResidualBlock(coarse, coarse, *sizes)
        self.attention = SelfAttention(coarse, architecture.groups)
        self.middle_out = ResidualBlock(coarse, coarse, *sizes)
        self.up = nn.ConvTranspose2d(coarse, fine, 2, stride=2)
        self.decoder = ResidualBlock(2 * fine, fine, *sizes)
        self.norm = nn.GroupNorm(architecture.groups, fine)
        self.output = zero_initialised(nn.Conv2d(fine, folded, 3, padding=1))

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        embedding = self.embedding(level)
        fine = self.encoder(self.input(functional.pixel_unshuffle(x, 2)), embedding)
        coarse = self.middle_in(self.down(fine), embedding)
        coarse = self.middle_out(self.attention(coarse), embedding)
        fine = self.decoder(torch.cat([self.up(coarse), fine], dim=1), embedding)
        return functional.pixel_shuffle(self.output(functional.silu(self.norm(fine))), 2)


class ScoreNetwork(Preconditioned):
    """``s(x, t)``, callable on images (n, channels, side, side) and one OU time ``t > 0``.

    The weights have the memory format "channels last", which is faster. Forward-mode derivatives
    (`torch.func.jvp`) need ``network.to(memory_format=torch.contiguous_format)`` first.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture.data_mean, architecture.data_std, architecture.energy)
        self.architecture = architecture
        self.unet = UNet(architecture)
        self.unet.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def raw(self, u: Tensor, level: Tensor) -> Tensor:
        """The U-Net on images."""
        expected = self.architecture.image_shape
        if u.ndim != 4 or tuple(u.shape[1:]) != expected:
            sizes = ", ".join(map(str, expected))
            raise ValueError(f"images of shape (n, {sizes}) expected, got {tuple(u.shape)}")
        residual: Tensor = self.unet(u, level)
        return residual


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
    text, tensors = weights.read(path, "architecture", "score network")
    network = weights.build(ScoreNetwork, Architecture, text, path)
    weights.fill(network, tensors, path)
    return network.to(device or "cpu").eval().requires_grad_(False)
