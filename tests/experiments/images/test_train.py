"""Training of the score network: schedule, noise levels, loss, and resuming bit for bit."""

import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from experiments.images import data, network, train, train_score
from experiments.images.network import Architecture, ScoreNetwork
from experiments.images.train import Training
from experiments.workflow import results

TINY = Training(
    steps=6,
    decay_steps=2,
    warm_up_steps=2,
    batch=4,
    held_out=8,
    validation_images=4,
    fine=8,
    coarse=8,
)


@pytest.fixture(scope="module")
def images() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return 2.0 * torch.rand((40, 1, 28, 28), generator=generator) - 1.0


def weights(model: ScoreNetwork) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def assert_same(a: dict[str, Tensor], b: dict[str, Tensor]) -> None:
    assert a.keys() == b.keys()
    for name in a:
        assert torch.equal(a[name], b[name]), name


def interrupted(
    images: Tensor, training: Training, path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Run as `training` until it is killed in the step after `step`."""
    original = train.training_step

    def killed(state: train.State[Any], images: Tensor, training: Training) -> None:
        if state.step == step:
            raise KeyboardInterrupt
        original(state, images, training)

    with monkeypatch.context() as patch:
        patch.setattr(train, "training_step", killed)
        with pytest.raises(KeyboardInterrupt):
            train.train(images, training, path, save_every=2)


def test_resumed_run_equals_an_uninterrupted_one(
    images: Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, history = train.train(images, TINY, tmp_path / "whole.pt", save_every=2)
    interrupted(images, TINY, tmp_path / "cut.pt", monkeypatch, step=3)
    torch.manual_seed(12345)  # the global generator must not matter
    resumed, resumed_history = train.train(images, TINY, tmp_path / "cut.pt", save_every=2)
    assert_same(weights(resumed), weights(whole))
    columns = ["step", "images", "sigma", "loss", "standard_error"]
    assert resumed_history[columns].equals(history[columns])


def test_run_may_be_extended_before_its_decay(
    images: Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    longer = replace(TINY, steps=8)
    whole, _ = train.train(images, longer, tmp_path / "whole.pt", save_every=2)
    interrupted(images, TINY, tmp_path / "cut.pt", monkeypatch, step=4)
    extended, _ = train.train(images, longer, tmp_path / "cut.pt", save_every=2)
    assert_same(weights(extended), weights(whole))


def test_run_is_not_extended_after_its_decay_began(images: Tensor, tmp_path: Path) -> None:
    train.train(images, TINY, tmp_path / "state.pt")
    with pytest.raises(ValueError, match="other settings"):
        train.train(images, replace(TINY, steps=8), tmp_path / "state.pt")


@pytest.mark.parametrize(
    "change", [{"learning_rate": 1e-4}, {"fine": 16}, {"seed": 1}, {"flip": True}]
)
def test_state_of_another_training_is_refused(
    images: Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    interrupted(images, TINY, tmp_path / "state.pt", monkeypatch, step=3)
    (name,) = change
    with pytest.raises(ValueError, match=f"other settings .*{name}"):
        train.train(images, replace(TINY, **change), tmp_path / "state.pt")


def test_held_out_images_are_never_trained_on(
    images: Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Tensor] = []
    original = train.training_step

    def watched(state: train.State[Any], images: Tensor, training: Training) -> None:
        seen.append(images)
        original(state, images, training)

    monkeypatch.setattr(train, "training_step", watched)
    train.train(images, replace(TINY, steps=4), tmp_path / "state.pt")
    assert all(torch.equal(part, images[:-8]) for part in seen)


FLIP_BATCH, FLIP_STEPS = 64, 20


def batches_seen(
    images: Tensor, training: Training, monkeypatch: pytest.MonkeyPatch
) -> list[Tensor]:
    """The images that the loss gets in each of some steps."""
    seen: list[Tensor] = []
    original = train.denoising_losses

    def watched(model: ScoreNetwork, images: Tensor, sigma: Tensor, noise: Tensor) -> Tensor:
        seen.append(images.clone())
        return original(model, images, sigma, noise)

    monkeypatch.setattr(train, "denoising_losses", watched)
    state = train.initial_state(train.untrained(images, training), training)
    for _ in range(FLIP_STEPS):
        train.training_step(state, images, training)
    return seen


def are_among(batch: Tensor, images: Tensor) -> Tensor:
    """Whether each image of the batch is one of the images, (n,)."""
    return (batch[:, None] == images).flatten(2).all(dim=2).any(dim=1)


def test_a_random_half_of_each_batch_is_mirrored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Left to right: the columns are in the other order, and nothing else is changed.

    Of 64 images 32 are mirrored, with a standard deviation of 4, and of all 1280 images 640, with
    one of 18: 5 sigma.
    """
    images = torch.rand((12, 3, 8, 8), generator=torch.Generator().manual_seed(4))
    mirror = images[..., [7, 6, 5, 4, 3, 2, 1, 0]]
    training = replace(TINY, batch=FLIP_BATCH, steps=FLIP_STEPS, flip=True)
    counts = []
    for batch in batches_seen(images, training, monkeypatch):
        mirrored = are_among(batch, mirror)
        assert (mirrored ^ are_among(batch, images)).all()
        counts.append(int(mirrored.sum()))
    assert len({*counts}) > 1
    assert 12 < min(counts) <= max(counts) < 52
    assert abs(sum(counts) - 640) < 90


def test_no_image_is_mirrored_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.rand((12, 1, 8, 8), generator=torch.Generator().manual_seed(4))
    training = replace(TINY, batch=FLIP_BATCH, steps=FLIP_STEPS)
    for batch in batches_seen(images, training, monkeypatch):
        assert are_among(batch, images).all()


def test_network_of_small_colour_images_trains_and_round_trips(tmp_path: Path) -> None:
    images = torch.rand((40, 3, 16, 16), generator=torch.Generator().manual_seed(5)) - 0.2
    training = replace(TINY, steps=2, warm_up_steps=0, flip=True)
    model, history = train.train(images, training, tmp_path / "state.pt")
    sizes = model.architecture
    assert sizes.image_shape == (3, 16, 16)
    # The images that are held out, the last 8, count for neither.
    assert sizes.data_mean == pytest.approx(images[:32].mean().item())
    assert sizes.data_std == pytest.approx(images[:32].std().item())
    assert np.isfinite(history.loss).all()
    network.save(model, tmp_path / "score.safetensors")
    loaded = network.load(tmp_path / "score.safetensors")
    assert loaded.architecture == sizes
    fresh = train.untrained(images[:32], training)(images, 0.3)
    assert not torch.allclose(model(images, 0.3), fresh, atol=1e-5)
    torch.testing.assert_close(loaded(images, 0.3), model(images, 0.3), rtol=0, atol=0)


def test_average_lags_behind_the_weights(images: Tensor) -> None:
    state = train.initial_state(train.untrained(images, TINY), TINY)
    start = weights(state.ema)
    train.training_step(state, images, TINY)
    # keep = min(0.999, 1 / 10) at the first step
    name = "unet.output.bias"
    expected = 0.1 * start[name] + 0.9 * state.network.state_dict()[name]
    torch.testing.assert_close(state.ema.state_dict()[name], expected)
    assert not torch.equal(state.ema.state_dict()[name], start[name])


def test_learning_rate_rises_stays_and_falls_to_zero() -> None:
    training = Training(steps=100, warm_up_steps=10, decay_steps=20, learning_rate=1.0)
    rates = [train.learning_rate(step, training) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9:81] == pytest.approx([1.0] * 72)
    assert rates[90] == pytest.approx(0.5)
    assert rates[99] == pytest.approx(0.05)
    assert rates[100] == 0.0


def test_noise_levels_follow_the_mixture() -> None:
    training, n = Training(), 200_000
    logs = train.noise_levels(n, training, torch.Generator().manual_seed(0)).log().numpy()
    low, high = math.log(training.sigma_min), math.log(training.sigma_max)
    # The interval holds the OU times from 1e-4 to 5.
    assert math.exp(low) == pytest.approx(math.sqrt(1 - math.exp(-2e-4)) / math.exp(-1e-4))
    assert math.exp(high) == pytest.approx(math.sqrt(1 - math.exp(-10.0)) / math.exp(-5.0))

    def cdf(x: float) -> float:
        normal = 0.5 * math.erfc(-(x - training.normal_mean) / training.normal_std / math.sqrt(2))
        uniform = min(1.0, max(0.0, (x - low) / (high - low)))
        share = training.normal_fraction
        return share * normal + (1 - share) * uniform

    for x in (-4.0, -2.0, -0.6, 0.6, 3.0):
        p = cdf(x)
        # standard error sqrt(p (1 - p) / n), 5 sigma
        assert np.mean(logs < x) == pytest.approx(p, abs=5 * math.sqrt(p * (1 - p) / n))


def test_loss_of_the_linear_denoiser_is_one_at_every_level() -> None:
    generator = torch.Generator().manual_seed(3)
    clean = -0.7 + 0.6 * torch.randn((400, 1, 28, 28), generator=generator)
    noise = torch.randn(clean.shape, generator=generator)
    model = ScoreNetwork(Architecture(fine=8, coarse=8, data_mean=-0.7, data_std=0.6))
    for sigma in (0.02, 0.5, 100.0):
        with torch.no_grad():
            losses = train.denoising_losses(model, clean, torch.full((400,), sigma), noise)
        # 313 600 independent squares of a normal: standard error sqrt(2 / 313600) = 0.0025, 5 sigma
        assert losses.mean().item() == pytest.approx(1.0, abs=0.0126)


def test_validation_is_the_same_at_every_call(images: Tensor) -> None:
    model = train.initial_state(train.untrained(images, TINY), TINY).ema
    first, second = (train.validation_losses(model, images[:6], chunk=4) for _ in range(2))
    assert first == second
    assert [row["sigma"] for row in first] == list(train.VALIDATION_SIGMAS)


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    # One image, again and again: the network must learn it.
    bar = torch.full((1, 28, 28), -1.0)
    bar[:, 4:24, 12:16] = 1.0
    training = replace(TINY, steps=40, learning_rate=5e-3)
    _, history = train.train(bar.expand(40, 1, 28, 28), training, tmp_path / "s.pt", save_every=20)
    by_step = history[history.sigma == 1.0].set_index("step").loss
    assert by_step[40] < 0.5
    assert by_step[40] < by_step[20]


def test_run_writes_weights_and_tidy_history(
    images: Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digits = data.Labelled(images, torch.zeros(len(images), dtype=torch.int64))
    monkeypatch.setattr(data, "load", lambda cache, split: digits)
    score, history = tmp_path / "score.safetensors", tmp_path / "history.parquet"
    train_score.run("fashion_mnist", tmp_path / "data.npz", TINY, score, history)
    assert network.load(score).architecture.fine == TINY.fine
    frame = results.read(history)
    assert set(frame.metric) == {"denoising_loss"}
    assert set(frame.experiment) == set(frame.target) == {"fashion_mnist"}
    assert list(frame.sigma) == list(train.VALIDATION_SIGMAS)
    assert np.isfinite(frame[["value", "standard_error", "seconds"]]).all().all()
    assert results.provenance(history)["config"] == asdict(TINY)
    assert sorted(path.name for path in tmp_path.iterdir()) == [history.name, score.name]


@pytest.mark.parametrize(
    "change", [{"held_out": 40}, {"validation_images": 9}, {"validation_images": 0}]
)
def test_split_must_be_possible(images: Tensor, tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="held_out must be below the number of images, 40"):
        train.train(images, replace(TINY, **change), tmp_path / "state.pt")


def test_too_few_steps() -> None:
    with pytest.raises(ValueError, match="fewer than"):
        Training(steps=100, decay_steps=100, warm_up_steps=1)


def test_command_line_names_every_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """And `--energy` and `--flip`, which take no value, ask for what they name."""
    asked: list[Training] = []
    monkeypatch.setattr(
        train_score, "run", lambda dataset, data, training, weights, history: asked.append(training)
    )
    paths = ["--dataset", "mnist", "--data", "a.npz", "--weights", "b", "--history", "c"]
    for extra in ([], ["--energy", "--fine", "16", "--learning-rate", "0.01"], ["--flip"]):
        monkeypatch.setattr("sys.argv", ["train_score", *paths, *extra])
        train_score.command_line()
    energy = Training(energy=True, fine=16, learning_rate=0.01)
    assert asked == [Training(), energy, Training(flip=True)]
