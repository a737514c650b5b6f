"""The score of a model of diffusers, from the configuration of its scheduler."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from diffusers import DDPMScheduler
from torch import Tensor

from rtk.adapters.noise_prediction import NoisePredictionScore, from_noise_prediction
from rtk.score import Score

SCHEDULE = (
    "num_train_timesteps",
    "beta_start",
    "beta_end",
    "beta_schedule",
    "trained_betas",
    "rescale_betas_zero_snr",
)
"""What of a scheduler's configuration determines ``alpha_bar``."""


def from_model(
    model: Callable[[Tensor, Tensor], object],
    scheduler_config: Mapping[str, Any],
    *,
    dtype: torch.dtype | None = None,
) -> NoisePredictionScore:
    """The score of a model of diffusers (see `rtk.adapters.from_noise_prediction`).

    ::

        score = rtk.adapters.diffusers.from_model(pipe.unet, pipe.scheduler.config)
        grid = rtk.segments.log_snr(8, score.t_max, score.t_min)
        result = rtk.sample(score, (3, 32, 32), 16, "rtk-uld", nfe=40, segments=grid)

    What a scheduler does beside (``clip_sample``, ``thresholding``) is left out: of a clipped
    prediction there is no score.

    Args:
        model: ``model(x, timestep)`` predicts what the configuration says, as a `UNet2DModel` does.
            A model with conditions is wrapped in a function that adds them.
        scheduler_config: ``pipe.scheduler.config``, of any scheduler with betas.
        dtype: in which the model is called, such as ``pipe.unet.dtype``; by default that of ``x``.

    Returns:
        A score for `rtk.sample`, with ``t_min``, ``t_max`` and ``times``.

    Raises:
        ValueError: for a schedule without betas, one that ends without any signal, or another
            prediction type than "epsilon", "v_prediction" and "sample".
    """
    check_config(scheduler_config)
    known = {name: scheduler_config[name] for name in SCHEDULE if name in scheduler_config}
    return from_noise_prediction(
        model,
        DDPMScheduler(**known).alphas_cumprod,
        scheduler_config["prediction_type"],
        dtype=dtype,
    )


def check_config(scheduler_config: Mapping[str, Any]) -> None:
    """An error unless the configuration is that of a variance-preserving model with betas."""
    if not isinstance(scheduler_config, Mapping):
        raise TypeError(
            f"expected the configuration of a scheduler, such as pipe.scheduler.config, got "
            f"{type(scheduler_config).__name__}"
        )
    missing = [
        name for name in ("beta_schedule", "prediction_type") if name not in scheduler_config
    ]
    if missing:
        raise ValueError(
            f"the scheduler's configuration has no {' and no '.join(missing)}: expected that of a "
            "variance-preserving model with betas, such as a DDPMScheduler has. Flow matching and "
            "EDM are not supported here; for a denoiser see rtk.adapters.from_denoiser"
        )


def clamped(score: NoisePredictionScore) -> Score:
    """The score with the times beyond the schedule's ends replaced by those ends.

    A calibration looks a little further than the model was trained for. Above ``t_max`` all scores
    are nearly that of ``N(0, I)``; below ``t_min`` there is hardly any noise left.
    """
    return lambda x, t: score(x, min(max(t, score.t_min), score.t_max))
