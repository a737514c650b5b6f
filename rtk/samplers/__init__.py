"""Samplers: how to carry chains across one segment of the reverse path."""

from rtk.samplers.analytic_ddpm import AnalyticDDPM
from rtk.samplers.annealed_langevin import AnnealedLangevin
from rtk.samplers.base import Info, Problem, Sampler, State
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
    "DPMSolverPP2M",
    "DPMSolverPP3M",
    "DPMSolverV3",
    "ExactKernel",
    "Heun",
    "Info",
    "Problem",
    "Restart",
    "Sampler",
    "State",
    "UniPC",
]
