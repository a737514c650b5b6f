"""The samplers by name, as `rtk.sample` takes them."""

import dataclasses
from collections.abc import Callable

from rtk.samplers.annealed_langevin import AnnealedLangevin
from rtk.samplers.base import Sampler
from rtk.samplers.ddim import DDIM
from rtk.samplers.ddpm import DDPM
from rtk.samplers.dpm_solver import DPMSolverPP2M
from rtk.samplers.reverse_transition import RTKMALA, RTKULA, RTKULD

METHODS: dict[str, Callable[..., Sampler]] = {
    "ddpm": DDPM,
    "ddim": DDIM,
    "dpm++2m": DPMSolverPP2M,
    "dpm++2m-sde": lambda: DPMSolverPP2M(stochastic=True),
    "ald": AnnealedLangevin,
    "rtk-ula": RTKULA,
    "rtk-mala": RTKMALA,
    "rtk-uld": RTKULD,
}


def methods() -> list[str]:
    """Names that `rtk.sample` takes as ``method``."""
    return [*METHODS]


def make_sampler(method: str | Sampler, options: dict[str, object]) -> Sampler:
    """The sampler of a name with its options, or the sampler object itself.

    Raises:
        ValueError: for an unknown name or option, or options beside a sampler object.
        TypeError: for anything else than a name or a sampler object.
    """
    if not isinstance(method, str):
        if options:
            raise ValueError(f"options {[*options]} belong into the sampler object given as method")
        if isinstance(method, type) or not callable(method):
            raise TypeError(f"method must be a name or a sampler object, got {method!r}")
        return method
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}, expected one of {methods()}")
    factory = METHODS[method]
    known: list[str] = (
        [item.name for item in dataclasses.fields(factory)]
        if dataclasses.is_dataclass(factory)
        else []
    )
    unknown = [name for name in options if name not in known]
    if unknown:
        raise ValueError(f"method {method!r} has no option {unknown}, expected one of {known}")
    return factory(**options)
