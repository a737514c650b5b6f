"""Trained models of other packages as scores on the clock of this package."""

from rtk.adapters.denoiser import DenoiserScore, ModelScore, from_denoiser
from rtk.adapters.noise_prediction import NoisePredictionScore, from_noise_prediction

__all__ = [
    "DenoiserScore",
    "ModelScore",
    "NoisePredictionScore",
    "from_denoiser",
    "from_noise_prediction",
]
