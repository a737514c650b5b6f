"""Reverse transition kernel (RTK) samplers for diffusion models.

A companion to Huang et al., *Reverse Transition Kernel: A Flexible Framework to Accelerate
Diffusion Inference*, NeurIPS 2024, arXiv 2405.16387.
"""

from rtk.exact_kernel import ExactKernel
from rtk.kernel import ReverseTransition
from rtk.mixture import GaussianMixture
from rtk.sampler import Diagnostics, Result, methods, sample
from rtk.score import NonFiniteError

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
