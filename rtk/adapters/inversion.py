"""A sampler turned inside out: it is told the model's answers one by one.

A sampler calls its score. A scheduler of diffusers is called by a pipeline, with one answer of the
model at a time. The sampler therefore runs in a greenlet, a second call stack of the same thread:
where it asks the model, it is suspended with a `Request`, and goes on when the answer is there.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

import greenlet
import torch
from torch import Tensor

Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class Request:
    """What the sampler wants to know: the model's answer at ``x`` (n, *shape) and a timestep."""

    x: Tensor
    timestep: float


@dataclass(frozen=True, eq=False)
class Finished(Generic[Result]):
    """The end of the sampler, with what it returned."""

    result: Result


def ask(x: Tensor, timesteps: Tensor) -> Tensor:
    """The model of a sampler that runs inside `Inverted`: it suspends the sampler."""
    return greenlet.getcurrent().parent.switch(Request(x, timesteps[0].item()))


class Inverted(Generic[Result]):
    """A suspended function whose model is `ask`.

    Args:
        function: is run as far as its first request by `start`.
    """

    def __init__(self, function: Callable[[], Result]) -> None:
        self._greenlet = greenlet.greenlet(lambda: Finished(function()))

    def start(self) -> Request | Finished[Result]:
        """The first request."""
        return self._switch()

    def send(self, answer: Tensor) -> Request | Finished[Result]:
        """Answer the request; the next one, or the end. Errors of the function arise here."""
        return self._switch(answer)

    def close(self) -> None:
        """Leave the function where it is, as its caller would by an exception."""
        if not self._greenlet.dead:
            with without_autograd():
                self._greenlet.throw()

    def _switch(self, *answer: Tensor) -> Request | Finished[Result]:
        self._greenlet.parent = greenlet.getcurrent()
        with without_autograd():
            return self._greenlet.switch(*answer)

    def __del__(self) -> None:
        self.close()


@contextmanager
def without_autograd() -> Iterator[None]:
    """Autograd as `rtk.sampler.run` switches it, which holds for a thread, not for a greenlet.

    A suspended sampler is in the middle of its own such block. Entered around every part of it,
    this one gives the caller's state back while the sampler is suspended.
    """
    with torch.inference_mode(False), torch.no_grad():
        yield
