"""Score functions, checked and counted.

A score is any callable ``(x, t) -> s(x, t) = grad log p_t(x)`` with ``x`` of shape (n, *shape),
``t`` a Python float, and an answer of the shape of ``x``. Samplers see it through `CountedScore`
only, so the reported number of function evaluations (NFE) is the number that was made.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

Score = Callable[[Tensor, float], Tensor]
LogProb = Callable[[Tensor, float], Tensor]
ScoreAndLogProb = Callable[[Tensor, float], tuple[Tensor, Tensor]]

Answer = TypeVar("Answer")

HALF = (torch.float16, torch.bfloat16)


class _Counted(ABC):
    """A checked function of ``(x, t)`` that counts one evaluation per chain and call."""

    name: str

    def __init__(self, function: Callable[[Tensor, float], Tensor]) -> None:
        if not callable(function):
            raise TypeError(f"{self.name} must be a callable (x, t) -> tensor, got {function!r}")
        self.function = function
        self.evaluations = 0

    @abstractmethod
    def expected_shape(self, x: Tensor) -> torch.Size:
        """Shape of the answer for this ``x``."""

    def __call__(self, x: Tensor, t: float) -> Tensor:
        return self.count(evaluate(self.name, self.function, x, t), x, t)

    def count(self, answer: Tensor, x: Tensor, t: float) -> Tensor:
        """The answer for ``x`` and ``t``, checked and counted."""
        self.evaluations += x.shape[0]
        expected = self.expected_shape(x)
        if not isinstance(answer, Tensor):
            raise TypeError(f"{self.name} returned {type(answer).__name__}, expected a tensor")
        if answer.shape != expected:
            raise ValueError(
                f"{self.name} returned shape {tuple(answer.shape)} for x of shape "
                f"{tuple(x.shape)}, expected {tuple(expected)}"
            )
        # A network may work in half precision; the chains stay in the precision of x.
        dtype = x.dtype if answer.dtype in HALF else answer.dtype
        if dtype != x.dtype or answer.device != x.device:
            raise TypeError(
                f"{self.name} returned {answer.dtype} on {answer.device}, expected {x.dtype} on "
                f"{x.device} like x (rtk.sample takes dtype= and device=)"
            )
        return answer.to(x.dtype)


def evaluate(name: str, function: Callable[[Tensor, float], Answer], x: Tensor, t: float) -> Answer:
    """``function(x, t)``, where ``name`` says in an error which function it was."""
    try:
        # The function gets a copy, so that what it does in place cannot change the chains.
        return function(x.clone(), t)
    except RuntimeError as error:
        if "does not require grad" not in str(error):
            raise
        raise RuntimeError(
            f"{name} uses autograd, which is switched off while sampling to save memory: "
            "decorate the function with @torch.enable_grad()"
        ) from error


class CountedScore(_Counted):
    """A score whose every evaluation counts; a batch of n chains is n evaluations.

    Attributes:
        first_time: time ``t`` of the first call.
        first_mismatch: by how much the score at the first call differed from that of ``N(0, I)``,
            the root mean square of ``s(x, t) + x``.
    """

    name = "score"

    def __init__(self, function: Score) -> None:
        super().__init__(function)
        self.first_time = self.first_mismatch = math.nan

    def count(self, answer: Tensor, x: Tensor, t: float) -> Tensor:
        first = self.evaluations == 0
        answer = super().count(answer, x, t)
        if first:
            self.first_time = t
            self.first_mismatch = float((answer + x).square().mean().sqrt())
        return answer

    def expected_shape(self, x: Tensor) -> torch.Size:
        return x.shape


class CountedLogProb(_Counted):
    """``log p_t(x)`` up to a constant, shape (n,), for exact energy differences; counted apart."""

    name = "log_prob"

    def expected_shape(self, x: Tensor) -> torch.Size:
        return x.shape[:1]


class CountedScoreAndLogProb:
    """Both from one pass, checked and counted as one evaluation of each.

    Args:
        function: ``(x, t) -> (score, log_prob)``.
        score, log_prob: the counters, which other evaluations share.
    """

    name = "score_and_log_prob"

    def __init__(
        self, function: ScoreAndLogProb, score: CountedScore, log_prob: CountedLogProb
    ) -> None:
        if not callable(function):
            raise TypeError(f"{self.name} must be a callable (x, t) -> pair, got {function!r}")
        self.function, self.score, self.log_prob = function, score, log_prob

    def __call__(self, x: Tensor, t: float) -> tuple[Tensor, Tensor]:
        answer = evaluate(self.name, self.function, x, t)
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise TypeError(
                f"{self.name} returned {type(answer).__name__}, expected a pair of tensors"
            )
        return self.score.count(answer[0], x, t), self.log_prob.count(answer[1], x, t)


class NonFiniteError(FloatingPointError):
    """Some chains stopped being finite.

    Attributes:
        chains: chain index -> OU time of the segment's clean end at which it was noticed.
        computed: number of chains that were computed until then.
    """

    def __init__(self, chains: dict[int, float], computed: int) -> None:
        # The base class keeps these arguments, so that the error can be sent between processes.
        super().__init__(chains, computed)
        self.chains, self.computed = chains, computed

    def __str__(self) -> str:
        shown = ", ".join(f"{chain} (t={t:.4g})" for chain, t in list(self.chains.items())[:5])
        more = ", ..." if len(self.chains) > 5 else ""
        return (
            f"{len(self.chains)} of the {self.computed} chains computed so far have a non-finite "
            f"sample, score or energy; chain (time): {shown}{more}. Expected a score that is "
            "finite at every x and t of the segments; a smaller step_size may help, and "
            'nonfinite="keep" returns all chains'
        )
