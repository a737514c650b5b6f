"""Score functions, checked and counted.

A score is any callable ``(x, t) -> s(x, t) = grad log p_t(x)`` with ``x`` of shape ``(n, *shape)``,
``t`` a Python float and an answer like ``x``. Samplers see it through `CountedScore` only, so the
reported number of function evaluations (NFE) is the number that was made.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

Score = Callable[[Tensor, float], Tensor]
LogProb = Callable[[Tensor, float], Tensor]


class _Counted(ABC):
    """A checked function of ``(x, t)`` that counts one evaluation per chain and call."""

    name: str

    def __init__(self, function: Callable[[Tensor, float], Tensor]) -> None:
        if not callable(function):
            raise TypeError(f"{self.name} must be a callable (x, t) -> tensor, got {function!r}")
        self._function = function
        self.evaluations = 0

    @abstractmethod
    def expected_shape(self, x: Tensor) -> torch.Size:
        """Shape of the answer for this ``x``."""

    def __call__(self, x: Tensor, t: float) -> Tensor:
        answer = self._function(x, t)
        self.evaluations += x.shape[0]
        expected = self.expected_shape(x)
        if not isinstance(answer, Tensor):
            raise TypeError(f"{self.name} returned {type(answer).__name__}, expected a tensor")
        if answer.shape != expected:
            raise ValueError(
                f"{self.name} returned shape {tuple(answer.shape)} for x of shape "
                f"{tuple(x.shape)}, expected {tuple(expected)}"
            )
        if answer.dtype != x.dtype or answer.device != x.device:
            raise TypeError(
                f"{self.name} returned {answer.dtype} on {answer.device}, expected {x.dtype} on "
                f"{x.device} like x (rtk.sample takes dtype= and device=)"
            )
        return answer


class CountedScore(_Counted):
    """A score whose every evaluation counts; a batch of n chains is n evaluations."""

    name = "score"

    def expected_shape(self, x: Tensor) -> torch.Size:
        return x.shape


class CountedLogProb(_Counted):
    """``log p_t(x)`` up to a constant, shape (n,), for exact energy differences; counted apart."""

    name = "log_prob"

    def expected_shape(self, x: Tensor) -> torch.Size:
        return x.shape[:1]


class NonFiniteError(FloatingPointError):
    """Some chains stopped being finite.

    Attributes:
        chains: chain index -> OU time of the segment's clean end at which it was noticed.
    """

    def __init__(self, chains: dict[int, float], n: int) -> None:
        self.chains = chains
        shown = ", ".join(f"{chain} (t={t:.4g})" for chain, t in list(chains.items())[:5])
        more = ", ..." if len(chains) > 5 else ""
        super().__init__(
            f"{len(chains)} of {n} chains have a non-finite sample, score or energy; chain (time): "
            f"{shown}{more}. Expected a score that is finite at every x and t of the segments; a "
            f'smaller step_size may help, and nonfinite="keep" returns the rest'
        )
