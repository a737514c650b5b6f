"""The fit of the Gaussian base: exact on Gaussians, whatever their covariance."""

import math

import pytest
import torch
from torch import Tensor

from rtk.calibration import base as bases
from rtk.calibration import pilot
from rtk.gaussian_base import GaussianBase
from tests.oracles import DOUBLE, mixture_moments, mixture_of, skewed
from tests.rtk.calibration.cases import generator, model_of, rotated, skewed_base


def dense(base: GaussianBase) -> Tensor:
    """The covariance as a matrix."""
    root = base.draw(torch.eye(len(base.mean), dtype=DOUBLE), 0.0) - base.mean
    return root.T @ root


def test_a_full_covariance_is_found_exactly() -> None:
    target = rotated()
    model = model_of(target.score, 4)
    base = bases.fit(model, pilot.run(model, 5.0, generator()), generator())
    torch.testing.assert_close(base.mean, target.means[0], rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(dense(base), target.covariances[0], rtol=1e-8, atol=1e-8)
    assert base.basis is not None
    torch.testing.assert_close(base.basis.T @ base.basis, torch.eye(4, dtype=DOUBLE))


def test_wide_and_narrow_data() -> None:
    """Standard deviations of 1e-3 and 30 in one distribution."""
    covariance = torch.diag(torch.tensor([1e-6, 900.0], dtype=DOUBLE))
    target = mixture_of([1.0], [[5.0, -20.0]], covariance[None])
    model = model_of(target.score, 2)
    base = bases.fit(model, pilot.run(model, 8.0, generator()), generator())
    torch.testing.assert_close(base.mean, target.means[0], rtol=1e-6, atol=1e-6)
    assert float(dense(base)[1, 1]) == pytest.approx(900.0, rel=1e-6)


def test_a_low_rank_covariance_is_found_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three directions that stick out of a sphere in R^8, by random subspaces of dimension 3."""
    monkeypatch.setattr(bases, "FULL", 4)
    monkeypatch.setattr(bases, "DIRECTIONS", 3)
    columns = torch.linalg.qr(torch.randn(8, 3, generator=generator(3), dtype=DOUBLE))[0]
    wide = torch.tensor([5.0, 3.0, 2.0], dtype=DOUBLE)
    covariance = 1e-3 * torch.eye(8, dtype=DOUBLE) + columns @ torch.diag(wide) @ columns.T
    target = mixture_of([1.0], [[0.3] * 8], covariance[None])
    model = model_of(target.score, 8)
    base = bases.fit(model, pilot.run(model, 5.0, generator()), generator())
    assert base.basis is not None
    assert base.basis.shape == (8, 3)
    torch.testing.assert_close(base.mean, target.means[0], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(dense(base), covariance, rtol=1e-3, atol=1e-4)


def test_directions_are_in_the_order_of_their_width() -> None:
    basis = bases.principal_directions(
        model_of(rotated().score, 4), torch.zeros(4, dtype=DOUBLE), 6.0, generator()
    )
    values, vectors = torch.linalg.eigh(rotated().covariances[0])
    assert math.isclose(float(values[-1]), 4.0)
    torch.testing.assert_close((basis.T @ vectors).abs(), torch.eye(4, dtype=DOUBLE).flip(1))


def test_the_base_of_a_mixture_has_about_its_mean_and_spread() -> None:
    """Its variances are those that explain the denoiser best, below those of the mixture."""
    base = skewed_base()
    mean, covariance = mixture_moments(skewed())
    torch.testing.assert_close(base.mean, torch.from_numpy(mean), rtol=0.0, atol=0.05)
    total = float(covariance.trace())
    assert 0.5 * total < float(base.variances.sum()) < 1.1 * total
