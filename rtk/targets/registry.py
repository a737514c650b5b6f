"""All targets by name."""

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
    """The target of that name; ValueError for a name that is none of `TARGETS`."""
    if name not in TARGETS:
        raise ValueError(f"unknown target {name!r}, expected one of {[*TARGETS]}")
    return TARGETS[name]()
