"""Targets: data laws whose scores, and mostly densities and kernels, are known exactly."""

from rtk.targets.base import Target
from rtk.targets.funnel import Funnel
from rtk.targets.gaussian_mixture import GaussianMixture, MixtureTransition
from rtk.targets.many_well import ManyWell
from rtk.targets.mixtures import (
    MIXTURES,
    PAPER_DIMENSION,
    PAPER_VARIANCE,
    asymmetric,
    chessboard,
    circle,
    mixture,
    spiral,
)
from rtk.targets.registry import BEYOND_MIXTURES, TARGETS, target
from rtk.targets.rings import Rings
from rtk.targets.student_t import StudentT

__all__ = [
    "BEYOND_MIXTURES",
    "MIXTURES",
    "PAPER_DIMENSION",
    "PAPER_VARIANCE",
    "TARGETS",
    "Funnel",
    "GaussianMixture",
    "ManyWell",
    "MixtureTransition",
    "Rings",
    "StudentT",
    "Target",
    "asymmetric",
    "chessboard",
    "circle",
    "mixture",
    "spiral",
    "target",
]
