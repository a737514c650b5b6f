"""Metrics: how far samples are from a target, each number with its Monte Carlo error."""

from rtk.metrics.estimate import Estimate, Metric, Reference, Samples, floor
from rtk.metrics.frequencies import (
    frequency_tv,
    halved_marginal_accuracy,
    histogram_tv,
    marginal_accuracy,
    mode_weight_tv,
    radial_tv,
)
from rtk.metrics.transport import energy_distance, sinkhorn_cost, sliced_w2, w2

__all__ = [
    "Estimate",
    "Metric",
    "Reference",
    "Samples",
    "energy_distance",
    "floor",
    "frequency_tv",
    "halved_marginal_accuracy",
    "histogram_tv",
    "marginal_accuracy",
    "mode_weight_tv",
    "radial_tv",
    "sinkhorn_cost",
    "sliced_w2",
    "w2",
]
