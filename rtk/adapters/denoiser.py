"""The score of a denoiser in variance-exploding form, as EDM and k-diffusion train it.

Karras et al. 2022, arXiv 2206.00364. Such a denoiser is ``D(y, sigma) = E[x_0 | y]`` with
``y = x_0 + sigma eps``. The state of this package is ``x = a x_0 + s xi`` (`rtk.process`), so it is
``x = a y`` with ``sigma = s / a = (exp(2t) - 1)^(1/2)``, and Tweedie's formula gives::

    grad log p_t(x) = (a D(x / a, s / a) - x) / s^2 = (D - y) a / s^2
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from rtk import process
from rtk.checks import check_floating, check_number


@dataclass(frozen=True)
class ModelScore(ABC):
    """A score ``(x, t) -> grad log p_t(x)`` that asks a model, with the times the model knows.

    The model sees a copy of ``x`` in its own dtype. All other arithmetic happens in float32 or
    better, and the score has the dtype of ``x``, so a half-precision model can serve a float32
    sampler.

    Attributes:
        model: called once per score with (n, *shape) and a noise level of shape (n,).
        t_min, t_max: OU times between which the model can be asked. A grid for `rtk.sample` is
            ``rtk.segments.log_snr(n, score.t_max, score.t_min)``.
        dtype: in which the model is called; None means that of ``x``.
    """

    model: Callable[[Tensor, Tensor], object]
    t_min: float
    t_max: float
    dtype: torch.dtype | None

    def __post_init__(self) -> None:
        if not callable(self.model):
            raise TypeError(
                f"the model must be a callable (tensor, noise level) -> tensor, got {self.model!r}"
            )
        is_dtype = isinstance(self.dtype, torch.dtype)
        if self.dtype is not None and not (is_dtype and self.dtype.is_floating_point):
            raise TypeError(
                f"dtype must be a floating-point torch.dtype such as torch.float16, got "
                f"{self.dtype!r}"
            )

    def __call__(self, x: Tensor, t: float) -> Tensor:
        """``grad log p_t(x)``, shaped like ``x`` (n, *shape).

        Raises:
            ValueError: for a time outside of ``t_min`` and ``t_max``, or a model that returns
                another shape than that of ``x``.
            TypeError: for an ``x`` that is not floating-point, or a model that returns no tensor.
        """
        check_floating("x", x)
        t = check_number("t", t)
        self._check_time(t)
        working = torch.promote_types(_at_least_float32(x.dtype), self.dtype or x.dtype)
        return self._score(x.to(working), t, self.dtype or x.dtype).to(x.dtype)

    @abstractmethod
    def _score(self, x: Tensor, t: float, dtype: torch.dtype) -> Tensor:
        """The score in the dtype of ``x``, from a model that is called in ``dtype``."""

    def _ask(self, x: Tensor, level: float, dtype: torch.dtype) -> Tensor:
        """What the model returns for ``x`` in ``dtype`` at one noise level, in the dtype of ``x``.

        An integer level arrives as int64, any other as float32 or better, since bfloat16 has no
        number between 996 and 1000.
        """
        kind = torch.int64 if isinstance(level, int) else _at_least_float32(dtype)
        levels = torch.full((len(x),), level, dtype=kind, device=x.device)
        # A copy, as a model that works in place would change the state of the sampler.
        answer = self.model(x.to(dtype, copy=True), levels)
        # Models of diffusers return an object that holds the tensor as its attribute "sample".
        answer = getattr(answer, "sample", answer)
        if not isinstance(answer, Tensor):
            raise TypeError(f"the model returned {type(answer).__name__}, expected a tensor")
        if not answer.is_floating_point():
            raise TypeError(f"the model returned {answer.dtype}, expected floating-point numbers")
        if answer.shape != x.shape or answer.device != x.device:
            raise ValueError(
                f"the model returned a tensor of shape {tuple(answer.shape)} on {answer.device}, "
                f"expected {tuple(x.shape)} on {x.device}, as it was given"
            )
        return answer.to(x.dtype)

    def _check_time(self, t: float) -> None:
        # Grids may miss their ends by rounding.
        inside = self.t_min * (1 - 1e-9) <= t <= self.t_max * (1 + 1e-9)
        if not (inside and t > 0.0):
            raise ValueError(
                f"the model has a score for {self.t_min:.6g} <= t <= {self.t_max:.6g} and t > 0, "
                f"but was asked at t = {t:.6g}; give rtk.sample a grid inside of that range, such "
                "as segments=rtk.segments.log_snr(n, score.t_max, score.t_min)"
            )


@dataclass(frozen=True)
class DenoiserScore(ModelScore):
    """``(D(y, sigma) - y) a / s^2`` with ``y = x / a``, ``sigma = s / a``; see `from_denoiser`."""

    def _score(self, x: Tensor, t: float, dtype: torch.dtype) -> Tensor:
        y = x / process.alpha(t)
        denoised = self._ask(y, math.sqrt(math.expm1(2.0 * t)), dtype)
        return (denoised - y) * (process.alpha(t) / process.variance(t))


def from_denoiser(
    denoise: Callable[[Tensor, Tensor], Tensor],
    sigma_min: float = 0.0,
    sigma_max: float = math.inf,
    *,
    dtype: torch.dtype | None = None,
) -> DenoiserScore:
    """The score of a denoiser ``denoise(y, sigma) = E[x_0 | y]``, ``y = x_0 + sigma eps``.

    ::

        score = (D(y, sigma) - y) a / s^2,    y = x / a,    sigma = s / a

    With a network of EDM, whose ``forward`` applies c_skip, c_out, c_in and c_noise itself::

        score = rtk.adapters.from_denoiser(network, sigma_min=0.002, sigma_max=80.0)
        grid = rtk.segments.log_snr(40, score.t_max, score.t_min)
        result = rtk.sample(score, (3, 64, 64), 16, "rtk-uld", nfe=200, segments=grid)

    The difference ``D - y`` loses digits near the data: the rounding of ``D`` enters the score as
    ``eps |D| / s^2``, with the ``eps`` of the dtype that ``D`` comes in. Tweedie's estimate, and
    so a sample, feels no more than ``eps |D|`` of it. A network in half precision therefore keeps
    more digits if its denoiser is called in float32, casts inside and returns float32, as those
    of EDM do; ``dtype`` is for denoisers that are half-precision throughout.

    Args:
        denoise: takes ``y`` (n, *shape) and ``sigma`` (n,), in float32 or better, and returns
            ``E[x_0 | y]``, (n, *shape). Labels and guidance belong inside.
        sigma_min, sigma_max: noise levels that it was trained for, in units of the data; by
            default all of them. The score then has ``t_min`` and ``t_max``, its times
            ``log(1 + sigma^2) / 2``, and raises outside of them.
        dtype: in which ``denoise`` is called; by default that of ``x``.

    Returns:
        A score for `rtk.sample`, with ``t_min`` and ``t_max``.

    Raises:
        ValueError: unless ``0 <= sigma_min < sigma_max``.
        TypeError: for a denoiser that cannot be called, or a dtype that is not floating-point.
    """
    if not 0.0 <= check_number("sigma_min", sigma_min) < check_number("sigma_max", sigma_max):
        raise ValueError(
            f"noise levels need 0 <= sigma_min < sigma_max, got {sigma_min} and {sigma_max}"
        )
    return DenoiserScore(denoise, _time(sigma_min), _time(sigma_max), dtype)


def _time(sigma: float) -> float:
    """OU time at which ``s / a`` equals ``sigma``."""
    return 0.5 * math.log1p(sigma * sigma)


def _at_least_float32(dtype: torch.dtype) -> torch.dtype:
    return torch.promote_types(dtype, torch.float32)
