"""All targets by name; `rtk.targets` says how to add one."""

from collections.abc import Callable

from rtk.targets.base import Target
from rtk.targets.funnel import Funnel
from rtk.targets.many_well import ManyWell
from rtk.targets.mixtures import MIXTURES
from rtk.targets.rings import Rings
from rtk.targets.student_t import StudentT

BEYOND_MIXTURES: dict[str, Callable[[], Target]] = {
    "funnel": Funnel,
    "many_well": ManyWell,
    "rings": Rings,
    "student": StudentT,
}

TARGETS: dict[str, Callable[[], Target]] = {**MIXTURES, **BEYOND_MIXTURES}


def target(name: str) -> Target:
    """The target of that name with its default parameters.

    Raises:
        ValueError: for a name that is not in `TARGETS`; the message lists those that are.
    """
    if name not in [*TARGETS]:
        raise ValueError(f"unknown target {name!r}, expected one of {[*TARGETS]}")
    return TARGETS[name]()
