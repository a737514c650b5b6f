"""The theory's inner step and number of inner steps, from the bias that a chain may leave.

Steps are relative to the curvature of the kernel. A Hessian between a third of the curvature and
the curvature, as on segments of the theory's length, gives the rates.
"""

import math

LANGEVIN_RATE = 1.0 / 3.0
"""Rate per unit of relative time at which the slowest direction of Langevin dynamics decays."""
UNDERDAMPED_RATE = 1.0 - math.sqrt(2.0 / 3.0)
"""The same for underdamped Langevin, from z'' + 2 z' + z / 3 = 0."""

ORDERS = {"rtk-ula": 0.5, "rtk-uld": 1.0, "rtk-lm": 2.0}
"""The power of the relative step that the bias of a chain grows with, by the theory."""


def inner_chain(method: str, share: float) -> tuple[float, int]:
    """The relative step and the number of steps of an unadjusted chain.

    At the relative step theta the theory's bias is ``theta^p`` in one dimension, with p from
    `ORDERS`, which gives the step. The number of steps is such that the start of a chain decays to
    that bias.

    Args:
        method: a name in `ORDERS`.
        share: total variation that one coordinate of one segment may have, below one.
    """
    step_size = share ** (1.0 / ORDERS[method])
    rate = UNDERDAMPED_RATE if method == "rtk-uld" else LANGEVIN_RATE
    return step_size, math.ceil(math.log(1.0 / share) / (rate * step_size))
