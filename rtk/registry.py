"""The samplers by name, as `rtk.sample` takes them."""

from collections.abc import Callable

from rtk.calibration.methods import CalibratedFlow, CalibratedKernels
from rtk.samplers.annealed_langevin import AnnealedLangevin
from rtk.samplers.base import Fittable, Sampler
from rtk.samplers.ddim import DDIM
from rtk.samplers.ddpm import DDPM
from rtk.samplers.dpm_solver import DPMSolverPP2M
from rtk.samplers.dpm_solver_3m import DPMSolverPP3M
from rtk.samplers.er_sde import ERSDE
from rtk.samplers.heun import Heun
from rtk.samplers.restart import Restart
from rtk.samplers.reverse_transition import RTKGHMC, RTKHMC, RTKLM, RTKMALA, RTKULA, RTKULD
from rtk.samplers.unipc import UniPC

METHODS: dict[str, Callable[..., Sampler | Fittable]] = {
    "ddpm": DDPM,
    "ddim": DDIM,
    "dpm++2m": DPMSolverPP2M,
    "dpm++2m-sde": lambda: DPMSolverPP2M(stochastic=True),
    "dpm++3m": DPMSolverPP3M,
    "unipc-2": UniPC,
    "unipc-3": lambda: UniPC(order=3),
    "heun": Heun,
    "restart": Restart,
    "er-sde": ERSDE,
    "ald": AnnealedLangevin,
    "rtk-ula": RTKULA,
    "rtk-lm": RTKLM,
    "rtk-mala": RTKMALA,
    "rtk-hmc": RTKHMC,
    "rtk-ghmc": RTKGHMC,
    "rtk-uld": RTKULD,
    "calibrated": CalibratedFlow,
    "rtk": CalibratedKernels,
}


def methods() -> list[str]:
    """Names that `rtk.sample` takes as ``method``."""
    return [*METHODS]
