"""Trained models of other packages as scores on the clock of this package."""

from importlib import import_module
from types import ModuleType

from rtk.adapters.denoiser import DenoiserScore, ModelScore, from_denoiser
from rtk.adapters.noise_prediction import NoisePredictionScore, from_noise_prediction

__all__ = [
    "DenoiserScore",
    "ModelScore",
    "NoisePredictionScore",
    "from_denoiser",
    "from_noise_prediction",
]


def __getattr__(name: str) -> ModuleType:
    """Import `rtk.adapters.diffusers` when it is first asked for: its package is optional."""
    if name == "diffusers":
        return import_module("rtk.adapters.diffusers")
    raise AttributeError(f"module 'rtk.adapters' has no attribute {name!r}")
