"""A score network or an energy network of the states of a mixture: preconditioned residual layers.

It is trained as the networks of images are (`experiments.images.train`), on exact draws.
"""

import torch
from torch import Tensor, nn
from tqdm import tqdm

from experiments.images.network import NoiseEmbedding
from experiments.images.preconditioning import Preconditioned
from experiments.images.train import Training, initial_state, training_step


class ResidualLayer(nn.Module):
    """``h + V silu(W silu(h) + e)``, where ``e`` is linear in the embedding of the noise level."""

    def __init__(self, width: int, embedding: int) -> None:
        super().__init__()
        self.inner = nn.Linear(width, width)
        self.shift = nn.Linear(embedding, width)
        self.outer = nn.Linear(width, width)

    def forward(self, hidden: Tensor, embedding: Tensor) -> Tensor:
        inner = self.inner(nn.functional.silu(hidden)) + self.shift(embedding)
        result: Tensor = hidden + self.outer(nn.functional.silu(inner))
        return result


class Perceptron(Preconditioned):
    """``s(x, t)``, callable on states (n, d) and one OU time ``t > 0``.

    Args:
        dimension: d.
        mean, std: of the data, over all coordinates.
        energy: whether the score is the gradient of a log-density.
        width: of the layers.
        layers: their number.
    """

    def __init__(
        self,
        dimension: int,
        mean: float,
        std: float,
        energy: bool,
        width: int = 128,
        layers: int = 3,
    ) -> None:
        super().__init__(mean, std, energy)
        self.embedding = NoiseEmbedding(width)
        self.input = nn.Linear(dimension, width)
        self.layers = nn.ModuleList(ResidualLayer(width, width) for _ in range(layers))
        self.output = nn.Linear(width, dimension)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def raw(self, u: Tensor, level: Tensor) -> Tensor:
        """The layers, between two linear maps."""
        embedding, hidden = self.embedding(level), self.input(u)
        for layer in self.layers:
            hidden = layer(hidden, embedding)
        result: Tensor = self.output(nn.functional.silu(hidden))
        return result


def fitted(draws: Tensor, energy: bool, training: Training) -> Perceptron:
    """A network that was trained on draws of the data (m, d), in evaluation mode."""
    torch.manual_seed(training.seed)
    model = Perceptron(draws.shape[1], draws.mean().item(), draws.std().item(), energy)
    state = initial_state(model, training)
    for _ in tqdm(range(training.steps), desc="energy network" if energy else "score network"):
        training_step(state, draws, training)
    return state.ema.eval()
