"""Checks of arguments, in the user's words, and the one class of warnings."""

import math
import operator
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor


class SamplingWarning(UserWarning):
    """A run that finished, but whose samples are likely not what was asked for.

    ``warnings.simplefilter("error", rtk.SamplingWarning)`` turns these warnings into errors.
    """


def check_count(name: str, value: int, minimum: int = 1) -> int:
    """``value`` as an int; an error unless it is a whole number of at least ``minimum``."""
    try:
        if isinstance(value, bool):  # a number for Python, and never one that is meant
            raise TypeError
        count = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, got {value!r}") from None
    if count < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {count}")
    return count


def check_seed(seed: int) -> int:
    """``seed`` as an int; an error unless it is a whole number in [0, 2^64)."""
    seed = check_count("seed", seed, minimum=0)
    if seed >= 2**64:
        raise ValueError(f"seed must be below 2^64, got {seed}")
    return seed


def check_chains(first: int, n: int) -> None:
    """An error unless the chains ``first .. first + n - 1`` have indices below 2^63."""
    if first + n > 2**63:
        raise ValueError(f"chains must be below 2^63, got {first} + {n} of them")


def check_number(name: str, value: float) -> float:
    """``value`` as a float; an error unless it is a real number, which may be NaN or infinite."""
    try:
        # Text has no __float__, though float() reads it.
        if isinstance(value, bool | complex) or not hasattr(value, "__float__"):
            raise TypeError
        return float(value)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"{name} must be a number, got {value!r}") from None


def check_flag(name: str, value: bool) -> bool:
    """``value`` itself; an error unless it is True or False, as any text would count as true."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return value


def check_positive(name: str, value: float) -> float:
    """``value`` as a float; an error unless it is a positive, finite number."""
    number = check_number(name, value)
    if not 0.0 < number < math.inf:
        raise ValueError(f"{name} must be positive and finite, got {value}")
    return number


def check_nonnegative(name: str, value: float) -> float:
    """``value`` as a float; an error unless it is a finite number of at least 0."""
    number = check_number(name, value)
    if not 0.0 <= number < math.inf:
        raise ValueError(f"{name} must be a finite number >= 0, got {value}")
    return number


def check_shape(shape: int | Sequence[int]) -> tuple[int, ...]:
    """The shape of one sample as a tuple; an int d means (d,)."""
    sides = tuple(shape) if isinstance(shape, Iterable) else (shape,)
    if not sides:
        raise ValueError("shape must have at least one side, got ()")
    return tuple(check_count("a side of shape", side) for side in sides)


def check_floating(name: str, value: Tensor) -> None:
    """An error unless ``value`` is a tensor of floating-point numbers."""
    if not isinstance(value, Tensor) or not value.is_floating_point():
        kind = value.dtype if isinstance(value, Tensor) else type(value).__name__
        raise TypeError(f"{name} must be a floating-point tensor, got {kind}")


def check_device(device: torch.device | str | None) -> torch.device:
    """The device of the chains; torch's default if it is None.

    Raises:
        ValueError: if there is no such device, or no numbers on it.
        TypeError: for anything else than a device or its name.
    """
    if device is None:
        return torch.get_default_device()
    if not isinstance(device, torch.device | str):
        raise TypeError(f"device must be a torch device or its name, got {device!r}")
    try:
        # A number that comes back: torch knows devices that this machine or this build lacks.
        float(torch.zeros((), device=device))
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            f"device must be one that torch can compute on, such as 'cpu' or 'cuda', got "
            f"{str(device)!r}: {str(error).splitlines()[0]}"
        ) from error
    return torch.device(device)


def check_dtype(dtype: torch.dtype | None) -> torch.dtype:
    """The precision of the chains, float32 or float64; torch's default if it is None."""
    dtype = torch.get_default_dtype() if dtype is None else dtype
    if not isinstance(dtype, torch.dtype):
        raise TypeError(f"dtype must be torch.float32 or torch.float64, got {dtype!r}")
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(
            f"dtype must be torch.float32 or torch.float64, got {dtype}: the state of the chains "
            "would lose its digits over many segments. A score may answer in half precision"
        )
    return dtype
