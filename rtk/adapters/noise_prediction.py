"""The score of a discrete-time diffusion model, as DDPM and diffusers train it.

Timestep ``k`` of a schedule has ``x = alpha_bar_k^(1/2) x_0 + (1 - alpha_bar_k)^(1/2) eps``, which
is the OU time ``t_k = -log(alpha_bar_k) / 2``. With ``a`` and ``s`` of `rtk.process`, the model
predicts the conditional mean, given ``x``, of one of three quantities::

    epsilon         eps                  score = -eps / s
    v_prediction    v = a eps - s x_0    score = -x - (a / s) v
    sample          x_0                  score = (a x_0 - x) / s^2

Sources: Ho et al. 2020, arXiv 2006.11239 (epsilon); Salimans and Ho 2022, arXiv 2202.00512 (v).
"""

import bisect
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from rtk import process
from rtk.adapters.denoiser import ModelScore
from rtk.checks import check_flag

PREDICTION_TYPES = ("epsilon", "v_prediction", "sample")


@dataclass(frozen=True)
class NoisePredictionScore(ModelScore):
    """The score of a discrete-time model; see `from_noise_prediction`.

    Attributes:
        times: OU time of each timestep of the schedule, so timesteps 900, 800, ... are the grid
            ``score.times[900:0:-100]``.
        prediction_type: "epsilon", "v_prediction" or "sample".
        integer_timesteps: whether the model gets the nearest integer timestep.
    """

    times: tuple[float, ...] = field(repr=False)
    prediction_type: str
    integer_timesteps: bool

    def timestep(self, t: float) -> float:
        """The (fractional) timestep of an OU time, linear in log-SNR between two timesteps."""
        t = min(max(t, self.t_min), self.t_max)
        k = min(bisect.bisect_right(self.times, t), len(self.times) - 1) - 1
        before, here, after = (process.log_snr(u) for u in (self.times[k], t, self.times[k + 1]))
        return k + (before - here) / (before - after)

    def _score(self, x: Tensor, t: float, dtype: torch.dtype) -> Tensor:
        k = self.timestep(t)
        answer = self._ask(x, round(k) if self.integer_timesteps else k, dtype)
        a, s = process.alpha(t), process.sigma(t)
        if self.prediction_type == "epsilon":
            return -answer / s
        if self.prediction_type == "v_prediction":
            return -x - (a / s) * answer
        return (a * answer - x) / process.variance(t)


def from_noise_prediction(
    model: Callable[[Tensor, Tensor], object],
    alphas_cumprod: Tensor | ArrayLike,
    prediction_type: str = "epsilon",
    *,
    integer_timesteps: bool = False,
    dtype: torch.dtype | None = None,
) -> NoisePredictionScore:
    """The score of a discrete-time model ``model(x, timestep)`` with its schedule.

    With a model of one's own::

        beta = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
        score = rtk.adapters.from_noise_prediction(model, (1 - beta).cumprod(0))
        grid = rtk.segments.log_snr(40, score.t_max, score.t_min)
        result = rtk.sample(score, (3, 32, 32), 16, "rtk-uld", nfe=200, segments=grid)

    With a pipeline of diffusers::

        score = rtk.adapters.from_noise_prediction(
            pipeline.unet,
            pipeline.scheduler.alphas_cumprod,
            pipeline.scheduler.config.prediction_type,
            dtype=pipeline.unet.dtype,
        )

    A sampler asks for any time in ``t_min <= t <= t_max``, the times of the first and the last
    timestep. Between two timesteps the index is interpolated linearly in log-SNR; at the time of a
    timestep it is that index exactly. Outside, the score raises. Cosine schedules end near t = 10,
    where a float32 score determines the estimate of ``x_0``, ``(x + s^2 score) / a``, to about 1e-3
    only; at t = 5, where grids of `rtk.segments` start by default, to 1e-5.

    Args:
        model: takes ``x`` (n, *shape) and timesteps (n,), and returns its prediction, (n, *shape),
            as a tensor or as an object that holds the tensor in ``.sample``. Conditions and
            guidance belong inside, and of a model that also predicts variances only the mean.
        alphas_cumprod: ``alpha_bar_k`` of timesteps 0, 1, ..., shape (K,), strictly decreasing in
            (0, 1]; better in float64, as ``1 - alpha_bar_k`` is small at first. A first entry of 1,
            no noise, has no score and is left out of the range.
        prediction_type: "epsilon", "v_prediction" or "sample", the names of diffusers.
        integer_timesteps: give the model the nearest integer as int64, for models that look the
            timestep up in a table. The score then fits times of the schedule only, so cut the path
            at ``score.times``. By default timesteps are floats, in float32 or better, which
            sinusoidal embeddings take as they are.
        dtype: in which ``model`` is called, such as torch.float16; by default that of ``x``.

    Returns:
        A score for `rtk.sample`, with ``t_min``, ``t_max`` and ``times``.

    Raises:
        ValueError: for another prediction type, or a schedule that does not decrease in (0, 1].
        TypeError: for a model that cannot be called, a schedule that is no list of numbers, or a
            dtype that is not floating-point.
    """
    if prediction_type not in PREDICTION_TYPES:
        raise ValueError(
            f"prediction_type must be one of {PREDICTION_TYPES}, got {prediction_type!r}"
        )
    check_flag("integer_timesteps", integer_timesteps)
    times = tuple(0.5 * abs(math.log(alpha_bar)) for alpha_bar in _schedule(alphas_cumprod))
    t_min = times[0] if times[0] > 0.0 else times[1]
    return NoisePredictionScore(
        model, t_min, times[-1], dtype, times, prediction_type, integer_timesteps
    )


def _schedule(alphas_cumprod: Tensor | ArrayLike) -> list[float]:
    """The schedule as floats; an error unless it decreases strictly in (0, 1]."""
    try:
        if isinstance(alphas_cumprod, Tensor) and alphas_cumprod.is_complex():
            raise TypeError
        schedule = torch.as_tensor(alphas_cumprod, dtype=torch.float64, device="cpu")
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(
            "alphas_cumprod must be the numbers alpha_bar_0, alpha_bar_1, ... of the schedule, "
            f"got {alphas_cumprod!r}"
        ) from None
    below_one = int((schedule < 1.0).sum())
    if schedule.ndim != 1 or below_one < 2:
        raise ValueError(
            "alphas_cumprod must have shape (K,) and at least two entries below 1, got shape "
            f"{tuple(schedule.shape)} and {below_one} such entries"
        )
    values: list[float] = schedule.tolist()
    for k, value in enumerate(values):
        if not 0.0 < value <= 1.0 or (k > 0 and not value < values[k - 1]):
            raise ValueError(
                "alphas_cumprod, the cumulative products of 1 - beta, must decrease strictly in "
                f"(0, 1], but entry {k} is {value:.6g}"
                + (f" after {values[k - 1]:.6g}" if k > 0 else "")
                + "; a last entry of 0 (zero terminal SNR) has no OU time and must be left out"
            )
    return values
