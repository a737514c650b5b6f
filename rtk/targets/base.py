"""What every target is: a law on R^d, carried along the noising process, with an exact score.

Functions of ``(x, t)`` take ``x`` of shape (n, dimension) in any floating-point dtype and on any
device that computes in float64, and an Ornstein-Uhlenbeck time ``t >= 0``. The coefficients ``a``
and ``s^2`` in the docstrings are ``a_t`` and ``s_t^2`` of `rtk.process`.

All arithmetic is in float64, and only the result is rounded to the dtype of ``x``: log-densities
are small differences of large numbers. `torch.autocast` leaves float64 alone, so the results do not
depend on it either.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from rtk import process
from rtk.checks import check_count, check_floating

Generator = torch.Generator | None
DType = torch.dtype | None


class Target(ABC):
    """A data law ``p_0`` on R^dimension and its noised marginals ``p_t``.

    Args:
        dimension: the number of coordinates, at least ``minimum``.

    Raises, in all methods:
        ValueError: for ``x`` of another shape, ``t < 0``, ``n < 1``, or parameters out of range.
        TypeError: for ``x`` that is not a floating-point tensor, or arguments that are no numbers.
    """

    def __init__(self, dimension: int, minimum: int = 1) -> None:
        self.dimension = check_count("dimension", dimension, minimum)

    @abstractmethod
    def score(self, x: Tensor, t: float) -> Tensor:
        """The score ``grad log p_t(x)``, shape (n, dimension), in the dtype of ``x``."""

    @abstractmethod
    def log_prob(self, x: Tensor, t: float) -> Tensor:
        """The normalised log-density ``log p_t(x)``, shape (n,), in the dtype of ``x``."""

    def score_and_log_prob(self, x: Tensor, t: float) -> tuple[Tensor, Tensor]:
        """`score` and `log_prob`, which some targets have from one pass."""
        return self.score(x, t), self.log_prob(x, t)

    def sample(
        self,
        n: int,
        t: float = 0.0,
        generator: torch.Generator | None = None,
        dtype: torch.dtype | None = None,
    ) -> Tensor:
        """``n`` independent draws of ``p_t``, shape (n, dimension).

        Args:
            n: the number of draws, at least 1.
            t: the time, at least 0.
            generator: the source of random numbers; the draws are on its device. Without one,
                torch's global source and default device are used.
            dtype: a floating-point dtype; torch's default dtype if it is None.
        """
        return self._draw(check_count("n", n), check_time(t), generator, dtype)

    @abstractmethod
    def _draw(self, n: int, t: float, generator: Generator, dtype: DType) -> Tensor:
        """`sample` with arguments that are checked."""

    def _prepare(self, x: Tensor, t: float) -> tuple[Tensor, float, float]:
        """``x`` in float64, ``a_t`` and ``s_t^2``, once the arguments are checked."""
        self._check_x(x)
        time = check_time(t)
        return x.double(), process.alpha(time), process.variance(time)

    def _check_x(self, x: Tensor) -> None:
        """Raise an error unless ``x`` is a floating-point tensor of shape (n, dimension)."""
        check_floating("x", x)
        if x.ndim != 2 or x.shape[1] != self.dimension:
            raise ValueError(f"x must have shape (n, {self.dimension}), got {tuple(x.shape)}")


def check_time(t: float | Tensor) -> float:
    """``t`` as a float; an error unless it is one number and at least 0."""
    try:
        if isinstance(t, str):  # which float() reads
            raise TypeError
        time = float(t)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"t must be one number, got {t!r}") from None
    if not time >= 0.0:
        raise ValueError(f"t must be a time >= 0, got {t}")
    return time


def normal(shape: tuple[int, ...], generator: Generator, dtype: DType) -> Tensor:
    """Standard normal draws on the generator's device; an error unless ``dtype`` is floating."""
    if dtype is not None and not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        raise TypeError(
            f"dtype must be a floating-point dtype such as torch.float32, got {dtype!r}"
        )
    if generator is not None and not isinstance(generator, torch.Generator):
        raise TypeError(f"generator must be a torch.Generator, got {generator!r}")
    device = None if generator is None else generator.device
    return torch.randn(shape, generator=generator, device=device, dtype=dtype)


def draw_components(weights: Tensor, n: int, generator: Generator, dtype: torch.dtype) -> Tensor:
    """``n`` indices, drawn with probabilities in proportion to ``weights`` (m,), shape (n,).

    The draws depend on the dtype of the weights, so theirs is that of the sample. It is at least
    float32, as half precision would round the probabilities by up to 0.4 %.
    """
    weights = weights.to(torch.promote_types(dtype, torch.float32))
    return torch.multinomial(weights, n, replacement=True, generator=generator)


def noised(data: Tensor, t: float, generator: Generator) -> Tensor:
    """``a_t x_0 + s_t xi`` for draws ``x_0`` of the data; the draws themselves at t = 0."""
    if t == 0.0:
        return data
    noise = normal(tuple(data.shape), generator, data.dtype)
    return process.alpha(t) * data + process.sigma(t) * noise
