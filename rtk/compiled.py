"""Pure functions of tensors that torch's compiler may fuse into one loop over the numbers.

A mark on a function changes nothing until a run asks for compiled code (``rtk.sample(...,
compile=True)``). Then each marked function is compiled once, for any sizes and step sizes.
"""

import functools
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

import torch

from rtk.checks import SamplingWarning

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")

_is_wanted = ContextVar("_is_wanted", default=False)


def compilable(function: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """``function``, in compiled form wherever `compiling` is in force."""

    @functools.cache
    def compiled() -> Callable[Arguments, Answer]:
        return torch.compile(function, dynamic=True)

    @functools.wraps(function)
    def chosen(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        # Within compiled code everything is compiled already.
        if torch.compiler.is_compiling() or not _is_wanted.get():
            return function(*args, **kwargs)
        return compiled()(*args, **kwargs)

    return chosen


@contextmanager
def compiling(wanted: bool) -> Iterator[None]:
    """Whether marked functions run in compiled form, in this thread until the block ends."""
    token = _is_wanted.set(wanted)
    try:
        yield
    finally:
        _is_wanted.reset(token)


@functools.cache
def compiler_works() -> bool:
    """Whether torch can compile here; if not, a warning says once what stands in the way."""
    try:
        torch.compile(lambda x: x + 1, dynamic=True)(torch.zeros(2))
    except Exception as error:
        message = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        warnings.warn(
            f"compile=True has no effect, torch.compile fails here: {message}",
            SamplingWarning,
            stacklevel=3,
        )
        return False
    return True
