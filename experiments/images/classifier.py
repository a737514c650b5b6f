"""A small classifier of images, whose last layer but one gives the features of the image metrics.

There is one classifier for each data set. Its features, of which there are 64, are called
*RTK-MNIST-CNN features*, *RTK-CIFAR-10-CNN features* and so on wherever a number depends on them.
Distances in them can be compared only with distances in the features of the same checkpoint.
"""

import json
import math
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from experiments.images import weights
from experiments.images.data import Labelled
from experiments.workflow.results import atomic

DIMENSION = 64


@dataclass(frozen=True)
class Architecture:
    """Sizes of the classifier; the defaults are those of MNIST and Fashion-MNIST."""

    channels: int = 1
    """Colours of a pixel."""
    side: int = 28
    """Pixels of a side of an image."""
    classes: int = 10
    width: int = 16
    """Channels of the first convolution. The second has twice as many, the third four times."""

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        return self.channels, self.side, self.side


class Classifier(nn.Module):
    """Three 3x3 convolutions with pooling, then 64 features, then a logit for each class."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        width = architecture.width
        widths = (architecture.channels, width, 2 * width, 4 * width)
        blocks = [
            nn.Sequential(
                nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
                nn.MaxPool2d(2),
                nn.BatchNorm2d(outputs),
                nn.GELU(),
            )
            for inputs, outputs in pairwise(widths)
        ]
        self.body = nn.Sequential(
            *blocks,
            nn.Flatten(),
            nn.Linear(4 * width * (architecture.side // 8) ** 2, DIMENSION),
            nn.GELU(),
        )
        self.head = nn.Linear(DIMENSION, architecture.classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images (n, *image shape) in [-1, 1] -> features (n, 64) and logits (n, classes)."""
        features = self.body(images)
        return features, self.head(features)


def train(
    data: Labelled,
    epochs: int = 3,
    batch: int = 128,
    width: int = 16,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> Classifier:
    """Train a classifier: cross-entropy, Adam, and a learning rate that follows one cycle.

    It is one for images of this shape, and for as many classes as the labels have.

    Returns:
        The classifier in evaluation mode, on the CPU.
    """
    torch.manual_seed(seed)
    channels, side, _ = data.images.shape[1:]
    model = Classifier(Architecture(channels, side, int(data.labels.max()) + 1, width)).to(device)
    generator = torch.Generator().manual_seed(seed)
    batches = math.ceil(len(data.images) / batch)
    optimiser = torch.optim.Adam(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, total_steps=epochs * batches)
    with tqdm(total=epochs * batches, desc="classifier", unit="step", mininterval=5) as bar:
        for _ in range(epochs):
            order = torch.randperm(len(data.images), generator=generator)
            for chosen in order.split(batch):
                _, logits = model(data.images[chosen].to(device))
                optimiser.zero_grad()
                functional.cross_entropy(logits, data.labels[chosen].to(device)).backward()
                optimiser.step()
                schedule.step()
                bar.update()
    return model.cpu().eval().requires_grad_(False)


@torch.no_grad()
def accuracy(model: Classifier, data: Labelled, chunk: int = 1000) -> float:
    """The fraction of the images that the classifier labels correctly."""
    correct = 0
    for images, labels in zip(data.images.split(chunk), data.labels.split(chunk), strict=True):
        correct += int((model(images)[1].argmax(dim=1) == labels).sum())
    return correct / len(data.labels)


def save(model: Classifier, path: Path, title: str, record: dict[str, object]) -> None:
    """Write the weights as safetensors, with the name of the features and a record in the metadata.

    Args:
        model: the classifier.
        path: the file.
        title: of the data set, such as "MNIST", after which the features are named.
        record: how the classifier was made.
    """
    metadata = {
        "features": f"RTK-{title}-CNN features",
        "sizes": json.dumps(asdict(model.architecture)),
        "record": json.dumps(record),
    }
    with atomic(path) as unfinished:
        save_file(model.state_dict(), unfinished, metadata=metadata)


def load(path: str | Path, device: torch.device | str | None = None) -> Classifier:
    """The classifier of a file that `save` wrote, in evaluation mode and without gradients.

    Raises:
        ValueError: if the file is another one, or damaged.
        FileNotFoundError: if there is no such file.
    """
    text, tensors = weights.read(path, "sizes", "classifier")
    model = weights.build(Classifier, Architecture, text, path)
    weights.fill(model, tensors, path)
    # The memory format in which convolutions are fastest on a CPU.
    model.to(device or "cpu", memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model.eval().requires_grad_(False)
