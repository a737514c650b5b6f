"""Reverse transition kernel (RTK) samplers for diffusion models.

A companion to Huang et al., *Reverse Transition Kernel: A Flexible Framework to Accelerate
Diffusion Inference*, NeurIPS 2024, arXiv 2405.16387.
"""

from rtk.kernel import ReverseTransition
from rtk.sampler import Diagnostics, Result, sample
from rtk.samplers.exact_kernel import ExactKernel
from rtk.samplers.registry import methods
from rtk.score import NonFiniteError
from rtk.targets.gaussian_mixture import GaussianMixture

__all__ = [
    "Diagnostics",
    "ExactKernel",
    "GaussianMixture",
    "NonFiniteError",
    "Result",
    "ReverseTransition",
    "methods",
    "sample",
]
