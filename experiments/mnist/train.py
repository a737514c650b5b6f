"""Train the score network of `network.py` on MNIST by denoising score matching.

The loss is that of EDM (Karras et al. 2022): `E (sigma^2 + v) / (sigma^2 v) |D(x_0 + sigma xi) -
x_0|^2` per pixel, which weighs every noise level alike in terms of the network's output. Levels
are drawn from a mixture: mostly a normal in `ln sigma` where images take shape, the rest uniform
over the whole range that the OU clock visits from t = 1e-4 to t = 5.

The learning rate warms up, stays, and falls linearly to zero over the last steps, so a run can be
extended or shortened before its decay begins, with the result that a run of that length would
have had. All state is written atomically; a run that was interrupted goes on where it stopped and
ends with the same weights, bit for bit, as one that was not.

    python -m experiments.mnist.train --data results/mnist/mnist.npz --weights score.safetensors
"""

import argparse
import math
import time
from copy import deepcopy
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from experiments.mnist import data, network
from experiments.mnist.network import Architecture, ScoreNetwork
from experiments.workflow import job, results
from experiments.workflow.results import atomic


@dataclass(frozen=True)
class Training:
    """Everything that the trained weights depend on."""

    steps: int = 13_000
    decay_steps: int = 3000
    """Steps at the end over which the learning rate falls to zero."""
    warm_up_steps: int = 200
    batch: int = 64
    learning_rate: float = 1.5e-3
    gradient_norm: float = 1.0
    """Gradients are clipped to this norm."""
    ema: float = 0.999
    """Decay of the average of the weights; (1 + step) / (10 + step) while that is smaller."""
    normal_fraction: float = 0.7
    """Share of the normal in the mixture of `ln sigma`."""
    normal_mean: float = -0.6
    normal_std: float = 1.2
    sigma_min: float = math.sqrt(math.expm1(2e-4))
    """sigma = sqrt(exp(2 t) - 1) at OU time t = 1e-4."""
    sigma_max: float = math.sqrt(math.expm1(10.0))
    """sigma at OU time t = 5."""
    held_out: int = 5000
    """Training images, the last ones, kept for validation."""
    validation_images: int = 500
    """Held-out images per noise level in the history."""
    seed: int = 0
    fine: int = Architecture.fine
    coarse: int = Architecture.coarse

    def __post_init__(self) -> None:
        if self.steps < self.decay_steps + self.warm_up_steps:
            raise ValueError(
                f"{self.steps} steps are fewer than {self.warm_up_steps} of warm-up and "
                f"{self.decay_steps} of decay"
            )


VALIDATION_SIGMAS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 100.0)


@dataclass
class State:
    """What an interrupted run needs to go on."""

    network: ScoreNetwork
    ema: ScoreNetwork
    optimiser: torch.optim.Adam
    generator: torch.Generator
    step: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


def learning_rate(step: int, training: Training) -> float:
    """Linear warm-up, constant, linear decay to zero; `step` counts from 0."""
    warm = (step + 1) / training.warm_up_steps if training.warm_up_steps else 1.0
    cool = (training.steps - step) / training.decay_steps if training.decay_steps else 1.0
    return training.learning_rate * min(1.0, warm, cool)


def noise_levels(n: int, training: Training, generator: torch.Generator) -> Tensor:
    """`n` values of sigma from the mixture of a log-normal and a log-uniform law."""
    normal = training.normal_mean + training.normal_std * torch.randn(n, generator=generator)
    low, high = math.log(training.sigma_min), math.log(training.sigma_max)
    uniform = low + (high - low) * torch.rand(n, generator=generator)
    is_normal = torch.rand(n, generator=generator) < training.normal_fraction
    return torch.where(is_normal, normal, uniform).exp()


def denoising_losses(model: ScoreNetwork, images: Tensor, sigma: Tensor, noise: Tensor) -> Tensor:
    """The weighted squared error per image, (n,), averaged over pixels.

    Whatever the level, it is 1 on average for the denoiser that knows the mean and the variance of
    the pixels alone (`F = 0`).
    """
    variance = model.architecture.data_std**2
    error = model.denoise(images + sigma[:, None, None, None] * noise, sigma) - images
    weight = (sigma**2 + variance) / (sigma**2 * variance)
    return weight * error.square().mean(dim=(1, 2, 3))


@torch.no_grad()
def validation_losses(
    model: ScoreNetwork, images: Tensor, chunk: int = 250
) -> list[dict[str, float]]:
    """The loss and its standard error over the images at each of `VALIDATION_SIGMAS`.

    The noise is the same at every call.
    """
    generator = torch.Generator().manual_seed(1)
    losses = []
    for sigma in VALIDATION_SIGMAS:
        parts = []
        for part in images.split(chunk):
            noise = torch.randn(part.shape, generator=generator)
            parts.append(denoising_losses(model, part, torch.full((len(part),), sigma), noise))
        values = torch.cat(parts).double()
        error = values.std() / math.sqrt(len(values))
        losses.append(
            {"sigma": sigma, "loss": values.mean().item(), "standard_error": error.item()}
        )
    return losses


def initial_state(images: Tensor, training: Training) -> State:
    """A fresh network with the moments of these images, and its optimiser."""
    torch.manual_seed(training.seed)
    model = ScoreNetwork(
        Architecture(
            fine=training.fine,
            coarse=training.coarse,
            data_mean=images.mean().item(),
            data_std=images.std().item(),
        )
    )
    optimiser = torch.optim.Adam(model.parameters(), lr=training.learning_rate, betas=(0.9, 0.99))
    generator = torch.Generator().manual_seed(training.seed)
    return State(model, deepcopy(model).requires_grad_(False), optimiser, generator)


def save_state(state: State, training: Training, path: Path) -> None:
    """Write the state to one file, atomically."""
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


def resume(state: State, training: Training, path: Path) -> None:
    """Fill a fresh state from the file of an interrupted run of the same training.

    The number of steps alone may differ, as long as the decay has begun under neither number.
    """
    content = torch.load(path, weights_only=True)
    old, new = content["training"], asdict(training)
    changed = {name for name in new if old.get(name) != new[name]}
    decay_start = min(old["steps"], training.steps) - training.decay_steps
    if changed - {"steps"} or (changed and content["step"] > decay_start):
        raise ValueError(
            f"{path} belongs to another training (different: {', '.join(sorted(changed))}); "
            "delete it to start afresh"
        )
    state.network.load_state_dict(content["network"])
    state.ema.load_state_dict(content["ema"])
    state.optimiser.load_state_dict(content["optimiser"])
    state.generator.set_state(content["generator"])
    state.step, state.seconds = content["step"], content["seconds"]
    state.history = content["history"]


def training_step(state: State, images: Tensor, training: Training) -> None:
    """One Adam step on a batch drawn with replacement, and one step of the average."""
    chosen = torch.randint(len(images), (training.batch,), generator=state.generator)
    sigma = noise_levels(training.batch, training, state.generator)
    noise = torch.randn((training.batch, *images.shape[1:]), generator=state.generator)
    for group in state.optimiser.param_groups:
        group["lr"] = learning_rate(state.step, training)
    state.optimiser.zero_grad()
    denoising_losses(state.network, images[chosen], sigma, noise).mean().backward()
    torch.nn.utils.clip_grad_norm_(state.network.parameters(), training.gradient_norm)
    state.optimiser.step()
    keep = min(training.ema, (1 + state.step) / (10 + state.step))
    weights = [weight.detach() for weight in state.network.parameters()]
    averages: list[Tensor] = [*state.ema.parameters()]
    torch._foreach_lerp_(averages, weights, 1.0 - keep)
    state.step += 1


def train(
    images: Tensor, training: Training, state_path: Path, save_every: int = 250
) -> tuple[ScoreNetwork, pd.DataFrame]:
    """Train on images (n, 1, 28, 28), or go on with the run whose state is in `state_path`.

    Returns the network with averaged weights, and the history: one row per noise level for each
    validation, every `save_every` steps and at the end, with the columns step, images (seen so
    far), seconds, sigma, loss, standard_error.
    """
    if not 1 < training.validation_images <= training.held_out < len(images):
        raise ValueError(
            f"{len(images)} images cannot give {training.held_out} held-out ones and "
            f"{training.validation_images} of them for validation"
        )
    seen, held_out = images[: -training.held_out], images[-training.held_out :]
    held_out = held_out[: training.validation_images]
    state = initial_state(seen, training)
    if state_path.exists():
        resume(state, training, state_path)
    begun = time.perf_counter() - state.seconds
    with tqdm(total=training.steps, initial=state.step, desc="training", mininterval=5) as bar:
        while state.step < training.steps:
            training_step(state, seen, training)
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
    return state.ema, pd.DataFrame(state.history)


def run(cache: Path, training: Training, weights: Path, history: Path) -> None:
    """Train on the data in `cache`; write the weights and the tidy history.

    The state of the run is kept beside the weights until it is complete.
    """
    started = time.perf_counter()
    state_path = weights.with_suffix(".state.pt")
    model, losses = train(data.load(cache, "train").images, training, state_path)
    last = losses.iloc[-1]
    record = {**asdict(training), "seconds": round(last["seconds"], 1)}
    network.save(model, weights, record)
    frame = losses.rename(columns={"loss": "value"}).assign(
        experiment="mnist",
        target="mnist",
        method="training",
        settings=[f"step={r.step}, sigma={r.sigma}" for r in losses.itertuples()],
        seed=training.seed,
        nfe_asked=0,
        nfe=0,
        metric="denoising_loss",
    )
    results.write(frame, history, config=asdict(training), seed=training.seed, started=started)
    state_path.unlink()


def job_of_the_workflow() -> None:
    snakemake = job.start()
    run(
        Path(snakemake.input.data),
        Training(**snakemake.params.training),
        Path(snakemake.output.weights),
        Path(snakemake.output.history),
    )


def command_line() -> None:
    parser = argparse.ArgumentParser(description="Train the MNIST score network, or go on with it.")
    parser.add_argument("--data", type=Path, required=True, help="the .npz written by data.py")
    parser.add_argument("--weights", type=Path, required=True, help="safetensors file to write")
    parser.add_argument("--history", type=Path, required=True, help="Parquet file to write")
    for item in fields(Training):
        name = "--" + item.name.replace("_", "-")
        parser.add_argument(name, type=type(item.default), default=item.default)
    options = vars(parser.parse_args())
    paths = {name: options.pop(name) for name in ("weights", "history")}
    run(options.pop("data"), Training(**options), **paths)


if __name__ == "__main__":
    if "snakemake" in globals():
        job_of_the_workflow()
    else:
        command_line()
