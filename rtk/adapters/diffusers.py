"""Pipelines of diffusers: their models as scores, and the samplers as their scheduler.

This module needs the packages diffusers and greenlet, which nothing else in `rtk` does.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

try:
    import diffusers  # noqa: F401
    import greenlet  # noqa: F401
except ImportError as error:
    raise ImportError(
        f"rtk.adapters.diffusers needs the package {error.name}: pip install diffusers greenlet"
    ) from error

from rtk.adapters.diffusers_model import clamped, from_model
from rtk.adapters.diffusers_scheduler import RTKScheduler
from rtk.calibration import calibration as calibrations
from rtk.calibration.calibration import Calibration

__all__ = ["RTKScheduler", "calibrate", "from_model"]


def calibrate(
    pipe: Any,
    num_inference_steps: Iterable[int] = (5, 8, 10),
    *,
    method: str = "rtk",
    model: Callable[[Tensor, Tensor], object] | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Calibration:
    """Calibrate the model of a pipeline, once, for some numbers of score evaluations.

    ::

        calibration = rtk.adapters.diffusers.calibrate(pipe, [8])
        pipe.scheduler = RTKScheduler.from_config(
            pipe.scheduler.config, method="rtk", calibration=calibration
        )

    A pipeline with prompts samples from another law for every prompt and guidance scale. Its
    calibration is for the one that ``model`` has inside::

        def model(x, timestep):
            both = pipe.unet(torch.cat([x, x]), timestep[0], encoder_hidden_states=prompts).sample
            plain, prompted = both.chunk(2)
            return plain + guidance_scale * (prompted - plain)

    Args:
        pipe: with ``unet`` and ``scheduler``.
        num_inference_steps: the numbers to prepare. For pipelines with ``scales_input=False`` (see
            `RTKScheduler`) each smaller by one is prepared too.
        method: "rtk" or "calibrated".
        model: ``model(x, timestep)`` in the place of ``pipe.unet``, with ``timestep`` (n,).
        seed, progress: as for `rtk.calibrate`.

    Returns:
        The calibration; its ``rows`` are the score evaluations that were spent.

    Raises:
        ValueError: for a scheduler or a model that `from_model` does not know.
    """
    wanted = sorted({max(1, n - unused) for n in num_inference_steps for unused in (0, 1)})
    unet = pipe.unet
    known = from_model(unet if model is None else model, pipe.scheduler.config, dtype=unet.dtype)
    score = clamped(known)
    size = unet.config.sample_size
    sides = (size, size) if isinstance(size, int) else tuple(size)
    shape = (unet.config.in_channels, *sides)
    calibration = calibrations.calibrate(
        score,
        shape,
        seed,
        pipe.device,
        torch.float32,
        t_start=known.t_max,
        progress=progress,
    )
    for nfe in wanted:
        calibration.solver(nfe, score, method, pipe.device, torch.float32)
    return calibration
