"""The score of a model as a denoiser of flat points, which is what a calibration works with."""

import math
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from rtk import process
from rtk.score import CountedScore

ROWS = 512
"""Points that are given to the score at once."""


def default_device(device: torch.device) -> AbstractContextManager[object]:
    """A context in which new tensors are on the device.

    A device as a context costs 1 us for each operation, so it is entered only if it changes any.
    """
    return nullcontext() if torch.get_default_device() == device else device


@dataclass(frozen=True)
class Model:
    """A counted score, and the shape, device and precision of the points that it takes.

    The points of a calibration are in float64 on the CPU, whatever the score needs.
    """

    score: CountedScore
    shape: tuple[int, ...]
    device: torch.device
    dtype: torch.dtype

    @property
    def dimension(self) -> int:
        return math.prod(self.shape)

    def noise(self, y: Tensor, sigma: float) -> Tensor:
        """The estimate ``-s_t score`` of the noise in ``y = x / a_t``, shape (n, d), float64.

        Raises:
            FloatingPointError: if it is not finite.
        """
        t = process.time_from_noise_level(sigma)
        x = (process.alpha(t) * y).to(self.device, self.dtype)
        score = torch.empty_like(y)
        # Each answer is copied before the next call, which may reuse the memory of the answer.
        for part, answer in zip(x.split(ROWS), score.split(ROWS), strict=True):
            with default_device(self.device):
                answer.copy_(self.score(part.reshape(-1, *self.shape), t).flatten(1))
        bad = int((~torch.isfinite(score).all(1)).sum())
        if bad:
            raise FloatingPointError(
                f"the score is not finite at {bad} of {len(y)} points at t = {t:.4g}, so that the "
                "model cannot be calibrated. Expected a score that is finite at every x and t > 0"
            )
        return -process.sigma(t) * score

    def denoise(self, y: Tensor, sigma: float) -> Tensor:
        """``D(y, sigma) = E[x_0 | x_0 + sigma xi = y]``, shape (n, d), float64."""
        return y - sigma * self.noise(y, sigma)
