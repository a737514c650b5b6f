"""What the tests of calibration share: models, calibrations and accurate flows."""

import dataclasses
from functools import cache

import numpy as np
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

import rtk
from rtk import GaussianMixture, process
from rtk.calibration import base, moments, pilot
from rtk.calibration.calibration import make_model
from rtk.calibration.model import Model
from rtk.calibration.moments import Moments
from rtk.calibration.pilot import Pilot
from rtk.gaussian_base import GaussianBase
from rtk.score import Score
from tests.oracles import DOUBLE, Array, mixture_of, skewed


def model_of(score: Score, d: int) -> Model:
    """A model in double precision."""
    return make_model(score, (d,), None, DOUBLE)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@cache
def skewed_pilot() -> Pilot:
    return pilot.run(model_of(skewed().score, 2), 5.0, generator())


@cache
def skewed_base() -> GaussianBase:
    return base.fit(model_of(skewed().score, 2), skewed_pilot(), generator(1))


@cache
def skewed_moments() -> Moments:
    return moments.of(skewed_pilot(), skewed_base())


@cache
def skewed_calibration() -> rtk.Calibration:
    return rtk.calibrate(skewed().score, 2, dtype=DOUBLE)


def noisy(calibration: rtk.Calibration) -> rtk.Calibration:
    """The calibration, as if its score had been found imperfect: "rtk" then adds noise."""
    return dataclasses.replace(calibration, consistency=10.0, solvers={})


def two_modes() -> GaussianMixture:
    """Two unequal modes on the line."""
    return mixture_of([0.3, 0.7], [[-1.5], [1.0]], torch.tensor([0.15, 0.3]))


def rotated() -> GaussianMixture:
    """``N(m, C)`` in R^4 with a full covariance whose variances are 0.02, 0.3, 1 and 4."""
    turn = np.linalg.qr(np.random.default_rng(3).standard_normal((4, 4)))[0]
    covariance = turn @ np.diag([0.02, 0.3, 1.0, 4.0]) @ turn.T
    return mixture_of([1.0], [[0.7, -0.4, 0.1, 1.5]], torch.from_numpy(covariance[None]))


def flow(score: Score, y: Tensor, sigma_from: float, sigma_to: float) -> Tensor:
    """The probability flow of points y (n, d), ``dy / d sigma = -sigma grad log p(y; sigma)``.

    It is accurate to about 1e-9, and smooth down to ``sigma = 0``.
    """

    def slope(sigma: float, flat: Array) -> Array:
        t = process.time_from_noise_level(sigma)
        points = process.alpha(t) * torch.from_numpy(flat).reshape(y.shape)
        gradient = process.alpha(t) * score(points, t)
        return np.asarray(-sigma * gradient.flatten().numpy())

    solution = solve_ivp(
        slope, (sigma_from, sigma_to), y.flatten().numpy(), "DOP853", rtol=1e-9, atol=1e-10
    )
    return torch.from_numpy(solution.y[:, -1].copy()).reshape(y.shape)
