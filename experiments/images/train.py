r"""Denoising score matching: the loss, the settings, and a run that can be interrupted.

The loss is that of EDM (Karras et al. 2022)::

    E (sigma^2 + v) / (sigma^2 v) |D(x_0 + sigma xi) - x_0|^2    per pixel.

It gives every noise level the same weight in terms of the network's output. The noise levels are
drawn from a mixture. Its larger part is a normal law of ``ln sigma``, over the levels at which
images take shape. The smaller part is uniform over all levels between the OU times t = 1e-4 and t =
5.

The learning rate rises, is constant, and falls linearly to zero over the last steps. Therefore a
run can be extended or shortened before the decay begins, with the weights that a run of the new
length would have had. All state is written atomically. A run that was interrupted continues where
it stopped, and ends with the same weights, on a CPU bit for bit, as a run that was not.

On a GPU the network computes in bfloat16. The random numbers are those of a CPU everywhere.
"""

import math
import pickle
import time
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from experiments.images.network import Architecture, ScoreNetwork
from experiments.images.preconditioning import Preconditioned
from experiments.workflow.results import atomic
from rtk.kernel import per_chain

Model = TypeVar("Model", bound=Preconditioned)


@dataclass(frozen=True)
class Training:
    """The settings on which the trained weights depend."""

    steps: int = 13_000
    decay_steps: int = 3000
    """Steps at the end over which the learning rate falls to zero."""
    warm_up_steps: int = 200
    batch: int = 64
    learning_rate: float = 1.5e-3
    gradient_norm: float = 1.0
    """Gradients are clipped to this norm."""
    flip: bool = False
    """Whether a random half of each batch is mirrored, left to right."""
    ema: float = 0.999
    """Decay of the average of the weights, or ``(1 + step) / (10 + step)`` if that is smaller."""
    normal_fraction: float = 0.7
    """Weight of the normal law in the mixture of ``ln sigma``."""
    normal_mean: float = -0.6
    normal_std: float = 1.2
    sigma_min: float = math.sqrt(math.expm1(2e-4))
    """``sigma = sqrt(exp(2 t) - 1)`` at the OU time t = 1e-4."""
    sigma_max: float = math.sqrt(math.expm1(10.0))
    """The same at the OU time t = 5."""
    held_out: int = 5000
    """Number of training images, the last ones, that the network is not fitted to."""
    validation_images: int = 500
    """Number of these held-out images on which the loss is computed."""
    seed: int = 0
    fine: int = Architecture.fine
    coarse: int = Architecture.coarse
    energy: bool = Architecture.energy

    def __post_init__(self) -> None:
        if self.steps < self.decay_steps + self.warm_up_steps:
            raise ValueError(
                f"{self.steps} steps are fewer than {self.warm_up_steps} of warm-up and "
                f"{self.decay_steps} of decay"
            )


VALIDATION_SIGMAS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 100.0)
"""Noise levels at which the loss of the held-out images is computed."""


@dataclass
class State(Generic[Model]):
    """The state of a run, from which it can continue after an interruption."""

    network: Model
    ema: Model
    optimiser: torch.optim.Adam
    generator: torch.Generator
    step: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


def learning_rate(step: int, training: Training) -> float:
    """The learning rate of a step, the first of which is 0: a rise, a constant, a linear decay."""
    rise = (step + 1) / training.warm_up_steps if training.warm_up_steps else 1.0
    decay = (training.steps - step) / training.decay_steps if training.decay_steps else 1.0
    return training.learning_rate * min(1.0, rise, decay)


def noise_levels(n: int, training: Training, generator: torch.Generator) -> Tensor:
    """``n`` values of sigma from the mixture of a log-normal and a log-uniform law."""
    normal = training.normal_mean + training.normal_std * torch.randn(n, generator=generator)
    low, high = math.log(training.sigma_min), math.log(training.sigma_max)
    uniform = low + (high - low) * torch.rand(n, generator=generator)
    is_normal = torch.rand(n, generator=generator) < training.normal_fraction
    return torch.where(is_normal, normal, uniform).exp()


def denoising_losses(model: Preconditioned, images: Tensor, sigma: Tensor, noise: Tensor) -> Tensor:
    """The weighted squared error of each image, (n,), averaged over pixels.

    At every noise level its mean is 1 for the denoiser that uses only the mean and the variance of
    the pixels, which is that for ``F = 0``.
    """
    variance = model.variance
    error = model.denoise(images + per_chain(sigma, images) * noise, sigma) - images
    weight = (sigma**2 + variance) / (sigma**2 * variance)
    return weight * error.square().flatten(1).mean(dim=1)


@torch.no_grad()
def validation_losses(
    model: Preconditioned, images: Tensor, chunk: int = 250
) -> list[dict[str, float]]:
    """The loss over the images at each of `VALIDATION_SIGMAS`, with its standard error.

    The noise is the same at every call.
    """
    device = next(model.parameters()).device
    generator = torch.Generator().manual_seed(1)
    losses = []
    for sigma in VALIDATION_SIGMAS:
        parts = []
        for part in images.split(chunk):
            noise = torch.randn(part.shape, generator=generator)
            inputs = (part, torch.full((len(part),), sigma), noise)
            parts.append(denoising_losses(model, *(each.to(device) for each in inputs)))
        values = torch.cat(parts).double()
        error = values.std() / math.sqrt(len(values))
        losses.append(
            {"sigma": sigma, "loss": values.mean().item(), "standard_error": error.item()}
        )
    return losses


def untrained(images: Tensor, training: Training) -> ScoreNetwork:
    """A new network for images of this shape, which has their mean and their variance."""
    torch.manual_seed(training.seed)
    channels, side, _ = images.shape[1:]
    return ScoreNetwork(
        Architecture(
            channels=channels,
            side=side,
            fine=training.fine,
            coarse=training.coarse,
            energy=training.energy,
            data_mean=images.mean().item(),
            data_std=images.std().item(),
        )
    )


def initial_state(model: Model, training: Training) -> State[Model]:
    """A new network with its average and its optimiser."""
    optimiser = torch.optim.Adam(model.parameters(), lr=training.learning_rate, betas=(0.9, 0.99))
    generator = torch.Generator().manual_seed(training.seed)
    return State(model, deepcopy(model).requires_grad_(False), optimiser, generator)


def save_state(state: State[Any], training: Training, path: Path) -> None:
    """Write the state of a run to one file, atomically."""
    content = {
        "training": asdict(training),
        "network": state.network.state_dict(),
        "ema": state.ema.state_dict(),
        "optimiser": state.optimiser.state_dict(),
        "generator": state.generator.get_state(),
        "step": state.step,
        "seconds": state.seconds,
        "history": state.history,
    }
    with atomic(path) as unfinished:
        torch.save(content, unfinished)


def resume(state: State[Any], training: Training, path: Path) -> None:
    """Fill a new state from the file of an interrupted run.

    Raises:
        ValueError: if the file is damaged, or if the run had other settings. Only the number of
            steps may be another one, if the learning rate has not begun to decay, by the old or by
            the new number.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        if "training" not in content:
            raise KeyError("training")
    except (EOFError, KeyError, RuntimeError, TypeError, pickle.UnpicklingError) as error:
        raise ValueError(
            f"{path} is damaged or not the state of a training run; delete the file to start again"
        ) from error
    old, new = content["training"], asdict(training)
    changed = {name for name in new if old.get(name) != new[name]}
    decay_start = min(old["steps"], training.steps) - training.decay_steps
    if changed - {"steps"} or (changed and content["step"] > decay_start):
        raise ValueError(
            f"{path} is from a run with other settings ({', '.join(sorted(changed))}); "
            "delete the file to start again"
        )
    state.network.load_state_dict(content["network"])
    state.ema.load_state_dict(content["ema"])
    state.optimiser.load_state_dict(content["optimiser"])
    state.generator.set_state(content["generator"])
    state.step, state.seconds = content["step"], content["seconds"]
    state.history = content["history"]


def training_step(state: State[Any], images: Tensor, training: Training) -> None:
    """One step of Adam on a batch that is drawn with replacement, and of the average of weights."""
    chosen = torch.randint(len(images), (training.batch,), generator=state.generator)
    sigma = noise_levels(training.batch, training, state.generator)
    noise = torch.randn((training.batch, *images.shape[1:]), generator=state.generator)
    batch = images[chosen]
    if training.flip:
        mirrored = torch.rand(training.batch, generator=state.generator) < 0.5
        batch = torch.where(per_chain(mirrored, batch), batch.flip(-1), batch)
    for group in state.optimiser.param_groups:
        group["lr"] = learning_rate(state.step, training)
    state.optimiser.zero_grad()
    device = next(state.network.parameters()).device
    with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
        inputs = (each.to(device) for each in (batch, sigma, noise))
        loss = denoising_losses(state.network, *inputs).mean()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(state.network.parameters(), training.gradient_norm)
    state.optimiser.step()
    decay = min(training.ema, (1 + state.step) / (10 + state.step))
    weights = [weight.detach() for weight in state.network.parameters()]
    averages: list[Tensor] = [*state.ema.parameters()]
    torch._foreach_lerp_(averages, weights, 1.0 - decay)
    state.step += 1


def train(
    images: Tensor,
    training: Training,
    state_path: Path,
    save_every: int = 250,
    device: torch.device | str = "cpu",
) -> tuple[ScoreNetwork, pd.DataFrame]:
    """Train a network, or continue the run whose state is in ``state_path``.

    Args:
        images: training images, (n, channels, side, side).
        training: the settings.
        state_path: file of the state, which is written at every validation.
        save_every: number of steps between validations; there is one at the end too.
        device: where the network is trained. It is returned on the CPU.

    Returns:
        The network with averaged weights, and the history. The history has a row for each noise
        level of each validation, with the columns step, images (the number used so far), seconds,
        sigma, loss and standard_error.

    Raises:
        ValueError: if there are too few images for the settings, or if the state is that of a run
            with other settings.
    """
    if not 1 < training.validation_images <= training.held_out < len(images):
        raise ValueError(
            f"held_out must be below the number of images, {len(images)}, and at least "
            f"validation_images, which must be 2 or more, got held_out={training.held_out} and "
            f"validation_images={training.validation_images}"
        )
    fitted, held_out = images[: -training.held_out], images[-training.held_out :]
    held_out = held_out[: training.validation_images]
    state = initial_state(untrained(fitted, training).to(device), training)
    if state_path.exists():
        resume(state, training, state_path)
    begun = time.perf_counter() - state.seconds
    with tqdm(total=training.steps, initial=state.step, desc="training", mininterval=5) as bar:
        while state.step < training.steps:
            training_step(state, fitted, training)
            bar.update()
            if state.step % save_every == 0 or state.step == training.steps:
                losses = validation_losses(state.ema, held_out)
                state.seconds = time.perf_counter() - begun
                progress = {
                    "step": state.step,
                    "images": state.step * training.batch,
                    "seconds": state.seconds,
                }
                state.history += [{**progress, **row} for row in losses]
                save_state(state, training, state_path)
    return state.ema.cpu(), pd.DataFrame(state.history)
