"""Reverse transition kernel (RTK) samplers for diffusion models.

A companion to Huang et al., *Reverse Transition Kernel: A Flexible Framework to Accelerate
Diffusion Inference*, NeurIPS 2024, arXiv 2405.16387.
"""

from importlib import import_module
from types import ModuleType

from rtk.calibration.calibration import Calibration, calibrate
from rtk.checks import SamplingWarning
from rtk.diagnostics import Diagnostics
from rtk.kernel import ReverseTransition
from rtk.registry import methods
from rtk.sampler import Result, sample
from rtk.samplers.analytic_ddpm import AnalyticDDPM
from rtk.samplers.annealed_langevin import AnnealedLangevin
from rtk.samplers.ddim import DDIM
from rtk.samplers.ddpm import DDPM
from rtk.samplers.dpm_solver import DPMSolverPP2M
from rtk.samplers.dpm_solver_3m import DPMSolverPP3M
from rtk.samplers.dpm_solver_v3 import DPMSolverV3
from rtk.samplers.er_sde import ERSDE
from rtk.samplers.exact_kernel import ExactKernel
from rtk.samplers.heun import Heun
from rtk.samplers.restart import Restart
from rtk.samplers.reverse_transition import RTKGHMC, RTKHMC, RTKLM, RTKMALA, RTKULA, RTKULD
from rtk.samplers.unipc import UniPC
from rtk.score import NonFiniteError
from rtk.targets.gaussian_mixture import GaussianMixture

__version__ = "0.2.0"

__all__ = [
    "DDIM",
    "DDPM",
    "ERSDE",
    "RTKGHMC",
    "RTKHMC",
    "RTKLM",
    "RTKMALA",
    "RTKULA",
    "RTKULD",
    "AnalyticDDPM",
    "AnnealedLangevin",
    "Calibration",
    "DPMSolverPP2M",
    "DPMSolverPP3M",
    "DPMSolverV3",
    "Diagnostics",
    "ExactKernel",
    "GaussianMixture",
    "Heun",
    "NonFiniteError",
    "Restart",
    "Result",
    "ReverseTransition",
    "SamplingWarning",
    "UniPC",
    "calibrate",
    "methods",
    "sample",
]


def __getattr__(name: str) -> ModuleType:
    """Import a family of modules when it is first asked for: `rtk.metrics` alone takes seconds."""
    if name in ("adapters", "laws", "mcmc", "metrics", "schedules"):
        return import_module(f"rtk.{name}")
    raise AttributeError(f"module 'rtk' has no attribute {name!r}")
