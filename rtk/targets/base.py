"""What every target is: a law on R^d, carried along the noising process, with an exact score.

Functions of ``(x, t)`` take ``x`` of shape (n, dimension) in any floating dtype and on any device,
and an OU time ``t >= 0``. The coefficients ``a`` and ``s^2`` of the docstrings are those of
`rtk.process`.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from rtk import process
from rtk.checks import check_count


class Target(ABC):
    """A data law ``p_0`` on R^dimension and its noised marginals ``p_t``.

    Raises, in all methods:
        ValueError: for ``x`` of another shape, ``t < 0``, or parameters out of range.
    """

    def __init__(self, dimension: int, minimum: int = 1) -> None:
        self.dimension = check_count("dimension", dimension, minimum)

    @abstractmethod
    def score(self, x: Tensor, t: float) -> Tensor:
        """``grad log p_t(x)``, shape (n, dimension)."""

    @abstractmethod
    def log_prob(self, x: Tensor, t: float) -> Tensor:
        """``log p_t(x)``, normalised, shape (n,)."""

    @abstractmethod
    def sample(
        self,
        n: int,
        t: float = 0.0,
        generator: torch.Generator | None = None,
        dtype: torch.dtype | None = None,
    ) -> Tensor:
        """``n`` exact draws of ``p_t``, shape (n, dimension), on the generator's device."""

    def _coefficients(self, x: Tensor, t: float) -> tuple[float, float]:
        """``a_t`` and ``s_t^2``, once the arguments are checked."""
        self._check_x(x)
        check_time(t)
        return process.alpha(t), process.variance(t)

    def _check_x(self, x: Tensor) -> None:
        if x.ndim != 2 or x.shape[1] != self.dimension:
            raise ValueError(f"x must have shape (n, {self.dimension}), got {tuple(x.shape)}")


def check_time(t: float) -> None:
    """An error unless ``t`` is an OU time."""
    if not t >= 0.0:
        raise ValueError(f"t must be a time >= 0, got {t}")


def normal(
    shape: tuple[int, ...], generator: torch.Generator | None, dtype: torch.dtype | None
) -> Tensor:
    """Standard normal draws on the generator's device."""
    device = None if generator is None else generator.device
    return torch.randn(shape, generator=generator, device=device, dtype=dtype)


def noised(data: Tensor, t: float, generator: torch.Generator | None) -> Tensor:
    """``a_t x_0 + s_t xi`` of draws ``x_0`` of the data; the data themselves at t = 0."""
    check_time(t)
    if t == 0.0:
        return data
    noise = normal(tuple(data.shape), generator, data.dtype)
    return process.alpha(t) * data + process.sigma(t) * noise
