"""Checks of arguments, in the user's words."""

import math
import operator


def check_count(name: str, value: int, minimum: int = 1) -> int:
    """``value`` as an int; an error unless it is a whole number of at least ``minimum``."""
    try:
        count = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, got {value!r}") from None
    if count < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {count}")
    return count


def check_positive(name: str, value: float) -> None:
    """An error unless ``value`` is positive and finite."""
    if not 0.0 < value < math.inf:
        raise ValueError(f"{name} must be positive and finite, got {value}")
