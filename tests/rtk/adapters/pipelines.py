"""Tiny pipelines of diffusers: a model that knows its law, and networks with random weights."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.oracles import skewed
from tests.rtk.adapters.models import DOUBLE, DiscreteModel, coefficients

# Without the package the tests that import this module are skipped.
pytest.importorskip("diffusers")

import diffusers
from diffusers.configuration_utils import register_to_config
from diffusers.models.unets.unet_2d import UNet2DOutput

SHAPE = (1, 1, 2)
STABLE_DIFFUSION = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
UNCLIPPED = {"clip_sample": False, "thresholding": False}


class ExactModel(diffusers.ModelMixin, diffusers.ConfigMixin):  # type: ignore[misc]
    """The perfect model of the mixture `skewed`, as images of one channel and 1 x 2 pixels."""

    @register_to_config
    def __init__(
        self, sample_size: Any = (1, 2), in_channels: int = 1, prediction_type: str = "epsilon"
    ) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(()))
        mixture = skewed()
        self.calls: list[float] = []

        def predict(x: Tensor, t: float) -> Tensor:
            a, s = coefficients(t)
            eps = -s * mixture.score(x.flatten(1), t).reshape(x.shape)
            clean = (x - s * eps) / a
            answers = {"epsilon": eps, "v_prediction": a * eps - s * clean, "sample": clean}
            return answers[prediction_type]

        alpha_bar = diffusers.DDPMScheduler().alphas_cumprod.double().numpy()
        self.predict = DiscreteModel(predict, alpha_bar)

    def forward(self, sample: Tensor, timestep: Any, return_dict: bool = True) -> Any:
        timesteps = torch.as_tensor(timestep, dtype=DOUBLE).expand(len(sample))
        self.calls.append(float(timesteps[0]))
        return UNet2DOutput(sample=self.predict(sample, timesteps))


class PromptedGaussian(diffusers.ModelMixin, diffusers.ConfigMixin):  # type: ignore[misc]
    """The perfect model of ``N(m, 0.3 I)``, latents of 4 x 2 x 2 numbers; a prompt is the mean.

    The guided prediction is that of the mean ``m_negative + scale (m - m_negative)``.
    """

    @register_to_config
    def __init__(
        self, sample_size: int = 2, in_channels: int = 4, time_cond_proj_dim: int | None = None
    ) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(()))
        self.rows: list[int] = []

    def forward(
        self, sample: Tensor, timestep: Any, encoder_hidden_states: Tensor, **others: Any
    ) -> tuple[Tensor]:
        self.rows.append(len(sample))
        alpha_bar = diffusers.PNDMScheduler(**STABLE_DIFFUSION).alphas_cumprod.double().numpy()
        timesteps = torch.as_tensor(timestep, dtype=DOUBLE).expand(len(sample))
        mean = encoder_hidden_states.double().mean((1, 2)).reshape(-1, 1, 1, 1)

        def predict(x: Tensor, t: float) -> Tensor:
            a, s = coefficients(t)
            return s * (x - a * mean) / (a**2 * 0.3 + s**2)

        return (DiscreteModel(predict, alpha_bar)(sample, timesteps),)


def network() -> Any:
    """A `UNet2DModel` with random weights, images of one channel and 4 x 4 pixels."""
    torch.manual_seed(0)
    return diffusers.UNet2DModel(
        sample_size=4,
        in_channels=1,
        out_channels=1,
        block_out_channels=(8,),
        layers_per_block=1,
        down_block_types=("DownBlock2D",),
        up_block_types=("UpBlock2D",),
        norm_num_groups=4,
    ).eval()


def pipeline(unet: Any, kind: str = "DDPMPipeline", **config: Any) -> Any:
    """A pipeline around a model, without a progress bar."""
    scheduler = diffusers.DDPMScheduler(**UNCLIPPED | config)
    pipe = getattr(diffusers, kind)(unet, scheduler)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]
